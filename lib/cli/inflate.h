// Bodies that producers compressed, made readable again.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "format/record.h"

namespace mq::cli {

// No body that a client could send inflates beyond this: maxMessageSize is 4 MiB by default and
// bounds what the producer compressed only indirectly, so there is room; a bomb stops here.
inline constexpr std::size_t kInflatedBytesMax = 64 << 20;

// The body as the producer had it: a view of the stored one, or of `buffer` when sysFlag says that
// it is compressed (zlib, lz4 frame, zstd). Errors: kCorrupt (does not inflate, or beyond
// kInflatedBytesMax), kUnsupported (unknown kind).
Result<Bytes> message_body(const format::Record& record, std::string& buffer);

}  // namespace mq::cli

// The numbers of slots and entries of an index file. Only their sum is in its length (trap 9), so
// the chains have to tell them apart (store-format.md section 5).
#pragma once

#include <optional>

#include "format/index_file.h"

namespace mq::format {

// The shape that explains the whole file best: its first entries hang in the chains that their
// hashes say, no slot names an entry that is not there, and the entries begin and end where the
// header says. Some of it may be damaged. Without a header (it cannot be believed) twenty entries
// must be there to tell. `slots` is 0 when no shape makes sense. Reads the file up to the end of
// the slots that it finds. Thread-safe.
[[nodiscard]] IndexShape guess_index_shape(Bytes file, const std::optional<IndexHeader>& header);

}  // namespace mq::format

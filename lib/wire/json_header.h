// The JSON form of a header (remoting.md 1.3), as tolerant as the reference's reader.
#pragma once

#include <string_view>

#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

// Fills all but `serialize` and `body` of `out`, which the caller has reset. Views point into
// `header` where the text has no escapes, else into out.storage. Errors: kProtocol.
Result<void> decode_json_header(std::string_view header, Command& out);

}  // namespace mq::wire

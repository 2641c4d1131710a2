// Base64 with the standard alphabet and padding.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace mq {

void append_base64(std::string& out, Bytes bytes);
// Errors: kInvalid (a character outside the alphabet, a length that is not a multiple of 4).
Result<std::string> decode_base64(std::string_view text);

}  // namespace mq

// Base64, as messages in JSON need it: bodies that are no text.
#pragma once

#include "base/base64.h"

namespace mq::cli {

using mq::append_base64;
using mq::decode_base64;

}  // namespace mq::cli

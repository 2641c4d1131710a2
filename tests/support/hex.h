// Bytes written down as hex, and back.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace mq::test {

// "00 1c ff" with blanks and line ends anywhere; anything else ends the test program.
[[nodiscard]] std::vector<std::byte> from_hex(std::string_view text);
// "001cff".
[[nodiscard]] std::string to_hex(Bytes bytes);
// Lower-case hex of the SHA-256.
[[nodiscard]] std::string sha256_hex(Bytes bytes);

}  // namespace mq::test

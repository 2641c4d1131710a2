// The two hashes that the formats prescribe (store-format 2.6, 4.2, 5).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace mq {

// Java's String.hashCode of UTF-8 text: over UTF-16 code units, malformed sequences counting as
// U+FFFD, 32-bit wrap.
[[nodiscard]] std::int32_t java_string_hash(std::string_view utf8) noexcept;
// The hash of `prefix` + `rest` when `prefix_hash` is that of `prefix` (any split between
// characters).
[[nodiscard]] std::int32_t java_string_hash(std::int32_t prefix_hash,
                                            std::string_view rest) noexcept;

// CRC-32 (IEEE, as java.util.zip.CRC32), all 32 bits. `seed` continues an earlier result.
[[nodiscard]] std::uint32_t crc32(Bytes bytes, std::uint32_t seed = 0) noexcept;
// The same with the top bit cleared, as records store it; 0 for no bytes.
[[nodiscard]] inline std::int32_t crc32_masked(Bytes bytes) noexcept {
  return static_cast<std::int32_t>(crc32(bytes) & 0x7FFFFFFFU);
}

}  // namespace mq

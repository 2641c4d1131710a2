#include "base/hash.h"

#include <libdeflate.h>

#include "base/utf8.h"

namespace mq {

std::int32_t java_string_hash(std::int32_t prefix_hash, std::string_view rest) noexcept {
  auto h = static_cast<std::uint32_t>(prefix_hash);
  std::size_t at = 0;
  while (at < rest.size()) {
    const auto c = static_cast<unsigned char>(rest[at]);
    if (c < 0x80) {  // nearly all text: no decoding
      h = 31 * h + c;
      ++at;
      continue;
    }
    const std::uint32_t point = next_code_point(rest, at);
    if (point < 0x10000) {
      h = 31 * h + point;
    } else {
      h = 31 * h + (0xD800 + ((point - 0x10000) >> 10));
      h = 31 * h + (0xDC00 + ((point - 0x10000) & 0x3FF));
    }
  }
  return static_cast<std::int32_t>(h);
}

std::int32_t java_string_hash(std::string_view utf8) noexcept { return java_string_hash(0, utf8); }

std::uint32_t crc32(Bytes bytes, std::uint32_t seed) noexcept {
  return libdeflate_crc32(
      seed, bytes.data() == nullptr ? reinterpret_cast<const std::byte*>("") : bytes.data(),
      bytes.size());
}

}  // namespace mq

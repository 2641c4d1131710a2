#include "base/hash.h"

#include <libdeflate.h>

namespace mq {
namespace {

// One code point from `text` at `at`, advancing it; malformed bytes give U+FFFD one at a time, cut
// as Java's decoder cuts them (the longest valid prefix of a sequence is one replacement).
std::uint32_t next_code_point(std::string_view text, std::size_t& at) noexcept {
  constexpr std::uint32_t kReplacement = 0xFFFD;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t lead = byte(at++);
  if (lead < 0x80) return lead;
  int more = 0;
  std::uint32_t value = 0;
  std::uint32_t low = 0x80;
  std::uint32_t high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    more = 1, value = lead & 0x1F;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    more = 2, value = lead & 0x0F;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    more = 3, value = lead & 0x07;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return kReplacement;
  }
  for (; more > 0; --more) {
    if (at >= text.size() || byte(at) < low || byte(at) > high) return kReplacement;
    value = (value << 6) | (byte(at++) & 0x3FU);
    low = 0x80, high = 0xBF;
  }
  return value;
}

}  // namespace

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

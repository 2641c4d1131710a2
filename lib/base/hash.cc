#include "base/hash.h"

#include <cstring>

#include <isa-l/crc.h>

#include "base/utf8.h"

namespace mq {
namespace {

// Nearly all text is ASCII and needs no decoding; four characters at a time keep the
// multiplications from waiting for each other.
constexpr std::size_t kBlock = 4;
constexpr std::uint32_t kPower2 = 31 * 31;
constexpr std::uint32_t kPower3 = 31 * kPower2;
constexpr std::uint32_t kPower4 = 31 * kPower3;

bool is_ascii_block(std::string_view text, std::size_t at) noexcept {
  if (text.size() - at < kBlock) return false;
  std::uint32_t bytes = 0;
  std::memcpy(&bytes, text.data() + at, sizeof bytes);
  return (bytes & 0x80808080U) == 0;
}

std::uint32_t ascii_block_hash(const char* at) noexcept {
  const auto c = [&](int i) { return static_cast<std::uint32_t>(at[i]); };
  return kPower3 * c(0) + kPower2 * c(1) + 31 * c(2) + c(3);
}

}  // namespace

std::int32_t java_string_hash(std::int32_t prefix_hash, std::string_view rest) noexcept {
  auto h = static_cast<std::uint32_t>(prefix_hash);
  std::size_t at = 0;
  while (at < rest.size()) {
    if (is_ascii_block(rest, at)) {
      h = kPower4 * h + ascii_block_hash(rest.data() + at);
      at += kBlock;
      continue;
    }
    const auto c = static_cast<unsigned char>(rest[at]);
    if (c < 0x80) {
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
  if (bytes.empty()) return seed;
  return crc32_gzip_refl(seed, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

}  // namespace mq

#include "base/hash.h"

#include <cstring>

#include <isa-l/crc.h>

#include "base/utf8.h"

namespace mq {
namespace {

// Nearly all text is ASCII and needs no decoding; eight characters at a time keep the
// multiplications from waiting for each other.
constexpr std::size_t kBlock = 8;
constexpr std::uint32_t kPower2 = 31 * 31;
constexpr std::uint32_t kPower3 = 31 * kPower2;
constexpr std::uint32_t kPower4 = 31 * kPower3;
constexpr std::uint32_t kPower8 = kPower4 * kPower4;

bool is_ascii_block(std::string_view text, std::size_t at) noexcept {
  if (text.size() - at < kBlock) return false;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, text.data() + at, sizeof bytes);
  return (bytes & 0x8080808080808080U) == 0;
}

std::uint32_t ascii_block_hash(const char* at) noexcept {
  const auto c = [&](int i) { return static_cast<std::uint32_t>(at[i]); };
  const std::uint32_t first = kPower3 * c(0) + kPower2 * c(1) + 31 * c(2) + c(3);
  const std::uint32_t second = kPower3 * c(4) + kPower2 * c(5) + 31 * c(6) + c(7);
  return kPower4 * first + second;
}

#if defined(__x86_64__)
const bool has_avx = __builtin_cpu_supports("avx") != 0;
#endif

// The library leaves the upper halves of the vector registers dirty, and each SSE instruction from
// then on waits for the one before: as much time as the checksum itself.
void clean_vector_registers() noexcept {
#if defined(__x86_64__)
  if (has_avx) asm volatile("vzeroupper" ::: "memory");
#endif
}

}  // namespace

std::int32_t java_string_hash(std::int32_t prefix_hash, std::string_view rest) noexcept {
  auto h = static_cast<std::uint32_t>(prefix_hash);
  std::size_t at = 0;
  while (at < rest.size()) {
    if (is_ascii_block(rest, at)) {
      h = kPower8 * h + ascii_block_hash(rest.data() + at);
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
  const std::uint32_t crc =
      crc32_gzip_refl(seed, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  clean_vector_registers();
  return crc;
}

}  // namespace mq

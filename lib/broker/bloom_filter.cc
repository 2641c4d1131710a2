#include "broker/bloom_filter.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>

namespace mq::broker {
namespace {

constexpr std::uint64_t kFirst = 0x87c37b91114253d5;
constexpr std::uint64_t kSecond = 0x4cf5ad432745937f;

std::uint64_t little_endian(const char* from, std::size_t bytes) noexcept {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    out |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  return out;
}
std::uint64_t mix_first(std::uint64_t k) noexcept { return std::rotl(k * kFirst, 31) * kSecond; }
std::uint64_t mix_second(std::uint64_t k) noexcept { return std::rotl(k * kSecond, 33) * kFirst; }
std::uint64_t finish(std::uint64_t k) noexcept {
  k = (k ^ (k >> 33)) * 0xff51afd7ed558ccd;
  k = (k ^ (k >> 33)) * 0xc4ceb9fe1a85ec53;
  return k ^ (k >> 33);
}

}  // namespace

std::uint64_t murmur3_64(std::string_view bytes) noexcept {
  std::uint64_t h1 = 0;
  std::uint64_t h2 = 0;
  std::string_view rest = bytes;
  for (; rest.size() >= 16; rest.remove_prefix(16)) {
    h1 = (std::rotl(h1 ^ mix_first(little_endian(rest.data(), 8)), 27) + h2) * 5 + 0x52dce729;
    h2 = (std::rotl(h2 ^ mix_second(little_endian(rest.data() + 8, 8)), 31) + h1) * 5 + 0x38495ab5;
  }
  if (rest.size() > 8) h2 ^= mix_second(little_endian(rest.data() + 8, rest.size() - 8));
  if (!rest.empty())
    h1 ^= mix_first(little_endian(rest.data(), std::min<std::size_t>(8, rest.size())));
  h1 ^= bytes.size();
  h2 ^= bytes.size();
  h1 += h2;
  h2 += h1;
  return finish(h1) + finish(h2);
}

BloomFilter::BloomFilter(std::int32_t error_percent, std::int32_t expected) noexcept {
  const double rate = error_percent / 100.0;
  hashes_ = static_cast<std::int32_t>(std::ceil(std::log2(1 / rate)));
  const auto exact =
      static_cast<std::int32_t>(std::ceil(expected * std::log2(1 / rate) * std::numbers::log2e));
  bits_ = (exact + 7) / 8 * 8;
}

format::BloomBits BloomFilter::bits_of(std::string_view name) const {
  const std::uint64_t hash = murmur3_64(name);
  const auto low = static_cast<std::uint32_t>(hash);
  const auto high = static_cast<std::uint32_t>(hash >> 32);
  format::BloomBits out{.bits = bits_, .positions = {}};
  for (std::uint32_t i = 1; i <= static_cast<std::uint32_t>(hashes_); ++i) {
    auto combined = static_cast<std::int32_t>(low + i * high);
    if (combined < 0) combined = ~combined;
    out.positions.push_back(combined % bits_);
  }
  return out;
}

}  // namespace mq::broker

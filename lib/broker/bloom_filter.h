// The Bloom filter whose bits the reference keeps with each SQL subscription (semantics.md 8.5).
// mqd never decides by it; it writes the bits so that a stock broker takes the file.
#pragma once

#include <cstdint>
#include <string_view>

#include "format/consumer_filters.h"

namespace mq::broker {

// The first 64 of the 128 bits of MurmurHash3 x64 with seed 0.
[[nodiscard]] std::uint64_t murmur3_64(std::string_view bytes) noexcept;

class BloomFilter {
 public:
  // An error rate of `error_percent` for `expected` names. 1 <= error_percent < 100, expected >= 1.
  BloomFilter(std::int32_t error_percent, std::int32_t expected) noexcept;

  [[nodiscard]] std::int32_t bits() const noexcept { return bits_; }
  [[nodiscard]] format::BloomBits bits_of(std::string_view name) const;
  // Made by a filter of this shape?
  [[nodiscard]] bool fits(const format::BloomBits& made) const noexcept {
    return made.bits == bits_ && made.positions.size() == static_cast<std::size_t>(hashes_);
  }

 private:
  std::int32_t hashes_;
  std::int32_t bits_;
};

}  // namespace mq::broker

// Ids and positions as types of their own, so that one is never taken for another. Convert by hand,
// through value().
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace mq {

// A position: offset + count is a position, offset - offset a count.
template <typename Tag>
class Offset {
 public:
  constexpr Offset() = default;
  constexpr explicit Offset(std::int64_t value) noexcept : value_(value) {}
  [[nodiscard]] constexpr std::int64_t value() const noexcept { return value_; }
  friend constexpr auto operator<=>(Offset, Offset) = default;  // NOLINT(modernize-use-nullptr)
  friend constexpr Offset operator+(Offset a, std::int64_t count) noexcept {
    return Offset(a.value_ + count);
  }
  friend constexpr Offset operator-(Offset a, std::int64_t count) noexcept {
    return Offset(a.value_ - count);
  }
  friend constexpr std::int64_t operator-(Offset a, Offset b) noexcept {
    return a.value_ - b.value_;
  }
  constexpr Offset& operator+=(std::int64_t count) noexcept { return value_ += count, *this; }

 private:
  std::int64_t value_ = 0;
};

using PhysicalOffset = Offset<struct PhysicalTag>;  // byte position in the endless commit log
using QueueOffset = Offset<struct QueueTag>;        // entry number in one queue of one topic
using QueueId = std::int32_t;                       // number of a queue within its topic

}  // namespace mq

template <typename Tag>
struct std::hash<mq::Offset<Tag>> {
  std::size_t operator()(mq::Offset<Tag> offset) const noexcept {
    return std::hash<std::int64_t>{}(offset.value());
  }
};

// Durations in microseconds, counted in buckets of at most 3 % width: fixed memory whatever the
// number, and exact enough for percentiles.
#pragma once

#include <array>
#include <cstdint>

namespace mq::cli {

class Histogram {
 public:
  void add(std::int64_t us, std::int64_t count = 1) noexcept;  // below 0 counts as 0
  void merge(const Histogram& other) noexcept;

  [[nodiscard]] std::int64_t count() const noexcept { return count_; }
  [[nodiscard]] std::int64_t max() const noexcept { return max_; }  // exact
  // The upper edge of the bucket that holds the quantile, not above max(); 0 when empty.
  [[nodiscard]] std::int64_t quantile(double q) const noexcept;

 private:
  static constexpr int kSubBits = 5;
  static constexpr std::size_t kSub = 1 << kSubBits;
  static constexpr std::size_t kBuckets = kSub * (64 - kSubBits);
  static std::size_t bucket_of(std::uint64_t us) noexcept;
  static std::uint64_t upper_edge(std::size_t bucket) noexcept;

  std::array<std::int64_t, kBuckets> buckets_{};
  std::int64_t count_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace mq::cli

#include "cli/histogram.h"

#include <algorithm>
#include <bit>

namespace mq::cli {

// Values below 2^(kSubBits+1) have buckets of their own; above, each power of two is cut in kSub.
std::size_t Histogram::bucket_of(std::uint64_t us) noexcept {
  if (us < kSub) return us;
  const int shift = static_cast<int>(std::bit_width(us)) - kSubBits - 1;
  const std::size_t within = (us >> shift) - kSub;
  return std::min(kBuckets - 1, (static_cast<std::size_t>(shift) + 1) * kSub + within);
}

std::uint64_t Histogram::upper_edge(std::size_t bucket) noexcept {
  if (bucket < kSub) return bucket;
  const std::size_t shift = bucket / kSub - 1;
  return ((bucket % kSub + kSub + 1) << shift) - 1;
}

void Histogram::add(std::int64_t us, std::int64_t count) noexcept {
  us = std::max<std::int64_t>(0, us);
  buckets_[bucket_of(static_cast<std::uint64_t>(us))] += count;
  count_ += count;
  max_ = std::max(max_, us);
}

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::int64_t Histogram::quantile(double q) const noexcept {
  if (count_ == 0) return 0;
  const auto rank = static_cast<std::int64_t>(q * static_cast<double>(count_ - 1));
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen > rank) return std::min(max_, static_cast<std::int64_t>(upper_edge(i)));
  }
  return max_;
}

}  // namespace mq::cli

// How long something took, in the terms in which R(28) reports it.
//
// Adding is wait-free, for any thread. The longest and the distribution are those since the start;
// percentiles are of the last one to two minutes, so that an old hiccup does not hide how it is
// now.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/mutex.h"

namespace mq::broker {

class Durations {
 public:
  void add(std::int64_t us) noexcept;
  // Once a second or so, by one thread.
  void sample(std::int64_t now_ms);

  [[nodiscard]] std::int64_t longest_ms() const noexcept;
  // "[<=0ms]:7 [0~10ms]:1 ...": each is followed by how many took so long, in whole milliseconds.
  [[nodiscard]] std::string distribution() const;
  // In milliseconds, at most an eighth too long; 0 when there was nothing. `q` from 0 to 1.
  [[nodiscard]] double quantile_ms(double q) const;

 private:
  // Eight steps for each doubling, to a day and more.
  static constexpr std::size_t kSteps = 8;
  static constexpr std::size_t kBuckets = kSteps * 35;
  static std::size_t bucket_of(std::uint64_t us) noexcept;
  static std::uint64_t longest_in(std::size_t bucket) noexcept;
  using Counts = std::array<std::int64_t, kBuckets>;

  std::array<std::atomic<std::int64_t>, kBuckets> counts_{};
  std::array<std::atomic<std::int64_t>, 13> spans_{};
  std::atomic<std::int64_t> longest_us_{0};
  mutable Mutex mu_;
  Counts before_ MQ_GUARDED_BY(mu_){}, lately_ MQ_GUARDED_BY(mu_){};
  std::int64_t marked_ms_ MQ_GUARDED_BY(mu_) = 0;
};

}  // namespace mq::broker

// A clock that stands still until a test moves it. Any thread.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace mq::test {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t now_ms = 1'700'000'000'000) : now_ms_(now_ms) {}
  [[nodiscard]] std::int64_t now_ms() const noexcept override { return now_ms_.load(); }
  [[nodiscard]] std::int64_t monotonic_us() const noexcept override { return monotonic_us_.load(); }
  void advance_ms(std::int64_t ms) noexcept;
  // Leaves the monotonic clock alone.
  void set_wall_ms(std::int64_t ms) noexcept { now_ms_.store(ms); }

 private:
  std::atomic<std::int64_t> now_ms_;
  std::atomic<std::int64_t> monotonic_us_{0};
};

}  // namespace mq::test

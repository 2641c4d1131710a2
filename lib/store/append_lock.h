// The lock of the append path: spins a moment, then sleeps. Knows since when it is held, for the
// limit on how long a put may be kept waiting (osPageCacheBusyTimeOutMills).
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/mutex.h"

namespace mq::store {

class MQ_CAPABILITY("mutex") AppendLock {
 public:
  explicit AppendLock(Clock& clock) noexcept : clock_(clock) {}
  // Returns how long the caller slept for it, us.
  std::int64_t lock() noexcept MQ_ACQUIRE() {
    std::uint32_t free = 0;
    if (state_.compare_exchange_strong(free, 1, std::memory_order_acquire)) [[likely]] {
      return 0;
    }
    return lock_contended();
  }
  void unlock() noexcept MQ_RELEASE() {
    held_since_ms_.store(0, std::memory_order_relaxed);
    if (state_.exchange(0, std::memory_order_seq_cst) == 2) [[unlikely]]
      state_.notify_one();
  }
  // The holder says when it came; it has read the clock anyway.
  void set_held_since_ms(std::int64_t now_ms) noexcept {
    held_since_ms_.store(now_ms, std::memory_order_relaxed);
  }
  [[nodiscard]] std::int64_t held_since_ms() const noexcept {
    return held_since_ms_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::int64_t wait_max_us() const noexcept {
    return wait_max_us_.load(std::memory_order_relaxed);
  }

 private:
  std::int64_t lock_contended() noexcept;

  Clock& clock_;
  std::atomic<std::uint32_t> state_{0};  // 0 free, 1 held, 2 held and somebody sleeps
  std::atomic<std::int64_t> held_since_ms_{0};
  std::atomic<std::int64_t> wait_max_us_{0};
};

class MQ_SCOPED_CAPABILITY AppendGuard {
 public:
  explicit AppendGuard(AppendLock& lock) noexcept MQ_ACQUIRE(lock)
      : lock_(lock), waited_us_(lock_.lock()) {}
  ~AppendGuard() MQ_RELEASE() { lock_.unlock(); }
  AppendGuard(const AppendGuard&) = delete;
  AppendGuard& operator=(const AppendGuard&) = delete;

  [[nodiscard]] std::int64_t waited_us() const noexcept { return waited_us_; }

 private:
  AppendLock& lock_;
  const std::int64_t waited_us_;
};

}  // namespace mq::store

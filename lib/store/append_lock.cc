#include "store/append_lock.h"

#include <algorithm>

namespace mq::store {
namespace {

constexpr int kSpins = 200;  // a copy of a small record is over sooner than a sleep and a wake-up

void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

std::int64_t AppendLock::lock_contended() noexcept {
  for (int spin = 0; spin < kSpins; ++spin) {
    pause();
    std::uint32_t free = 0;
    if (state_.load(std::memory_order_relaxed) == 0 &&
        state_.compare_exchange_strong(free, 1, std::memory_order_acquire)) {
      return 0;
    }
  }
  const std::int64_t begin_us = clock_.monotonic_us();
  // Taken as 2: whoever slept cannot know whether others still do.
  while (state_.exchange(2, std::memory_order_acquire) != 0) {
    state_.wait(2, std::memory_order_relaxed);
  }
  const std::int64_t waited_us = clock_.monotonic_us() - begin_us;
  // Written by the holder alone.
  wait_max_us_.store(std::max(wait_max_us(), waited_us), std::memory_order_relaxed);
  return waited_us;
}

}  // namespace mq::store

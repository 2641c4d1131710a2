#include "timer_thread.h"

#include <algorithm>
#include <chrono>

#include "base/thread.h"

namespace mq::mqd {
namespace {

// Due times are of the wall clock, and that may be set meanwhile: nobody sleeps longer than this.
constexpr std::int64_t kSleepMaxMs = 1000;

}  // namespace

void TimerThread::start() {
  thread_ = start_thread("timer", [this](const std::stop_token& stop) { run(stop); });
}

void TimerThread::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  wake();
  thread_.join();
}

void TimerThread::wake() noexcept {
  if (woken_.exchange(true, std::memory_order_acq_rel)) return;
  const MutexLock lock(mu_);
  cv_.notify_one();
}

void TimerThread::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    woken_.store(false, std::memory_order_release);
    std::int64_t due_ms = INT64_MAX;
    for (const Turn& turn : turns_) due_ms = std::min(due_ms, turn(clock_.now_ms()));
    wait_until(due_ms, stop);
  }
}

void TimerThread::wait_until(std::int64_t due_ms, const std::stop_token& stop) {
  const std::int64_t now_ms = clock_.now_ms();
  if (due_ms <= now_ms) return;
  const std::int64_t wait_ms = std::min(due_ms - now_ms, kSleepMaxMs);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  const MutexLock lock(mu_);
  while (!woken_.load(std::memory_order_acquire) && !stop.stop_requested()) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= left.zero()) return;
    (void)cv_.wait_for(mu_, left);
  }
}

}  // namespace mq::mqd

// Keeps room ahead of the commit log's writer: reserves blocks of the file being written in steps,
// touches their pages so that an append meets no fault, makes the next file when the current one is
// nearly full. Its own thread, `allocate`.
//
// A full disk is a state, not an end: it is named, tried again several times a second, and over
// when it works.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "store/commit_log.h"

namespace mq::store {

class LogAllocator {
 public:
  struct Options {
    fs::Fs* fs = nullptr;     // borrowed
    Clock* clock = nullptr;   // borrowed
    std::string directory;    // of the log: whose disk it is
    bool warm_files = false;  // touch a whole file at once
    bool lock_files = false;  // mlock the file being written
    // With SYNC_FLUSH: what is reserved is also written, as zeros, so that a sync behind an append
    // changes no metadata: half its time, measured.
    bool zero_ahead = false;
    // Told when such a sync fails, which is final as any other (Flusher::fail).
    std::function<void(std::string)> device_failed;
  };
  LogAllocator(CommitLog& log, const Options& options);
  ~LogAllocator();  // stop()
  LogAllocator(const LogAllocator&) = delete;
  LogAllocator& operator=(const LogAllocator&) = delete;

  void start();
  // Ends the thread and removes a next file that was made and never used.
  void stop();

  // For a put that found no room for `bytes`: waits until there may be some. False: there will be
  // none soon (the disk is full or failing: reason() says so) or the time is over.
  bool wait_for_room(std::int64_t bytes, std::int64_t timeout_ms);
  // Since when puts wait for room that the disk is slow to give, monotonic us; 0: none does.
  [[nodiscard]] std::int64_t needed_since_us() const noexcept {
    return needed_since_us_.load(std::memory_order_relaxed);
  }
  // "" unless space could not be had the last time it was tried.
  [[nodiscard]] std::string reason() const MQ_EXCLUDES(mu_);
  [[nodiscard]] bool is_stuck() const noexcept { return is_stuck_.load(std::memory_order_acquire); }

 private:
  void run(const std::stop_token& stop);
  // One look at what is missing; true if it changed something.
  Result<bool> grow();
  [[nodiscard]] std::int64_t ahead() const;
  Result<void> extend(Segment& segment, std::int64_t want);
  Result<SegmentPtr> make(PhysicalOffset start);
  void wake() MQ_EXCLUDES(mu_);

  CommitLog& log_;
  const Options options_;
  std::atomic<std::int64_t> wanted_{0};  // bytes that a waiting put needs at once
  std::atomic<std::int64_t> needed_since_us_{0};
  std::atomic<bool> is_stuck_{false};
  mutable Mutex mu_;
  CondVar wake_cv_;   // the thread sleeps here
  CondVar grown_cv_;  // puts wait here
  bool woken_ MQ_GUARDED_BY(mu_) = false;
  bool stopping_ MQ_GUARDED_BY(mu_) = false;
  std::uint64_t rounds_ MQ_GUARDED_BY(mu_) = 0;
  std::string reason_ MQ_GUARDED_BY(mu_);
  PhysicalOffset first_written_{};  // where this run began
  std::jthread thread_;
};

}  // namespace mq::store

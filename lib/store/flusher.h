// Brings the commit log to the disk: at intervals, or for everybody who waits at once (group
// commit). Its own thread, `flush`. Also writes the checkpoint, never ahead of what is on disk.
//
// A failed sync is final: nothing is retried, nothing acknowledged any more, and everybody who
// waits is told.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "format/checkpoint.h"
#include "store/commit_log.h"
#include "store/message_store.h"

namespace mq::store {

class Flusher {
 public:
  Flusher(CommitLog& log, const StoreOptions& options, std::string checkpoint_path,
          const format::Checkpoint& checkpoint);
  ~Flusher();  // stop()
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

  void start();
  // Syncs what there is, answers who waits, ends the thread.
  void stop();

  // MessageStore::when_durable.
  void when_durable(PhysicalOffset end, std::function<void(PutStatus)> done);
  // Answers those who wait for what is on disk by now, or have waited for too long. Any thread, so
  // that a disk that hangs holds up the flush thread and no answer.
  void answer_waiters();
  // Something was appended that nobody waits for, in a store where readers wait for the disk.
  void poke();
  // Syncs everything written now, on the calling thread. Errors: kIo, final.
  Result<void> sync_now();

  // The device is not to be trusted any more: refuse writes from now on.
  void fail(std::string reason);
  [[nodiscard]] bool has_failed() const noexcept { return failed_.load(std::memory_order_acquire); }
  [[nodiscard]] std::string reason() const MQ_EXCLUDES(mu_);

  // Queues (index files) are on disk as far as records of that store time.
  void set_logics_timestamp(std::int64_t ms) noexcept { logics_ms_.store(ms); }
  void set_index_timestamp(std::int64_t ms) noexcept { index_ms_.store(ms); }
  Result<void> write_checkpoint() MQ_EXCLUDES(checkpoint_mu_);

  struct Stats {
    std::int64_t syncs_total = 0, sync_max_us = 0, waiters = 0;
  };
  [[nodiscard]] Stats stats() const MQ_EXCLUDES(mu_);
  // Those of when_durable that are not answered yet, and since when the first of them waits.
  [[nodiscard]] std::int64_t waiters() const noexcept {
    return waiting_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::int64_t longest_wait_ms() const MQ_EXCLUDES(mu_);

 private:
  struct Waiter {
    PhysicalOffset end{};
    std::int64_t deadline_us = 0;
    std::function<void(PutStatus)> done;
  };
  void run(const std::stop_token& stop);
  Result<void> sync_written();
  [[nodiscard]] bool is_due(std::int64_t now_us);

  CommitLog& log_;
  const StoreOptions& options_;
  const std::string checkpoint_path_;
  Mutex checkpoint_mu_;  // one writer at a time
  std::unique_ptr<fs::File> checkpoint_file_ MQ_GUARDED_BY(checkpoint_mu_);
  format::Checkpoint written_checkpoint_ MQ_GUARDED_BY(checkpoint_mu_);
  std::atomic<std::int64_t> physic_ms_, logics_ms_, index_ms_;
  std::atomic<bool> failed_{false};
  std::atomic<std::int64_t> syncs_{0}, sync_max_us_{0};
  std::atomic<std::int64_t> waiting_{0};  // waiters_.size()
  std::int64_t last_interval_us_ = 0, last_thorough_us_ = 0, last_checkpoint_us_ = 0;

  Mutex sync_mu_;  // one sync at a time
  mutable Mutex mu_;
  CondVar cv_;
  std::deque<Waiter> waiters_ MQ_GUARDED_BY(mu_);
  bool poked_ MQ_GUARDED_BY(mu_) = false;
  std::string reason_ MQ_GUARDED_BY(mu_);
  std::jthread thread_;
};

}  // namespace mq::store

// Reads the commit log behind its writers and builds what derives from it: queue entries, index
// keys, and word to those who wait for messages (store-format.md 8).
//
// A queue or index file that cannot be written (full disk) stops it: blocked() tells, the put path
// refuses writes with the reason, and dispatch tries again by itself until it works. Nothing is
// skipped.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "format/delay_levels.h"
#include "store/consume_queue_set.h"
#include "store/index.h"
#include "store/log_source.h"
#include "store/message_store.h"

namespace mq::store {

class Dispatcher {
 public:
  struct Parts {
    const LogSource* log = nullptr;
    ConsumeQueueSet* queues = nullptr;
    IndexSet* index = nullptr;   // null: messageIndexEnable=false
    format::DelayLevels delays;  // of SCHEDULE_TOPIC_XXXX: its tag codes are due times
    // Blocks until log->readable() > the given position or so many ms are over; may return early.
    // (CommitLog::wait_readable.)
    std::function<void(PhysicalOffset, std::int64_t)> wait_readable;
    // Ends a wait_readable early.
    std::function<void()> wake;
  };
  explicit Dispatcher(Parts parts);
  ~Dispatcher();  // stop()
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  struct RecoverOptions {
    bool clean_exit = true;
    // Every record before it is known to have its queue entry (unclean: start of the file where the
    // checkpoint sends us; clean: queues.max_physical()).
    PhysicalOffset safe_from{};
    bool check_body = true;  // a record whose body does not fit its CRC is not dispatched
  };
  // After queues.load() and index.load(), with the log's end known: repairs queues and index and
  // dispatches what they lack; sets the counter of every queue. Adds to `report`. One thread,
  // before start(). Errors: kNoSpace, kIo.
  Result<void> recover(const RecoverOptions& options, RecoveryReport& report,
                       const std::function<void(int, std::string_view)>& progress = {});

  // Called on the dispatch thread for every record that got a queue entry; set before start().
  void on_arrival(std::function<void(const Arrival&)> listener);
  void start();
  // Ends the thread; what is readable then may be left undispatched (wait_caught_up() first).
  void stop();

  // Everything before it has its queue entries visible and its keys in the index.
  [[nodiscard]] PhysicalOffset dispatched() const noexcept {
    return PhysicalOffset(dispatched_.load(std::memory_order_acquire));
  }
  // Records dispatched since start(): with the count of records appended since then, the backlog.
  [[nodiscard]] std::int64_t records_total() const noexcept {
    return records_total_.load(std::memory_order_relaxed);
  }
  // Store time of the newest dispatched record, 0 if none: what checkpoint.logicsMsgTimestamp may
  // become once the queues have been flushed (take it before the flush).
  [[nodiscard]] std::int64_t timestamp_ms() const noexcept {
    return timestamp_ms_.load(std::memory_order_acquire);
  }
  // Whether dispatch stands still because a file cannot be written; the put path asks per put.
  [[nodiscard]] bool is_blocked() const noexcept {
    return is_blocked_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::string blocked_reason() const MQ_EXCLUDES(reason_mu_);  // "" while not

  // Waits until everything readable at the call is dispatched; false when the time is over.
  bool wait_caught_up(std::int64_t timeout_ms);

 private:
  class Round;
  void run(const std::stop_token& stop);

  const Parts parts_;
  std::function<void(const Arrival&)> listener_;

  std::atomic<std::int64_t> dispatched_{0};
  std::atomic<std::int64_t> records_total_{0};
  std::atomic<std::int64_t> timestamp_ms_{0};
  std::atomic<bool> is_blocked_{false};
  mutable Mutex reason_mu_;
  std::string reason_ MQ_GUARDED_BY(reason_mu_);
  std::unique_ptr<Round> round_;  // the dispatch thread's
  std::jthread thread_;
};

}  // namespace mq::store

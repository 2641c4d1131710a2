// Timed messages (store-format.md 11, semantics.md 15): takes in what is in the queue of
// rmq_sys_wheel_timer, keeps it in wheel and timer log, and delivers each message when its slot is
// over. The files are the reference's, so that a store with pending timers can be taken over either
// way.
//
// A state machine: it is handed the time, and one thread at a time uses it, but for what says
// otherwise. A message is never delivered before its time, also when the clock is set back. What
// the files say has been delivered is on disk before they say it: a crash may deliver messages
// again that were delivered just before it, and loses none. Before a slot is delivered everything
// is taken in that was in the queue when its time came, so that what was taken back in time is not
// delivered, however long the broker was down.
//
// Memory: the pages of the wheel in use (38.7 MB when all are), and a bounded part of the slot that
// is being delivered. The files are made with the first timed message.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "broker/durable_mark.h"
#include "broker/put_copy.h"
#include "broker/stats.h"
#include "broker/timer_firing.h"
#include "broker/timer_log.h"
#include "broker/timer_wheel.h"
#include "format/state_files.h"
#include "format/timer_files.h"
#include "fs/fs.h"
#include "store/message_store.h"

namespace mq::broker {

class Timer {
 public:
  // Names and defaults are the reference's (store-format.md 12).
  struct Options {
    store::MessageStore& store;  // borrowed, as fs and stats
    fs::Fs& fs;
    Stats* stats = nullptr;  // deliveries count as puts to the real topic; may be null
    std::string root;        // the store's directory
    std::int64_t log_file_bytes = 104'857'600;  // mappedFileSizeTimerLog
    std::int64_t precision_ms = 1000;           // timerPrecisionMs
    std::int64_t roll_slots = 172'800;          // timerRollWindowSlot
    std::int64_t flush_interval_ms = 1000;      // timerFlushIntervalMs
  };
  explicit Timer(Options options);

  // Reads the files and brings them in line with each other and with the queue. Errors: kCorrupt,
  // kInvalid (a file size or precision that the store was not written with), kNoSpace, kIo.
  Result<void> open(std::int64_t now_ms);

  // Delivers what is due and takes in what is new, at most `budget` messages each, and writes the
  // files when it is time. Returns when to come again: `now_ms` if there is more to do, INT64_MAX
  // if nothing waits (then a new message in the queue is the next thing to come for).
  std::int64_t step(std::int64_t now_ms, std::int64_t budget);
  // In the middle of a slot: after a stop now, what of it has been delivered is delivered again.
  [[nodiscard]] bool is_firing() const noexcept { return firing_.has_value(); }
  // Writes the files if something changed. Everything delivered must be on disk
  // (MessageStore::sync()). Errors: kNoSpace, kIo.
  Result<void> save(std::int64_t now_ms);

  // --- any thread ---

  // Messages that wait for that TIMER_OUT_MS.
  [[nodiscard]] std::int32_t count_at(std::int64_t out_ms) const { return wheel_.count(out_ms); }
  struct State {
    std::int64_t read_ms = 0;       // slots before it have been delivered
    std::int64_t pending = 0;       // messages in the wheel
    std::int64_t queue_behind = 0;  // messages not taken in yet
  };
  [[nodiscard]] State state() const MQ_EXCLUDES(mu_);
  // Pending messages by the topic that they are for.
  [[nodiscard]] format::TimerMetrics metrics() const MQ_EXCLUDES(mu_);
  // As last written.
  [[nodiscard]] format::TimerCheckpoint check() const MQ_EXCLUDES(mu_);

 private:
  // What a slot's delete markers name, and whether it was there.
  struct Deleted {
    std::string topic;
    std::int64_t markers = 0;
    bool is_found = false;
  };

  [[nodiscard]] std::string path(const char* name) const { return options_.root + "/" + name; }
  [[nodiscard]] std::int64_t tick_of(std::int64_t ms) const noexcept {
    return ms - ms % options_.precision_ms;
  }

  // timer_recovery.cc
  Result<void> load_check();
  Result<void> check_precision() const;
  Result<void> recover_log();
  void mend_slots_behind(std::int64_t end);
  [[nodiscard]] QueueOffset queue_start(std::optional<PhysicalOffset> last_record) const;
  void recount(std::int64_t now_ms);

  void set_time(std::int64_t now_ms);
  void set_limit();
  bool rewind();
  void fire(std::int64_t now_ms, std::int64_t budget);
  void begin_slot(std::int64_t slot_ms);
  void end_slot();
  [[nodiscard]] bool belongs_here(const format::Record& record, bool is_roll) const;
  CopyOutcome fire_one(const TimerFiring::Due& due, std::int64_t now_ms);
  CopyOutcome deliver(const format::Record& record, std::int64_t enqueue_ms, std::int64_t now_ms);
  CopyOutcome roll(const format::Record& record, std::int64_t write_ms, std::int64_t now_ms);
  CopyOutcome put(const format::Record& record, std::string_view topic, QueueId queue,
                  std::string_view properties);
  bool enqueue(std::int64_t now_ms, std::int64_t budget);
  bool enqueue_one(const format::Record& record, std::int64_t now_ms);
  void add_unit(const format::Record& record, std::int64_t slot_ms, std::int32_t magic,
                std::string_view topic);
  void note_done(const format::Record& record, std::string_view topic);
  void add_metric(std::string_view topic, std::int64_t count, std::int64_t now_ms) MQ_EXCLUDES(mu_);

  void flush(std::int64_t now_ms);
  Result<void> write_files(std::int64_t now_ms);
  void expire(std::int64_t now_ms);
  void publish();
  [[nodiscard]] std::int64_t next_ms(std::int64_t now_ms, bool has_more) const;

  const Options options_;
  TimerWheel wheel_;
  TimerLog log_;
  std::unique_ptr<fs::File> check_file_;

  std::int64_t read_ms_ = 0;         // slots before it have been delivered
  std::int64_t write_ms_ = 0;        // the tick that is now
  std::int64_t fire_to_ms_ = 0;      // slots before it may be delivered, once ...
  QueueOffset take_to_{};            // ... the queue is taken in up to here
  QueueOffset queue_next_{};         // not taken in yet
  std::int64_t used_slots_ = 0;      // at read_ms_ or later
  std::vector<std::int64_t> known_;  // records that have their unit although queue_next_ says not
  std::optional<TimerFiring> firing_;
  std::map<std::string, Deleted, std::less<>> deleted_;  // of the slot that is being delivered
  std::string properties_;                               // scratch
  std::int64_t now_ms_ = 0;
  std::int64_t not_before_ms_ = 0;  // a refused put is not tried again before it

  // What the files are to say once everything delivered before is on disk.
  struct Snapshot {
    std::int64_t read_ms = 0;
    QueueOffset queue_next{};
  };
  PhysicalOffset delivered_end_{};
  bool is_changed_ = false;
  bool has_failed_ = false;  // a sync failed: the files stay as they are
  Snapshot snapshot_;
  DurableMark mark_;
  DurableMark rewind_mark_;
  std::int64_t flushed_ms_ = 0;
  std::int64_t metrics_ms_ = 0;
  std::int64_t expired_ms_ = 0;

  mutable Mutex mu_;
  State state_ MQ_GUARDED_BY(mu_);
  format::TimerCheckpoint check_ MQ_GUARDED_BY(mu_);
  format::TimerMetrics metrics_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::broker

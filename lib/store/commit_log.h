// The commit log: every record of every topic in arrival order, as one run of files of one size
// (store-format.md sections 1 and 2). The only copy of the data; queues and index derive from it.
//
// Watermarks, each written by one party and never moving back while the log runs:
//
//   begin() <= flushed() <= written(), and readable() is one of the last two
//
// begin() is the start of the oldest file; written() the end of the last record, or the start of
// the next file behind a blank. Bytes below written() never change, so they are read without a
// lock. Between open() and start() written() is the end of the last file: what lies there is not
// known to be records yet.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "base/result.h"
#include "format/record.h"
#include "fs/fs.h"
#include "store/append_lock.h"
#include "store/segment_list.h"
#include "store/types.h"

namespace mq::store {

struct CommitLogOptions {
  std::string path;  // its directory
  fs::Fs* fs = nullptr;
  Clock* clock = nullptr;
  std::int64_t file_bytes = 1 << 30;
  bool readable_when_flushed = false;  // SYNC_FLUSH: consumers see only what is on disk
  std::int64_t forced_release_ms = 120'000;
};

struct SegmentInfo {
  PhysicalOffset start{};
  std::int64_t bytes = 0;
  std::int64_t mtime_ms = 0;
  std::string path;
};

// What lies from a position to the end of its segment, as far as it may be read.
struct Stretch {
  SegmentView view;               // empty when nothing is readable there
  PhysicalOffset next_segment{};  // where to go on behind a blank
};

// Why the log cannot take a record now. `reason` is "" while it can.
struct Refusal {
  PutStatus status = PutStatus::kOk;
  std::string reason;
};

// A record encoded but for what the append lock decides; pieces belong to the caller.
struct EncodedRecord {
  Bytes head;
  Bytes body;
  Bytes tail;
  [[nodiscard]] std::size_t bytes() const noexcept {
    return head.size() + body.size() + tail.size();
  }
};

// Next queue offset of one queue; read and written under the append lock alone.
struct QueueCounter;

class CommitLog {
 public:
  // Lists and maps the files of the directory (made if missing) and mends what 1.2 calls wrong: a
  // short last file is extended with zeros, a file of no length removed, foreign files passed over;
  // each with a line in `notes`. Errors: kCorrupt (a file that contradicts `file_bytes`), kIo.
  static Result<std::unique_ptr<CommitLog>> open(const CommitLogOptions& options,
                                                 std::vector<std::string>& notes);
  ~CommitLog();

  // --- reading: any thread, no waiting -----------------------------------------------------------

  [[nodiscard]] PhysicalOffset begin() const noexcept {
    return PhysicalOffset(begin_.load(std::memory_order_acquire));
  }
  [[nodiscard]] PhysicalOffset flushed() const noexcept {
    return PhysicalOffset(flushed_.load(std::memory_order_acquire));
  }
  [[nodiscard]] PhysicalOffset written() const noexcept {
    return PhysicalOffset(written_.load(std::memory_order_acquire));
  }
  // What dispatch and so consumers may see.
  [[nodiscard]] PhysicalOffset readable() const noexcept {
    return options_.readable_when_flushed ? flushed() : written();
  }
  [[nodiscard]] std::int64_t file_bytes() const noexcept { return options_.file_bytes; }

  // `bytes` bytes at `at`, all in one file and below written(). Errors: kNotFound (deleted, not
  // written yet, over the end of a file).
  [[nodiscard]] Result<SegmentView> read(PhysicalOffset at, std::int64_t bytes) const;
  // The record at `at`, sized by its own first field and checked to stand where it says (magic,
  // size, physicalOffset; not the body). Errors: kNotFound, kCorrupt.
  [[nodiscard]] Result<SegmentView> read_record(PhysicalOffset at) const;
  // Everything readable from `at` to the end of its file.
  [[nodiscard]] Stretch view_from(PhysicalOffset at) const;
  // Store time of the record at `at`, -1 when there is none.
  [[nodiscard]] std::int64_t store_time(PhysicalOffset at) const;
  // Store time of the newest record appended since start, or found by recovery; -1 when empty.
  [[nodiscard]] std::int64_t last_store_time() const noexcept {
    return last_store_time_.load(std::memory_order_relaxed);
  }
  // Records appended since start(); what the dispatcher compares its own count with.
  [[nodiscard]] std::int64_t records_total() const noexcept {
    return records_total_.load(std::memory_order_relaxed);
  }

  // Blocks until readable() > `seen`, until the time is over or until wake_readers(); tells whether
  // there is more. For one thread (dispatch). Costs an appending thread nothing while that thread
  // is not waiting.
  bool wait_readable(PhysicalOffset seen, std::int64_t timeout_ms) MQ_EXCLUDES(wait_mu_);
  // Ends a wait_readable early (stop).
  void wake_readers() MQ_EXCLUDES(wait_mu_);

  // --- retention: the janitor --------------------------------------------------------------------

  // Oldest first. Asks the file system for the times.
  [[nodiscard]] std::vector<SegmentInfo> segments() const;
  [[nodiscard]] std::size_t segment_count() const { return segments_.size(); }
  // Moves begin() to the next file and unlinks the oldest; readers keep their views. The space
  // comes back when the last of them is gone, or by force later (sweep_removed). Errors: kInvalid
  // (it is the one being written), kIo.
  Result<void> remove_oldest();
  // Call now and then: lets go of removed files that nobody reads, cuts off the others after
  // forced_release_ms. Returns how many are still held.
  std::size_t sweep_removed();

  // --- recovery: one thread, before start() ------------------------------------------------------

  // Makes [begin, end) the log: zeros what follows `end` in its file, deletes the files behind.
  // Then `end` is written() and flushed(). Returns the bytes that were cut off and not zero before.
  Result<std::int64_t> truncate(PhysicalOffset end, std::int64_t last_store_time_ms);

  // --- writing -----------------------------------------------------------------------------------

  struct Appended {
    PutStatus status = PutStatus::kOk;
    QueueOffset queue_offset{};
    PhysicalOffset at{};
    PhysicalOffset end{};
    std::int64_t store_timestamp_ms = 0;
  };
  // Appends all records or none: consecutive queue offsets from `counter` if they take one (0 each
  // otherwise), one file, one store time. Any thread. Waits for a file that is about to be ready,
  // at most `wait_ms`.
  Appended append(std::span<const EncodedRecord> records, QueueCounter& counter, bool takes_offset,
                  std::int64_t wait_ms);
  // Since when the append lock is held, in ms of the clock's wall time; 0: it is free.
  [[nodiscard]] std::int64_t lock_held_since_ms() const noexcept {
    return append_lock_.held_since_ms();
  }
  [[nodiscard]] std::int64_t lock_wait_max_us() const noexcept { return append_lock_.wait_max_us(); }
  // Runs `change` with no append under way.
  void with_appends_held(const std::function<void()>& change);

 private:
  friend class LogAllocator;
  friend class Flusher;

  explicit CommitLog(const CommitLogOptions& options)
      : options_(options), append_lock_(*options.clock) {}
  Result<void> load(std::vector<std::string>& notes);

  const CommitLogOptions options_;
  SegmentList segments_;
  SegmentGraveyard graveyard_;

  std::atomic<std::int64_t> begin_{0};
  std::atomic<std::int64_t> flushed_{0};
  std::atomic<std::int64_t> written_{0};
  std::atomic<std::int64_t> last_store_time_{-1};
  std::atomic<std::int64_t> records_total_{0};

  AppendLock append_lock_;

  Mutex wait_mu_;
  CondVar wait_cv_;
  std::atomic<bool> reader_waits_{false};
  bool wake_readers_ MQ_GUARDED_BY(wait_mu_) = false;
};

// --- walking --------------------------------------------------------------------------------------

// A piece of the log that holds no record that could be trusted.
struct DamagedRange {
  PhysicalOffset begin{};
  PhysicalOffset end{};
  std::string why;
};

struct ScanOptions {
  bool check_body = true;  // CRC of every body
};

struct ScanResult {
  PhysicalOffset end{};  // behind the last good record; the start of the next file behind a blank
  PhysicalOffset last_record{-1};
  std::int64_t last_store_time_ms = -1;
  std::int64_t records = 0;
  std::vector<DamagedRange> damaged;  // pieces passed over, with good records behind them
};

// Walks the good records in [from, to) in order. `from` is the start of a record or of a file. A
// record is good when it decodes, stands where it says and (check_body) its body has its CRC. A
// damaged one is passed over if a good one follows, in its own file or at the start of a later one;
// else it is the end. `visit` returning false ends the walk in front of that record. Any thread;
// for a running log pass readable() as `to`.
ScanResult scan(const CommitLog& log, PhysicalOffset from, PhysicalOffset to,
                const ScanOptions& options,
                const std::function<bool(const format::Record& record, Bytes bytes)>& visit);

}  // namespace mq::store

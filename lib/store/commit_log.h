// The commit log: every record of every topic in arrival order, as one run of files of one size
// (store-format.md sections 1 and 2). The only copy of the data; queues and index derive from it.
//
// Watermarks, each written by one party and never moving back while the log runs:
//
//   begin() <= flushed() <= written(), and readable() is one of the last two
//
// begin() is the start of the oldest file; written() the end of the last record, or the start of
// the next file behind a blank. Bytes below written() never change, so they are read without a
// lock. Between open() and truncate() written() is the end of the last file: what lies there is not
// known to be records yet.
//
// Growing (blocks reserved and pages present ahead of the writer, the next file) is the allocate
// thread's, syncing the flush thread's: log_allocator.h, flusher.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "base/result.h"
#include "format/record.h"
#include "fs/fs.h"
#include "store/append_lock.h"
#include "store/queue_counter.h"
#include "store/segment_list.h"
#include "store/types.h"

namespace mq::store {

struct CommitLogOptions {
  std::string path;        // its directory
  fs::Fs* fs = nullptr;    // borrowed
  Clock* clock = nullptr;  // borrowed
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

inline constexpr int kInnerBaseDigits = 19;

// A record encoded but for what the append lock decides; the pieces belong to the caller.
struct EncodedRecord {
  Bytes head;
  Bytes body;
  Bytes tail;
  // Of an inner batch: how many messages it has, and that its properties end with the number of the
  // first in kInnerBaseDigits digits.
  std::int32_t messages = 1;
  bool has_base = false;
  // Of the light queues that it is in: its properties end with its number in each, kInnerBaseDigits
  // digits, commas between.
  std::span<QueueCounter* const> light{};
  [[nodiscard]] std::size_t bytes() const noexcept {
    return head.size() + body.size() + tail.size();
  }
};

// What lies from a position to the end of its file, as far as it may be read.
struct Stretch {
  SegmentView view;               // empty: nothing readable there
  PhysicalOffset next_segment{};  // the next file there is behind it; where to go on after a blank
};

class CommitLog {
 public:
  // Lists and maps the files of the directory (made if missing) and mends what 1.2 calls wrong: a
  // file cut short is extended with zeros, one of no length removed, foreign files passed over;
  // each with a line in `notes`. Errors: kCorrupt (files that contradict file_bytes), kIo.
  static Result<std::unique_ptr<CommitLog>> open(const CommitLogOptions& options,
                                                 std::vector<std::string>& notes);

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

  // Everything readable from `at` to the end of its file; nothing where the device failed under the
  // mapping.
  [[nodiscard]] Stretch view_from(PhysicalOffset at) const { return view_between(at, readable()); }
  // The same up to what was written, whether the disk has it or not.
  [[nodiscard]] Stretch view_written_from(PhysicalOffset at) const {
    return view_between(at, written());
  }
  // Store time of the newest record; -1 in an empty log.
  [[nodiscard]] std::int64_t last_store_time() const noexcept {
    return last_store_time_.load(std::memory_order_relaxed);
  }
  // Records appended since truncate().
  [[nodiscard]] std::int64_t records_total() const noexcept {
    return records_total_.load(std::memory_order_relaxed);
  }

  // Blocks until readable() > `seen`, until the time is over or until wake_reader(); tells whether
  // there is more. For one thread (dispatch). Costs appending threads nothing but a load while that
  // thread is not waiting.
  bool wait_readable(PhysicalOffset seen, std::int64_t timeout_ms) MQ_EXCLUDES(wait_mu_);
  // Ends a wait_readable() early.
  void wake_reader() MQ_EXCLUDES(wait_mu_);

  // --- retention: the janitor --------------------------------------------------------------------

  // Oldest first. Asks the file system for the times.
  [[nodiscard]] std::vector<SegmentInfo> segments() const;
  // Moves begin() to the next file and unlinks the oldest; readers keep their views. The space
  // comes back when the last of them is gone, or by force later (sweep_removed). Errors: kInvalid
  // (it is the one being written), kIo (the name could not be removed; it is out of the log all the
  // same).
  Result<void> remove_oldest();
  // Call now and then: lets go of removed files that nobody reads, takes back the space of the
  // others after forced_release_ms. Returns how many are still held.
  std::size_t sweep_removed();
  [[nodiscard]] std::size_t segment_count() const { return segments_.size(); }

  // --- recovery: one thread, before anything is appended
  // ------------------------------------------

  // Makes [begin, end) the log: zeros what follows `end` in its file and deletes the files behind;
  // then `end` is written() and flushed(). `thoroughly` (after a crash) does not trust a look at
  // what follows. Returns how far behind `end` its file held something, as far as was looked.
  Result<std::int64_t> truncate(PhysicalOffset end, std::int64_t last_store_time_ms,
                                bool thoroughly);

  // --- writing -----------------------------------------------------------------------------------

  struct Appended {
    bool has_room = false;       // else nothing was appended
    bool device_failed = false;  // nothing either: the device failed under the mapping
    QueueOffset queue_offset{};
    PhysicalOffset at{};
    PhysicalOffset end{};
    std::int64_t store_timestamp_ms = 0;
    std::int64_t waited_us = 0;  // for the append lock
  };
  // Appends all records or none: consecutive queue offsets from the counter, or 0 for each if they
  // take none; one file, one store time. Any thread, no waiting; without room in what the allocate
  // thread has made ready nothing happens.
  Appended append(std::span<const EncodedRecord> records, QueueCounter& counter, bool takes_offset);
  // Since when the append lock is held, wall time in ms; 0: it is free.
  [[nodiscard]] std::int64_t lock_held_since_ms() const noexcept {
    return append_lock_.held_since_ms();
  }
  [[nodiscard]] std::int64_t lock_wait_max_us() const noexcept {
    return append_lock_.wait_max_us();
  }
  // Runs `change` while nothing is appended. It must not wait for anything.
  template <typename Change>
  void with_appends_held(Change&& change) {
    AppendGuard guard(append_lock_);
    change();
  }

  // --- for the allocate thread
  // --------------------------------------------------------------------

  struct Tail {
    SegmentPtr segment;         // null: the next append needs a new file at written()
    std::int64_t position = 0;  // in it
    bool has_next = false;      // the file behind it is ready
  };
  [[nodiscard]] Tail tail();
  // Hands over the file that starts where the tail ends (or at written() if there is no tail).
  void set_next(SegmentPtr segment);
  // Takes back a file that was handed over and not used yet; null if there is none.
  SegmentPtr take_next();
  // Calls `grow` (any appending thread, outside the lock) once when written() reaches `at`.
  void set_grow_mark(PhysicalOffset at) noexcept {
    grow_mark_.store(at.value(), std::memory_order_relaxed);
  }
  void on_grow(std::function<void()> grow) { grow_ = std::move(grow); }
  [[nodiscard]] std::string path_of(PhysicalOffset start) const;

  // --- for the flush thread
  // -----------------------------------------------------------------------

  struct Written {
    PhysicalOffset end{};
    std::int64_t store_time_ms = -1;  // of the last record before it
  };
  [[nodiscard]] Written written_with_time();
  [[nodiscard]] std::vector<SegmentPtr> segments_between(PhysicalOffset from,
                                                         PhysicalOffset to) const {
    return segments_.overlapping(from, to);
  }
  void set_flushed(PhysicalOffset to);

 private:
  explicit CommitLog(const CommitLogOptions& options);
  Result<void> load(std::vector<std::string>& notes);
  Result<std::int64_t> clear_behind(Segment& segment, std::int64_t position, bool thoroughly);
  [[nodiscard]] Stretch view_between(PhysicalOffset at, PhysicalOffset end) const;
  bool roll() MQ_REQUIRES(append_lock_);
  void after_append(PhysicalOffset end);

  const CommitLogOptions options_;
  SegmentList segments_;
  SegmentGraveyard graveyard_;

  std::atomic<std::int64_t> begin_{0};
  std::atomic<std::int64_t> flushed_{0};
  alignas(64) std::atomic<std::int64_t> written_{0};
  std::atomic<std::int64_t> last_store_time_{-1};
  std::atomic<std::int64_t> records_total_{0};
  std::atomic<std::int64_t> grow_mark_{0};

  AppendLock append_lock_;
  SegmentPtr tail_ MQ_GUARDED_BY(append_lock_);
  SegmentPtr next_ MQ_GUARDED_BY(append_lock_);
  std::function<void()> grow_;  // set before the first append

  alignas(64) std::atomic<bool> reader_waits_{false};
  Mutex wait_mu_;
  CondVar wait_cv_;
  bool reader_woken_ MQ_GUARDED_BY(wait_mu_) = false;
};

// --- walking ------------------------------------------------------------------------------------

// A piece of the log that holds no record that could be trusted, with good ones behind it.
struct DamagedRange {
  PhysicalOffset begin{};
  PhysicalOffset end{};
  std::string why;
};

struct ScanOptions {
  bool check_body = true;  // CRC of every body
};

struct ScanResult {
  // Behind the last good record; the start of the next file behind a blank.
  PhysicalOffset end{};
  PhysicalOffset last_record{-1};
  std::int64_t last_store_time_ms = -1;
  std::int64_t records = 0;
  std::vector<DamagedRange> damaged;
};

// Walks the good records in [from, to) in order. `from` is the start of a record or of a file; for
// a running log `to` is readable(). A record is good when it decodes, stands where it says and
// (check_body) its body has its CRC. A damaged one is passed over if a good one follows, in its own
// file or at the start of a later one; else it is the end. `visit` (may be empty) returning false
// ends the walk in front of that record. Any thread.
ScanResult scan(const CommitLog& log, PhysicalOffset from, PhysicalOffset to,
                const ScanOptions& options,
                const std::function<bool(const format::Record& record, Bytes bytes)>& visit);

// Where the walk can go on behind the damaged record at `at`: the next good record (body checked),
// a blank, or the start of a later file; nothing when there is none before `to`.
std::optional<PhysicalOffset> find_next_good(const CommitLog& log, PhysicalOffset at,
                                             PhysicalOffset to);

}  // namespace mq::store

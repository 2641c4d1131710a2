// The engine: one store directory, byte-compatible with Apache RocketMQ 5.3 (store-format.md),
// opened by one process. Puts append to the commit log; one dispatch thread builds consume queues
// and index from it; reads go to the mapping.
//
// Watermarks, each with one writer, none ever moving back: begin <= flushed <= written, dispatched
// <= readable, where readable is written with ASYNC_FLUSH and flushed with SYNC_FLUSH (consumers
// never see what a power cut could undo).
//
// Threads: flush, dispatch, allocate, janitor are the store's own and named so. Every method may be
// called from any thread unless it says otherwise.
//
// An I/O error of a sync is final: from then on puts are refused (kServiceNotAvailable with the
// reason), waiters fail, reads go on, and nothing is retried. A full disk is not: writes resume by
// themselves when there is space again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "format/consume_queue_entry.h"
#include "format/index_file.h"
#include "fs/fs.h"
#include "store/types.h"

namespace mq::store {

enum class FlushMode : std::uint8_t { kAsync, kSync };

// Names and defaults are the reference's (store-format.md section 12) where there is one; sizes in
// bytes, times in ms.
struct StoreOptions {
  std::string root;             // storePathRootDir
  std::string commit_log_path;  // storePathCommitLog; "" = root/commitlog
  fs::Fs* fs = nullptr;         // borrowed; outlives the store
  Clock* clock = nullptr;       // borrowed; outlives the store

  std::int64_t commit_log_file_bytes = 1 << 30;  // mappedFileSizeCommitLog
  std::int64_t consume_queue_file_bytes =
      6'000'000;  // mappedFileSizeConsumeQueue, rounded up to a multiple of 20
  std::int64_t batch_queue_file_bytes =
      13'800'000;                         // mapperFileSizeBatchConsumeQueue, a multiple of 46
  std::vector<std::string> batch_topics;  // queue.type=BatchCQ, as topics.json says
  // enableLmq, enableMultiDispatch: messages have entries in the light queues that they list. A
  // store that has such queues goes on with them in any case.
  bool light_queues = false;
  format::IndexShape index_shape;                    // maxHashSlotNum, maxIndexNum
  bool index_enable = true;                          // messageIndexEnable
  std::int32_t message_bytes_max = 4 << 20;          // maxMessageSize
  FlushMode flush_mode = FlushMode::kAsync;          // flushDiskType
  std::int64_t flush_interval_ms = 500;              // flushIntervalCommitLog
  std::int32_t flush_least_pages = 4;                // flushCommitLogLeastPages
  std::int64_t flush_thorough_interval_ms = 10'000;  // flushCommitLogThoroughInterval
  std::int64_t queue_flush_interval_ms = 1000;       // flushIntervalConsumeQueue
  std::int64_t queue_flush_thorough_interval_ms = 60'000;
  // Of the log, however short the time: a start after a crash reads it from there.
  std::int64_t queue_flush_thorough_bytes = 512 << 20;
  std::int64_t sync_flush_timeout_ms = 5000;  // syncFlushTimeout
  bool check_crc_on_recover = true;
  bool warm_files = false;  // warmMapedFileEnable
  bool lock_files = false;  // mlock the file being written
  std::string message_delay_level = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";

  std::string delete_when = "04";               // hours, `;` between
  std::int64_t file_reserved_hours = 72;        // fileReservedTime
  std::int64_t clean_interval_ms = 10'000;      // cleanResourceInterval
  std::int64_t delete_files_interval_ms = 100;  // deleteCommitLogFilesInterval
  std::int32_t delete_batch_max = 10;           // deleteFileBatchMax
  std::int64_t destroy_forcibly_ms = 120'000;   // destroyMapedFileIntervalForcibly
  std::int32_t disk_used_percent_max = 75;      // diskMaxUsedSpaceRatio
  std::int32_t disk_clean_percent = 85;         // diskSpaceCleanForciblyRatio
  std::int32_t disk_warning_percent = 90;       // diskSpaceWarningLevelRatio
  bool clean_forcibly =
      false;  // cleanFileForciblyEnable; the reference says true and deletes what was acknowledged

  std::int64_t page_cache_busy_ms = 1000;       // osPageCacheBusyTimeOutMills
  std::int64_t dispatch_backlog_max = 400'000;  // records; above it every put is held back 1 ms
  std::int32_t transfer_count_memory_max = 32;  // maxTransferCountOnMessageInMemory …
  std::int64_t transfer_bytes_memory_max = 262'144;
  std::int32_t transfer_count_disk_max = 8;
  std::int64_t transfer_bytes_disk_max = 65'536;
  std::int64_t filter_bytes_max = 16'000;  // maxFilterMessageSize
  std::int32_t memory_percent_max = 40;    // accessMessageInMemoryMaxRatio
};

struct StoreStats {
  PhysicalOffset begin{}, flushed{}, written{}, dispatched{};
  std::int64_t puts_total = 0, messages_total = 0, bytes_total = 0, failed_total = 0;
  std::int64_t gets_total = 0, get_messages_total = 0, get_bytes_total = 0, get_misses_total = 0;
  std::int64_t dispatch_backlog_records = 0;
  std::int64_t backpressure_delays_total = 0;   // puts held back for dispatch
  std::int64_t append_lock_refusals_total = 0;  // puts refused as busy
  std::int64_t append_lock_wait_max_us = 0;
  std::int64_t syncs_total = 0, sync_max_us = 0;
  std::int64_t group_commit_waiters = 0;
  std::int32_t commit_log_files = 0, index_files = 0, queues = 0;
  std::int64_t earliest_timestamp_ms = -1;
  fs::DiskUsage disk;
  bool writable = true;
  std::string not_writable_reason;  // "" while writable
};

struct RecoveryReport {
  bool clean = true;  // no `abort` was found
  std::int64_t records_scanned = 0;
  std::int64_t records_dispatched = 0;
  std::int64_t bytes_truncated = 0;  // valid end to what had been written
  std::int64_t queues_repaired = 0;
  std::int64_t index_files_repaired = 0;
  std::int64_t took_us = 0;
  std::vector<std::string> notes;  // one line for each thing found and mended
};

class MessageStore {
 public:
  // Takes the lock, recovers, starts the threads; everything recovered is dispatched on return. A
  // missing directory becomes an empty store. `progress` (may be empty) is told percent and a word
  // now and then. Errors: kBusy (another process has it: says which), kCorrupt (what cannot be
  // mended: says what to do), kUnsupported (a RocksDB store), kInvalid (options), kNoSpace, kIo.
  static Result<std::unique_ptr<MessageStore>> open(
      const StoreOptions& options, std::function<void(int, std::string_view)> progress = {});
  virtual ~MessageStore() =
      default;  // close() first; without it the store is left as after a crash

  // Stops taking puts, dispatches and flushes everything, writes the checkpoint, removes `abort` if
  // all is well. Only once.
  virtual Result<void> close() = 0;

  [[nodiscard]] virtual const RecoveryReport& recovery() const noexcept = 0;

  // Appends one message, or all of a batch under one lock (contiguous, one file, consecutive queue
  // offsets). Returns as soon as it is in the log, whatever the flush mode: for durability use
  // when_durable. Never waits for a disk; may be held back 1 ms by back pressure.
  virtual PutResult put(const PutCommon& common, const PutMessage& message) = 0;
  virtual PutResult put_batch(const PutCommon& common, std::span<const PutMessage> messages) = 0;

  // Calls `done` once the log is on disk up to `end` (kOk), or after syncFlushTimeout
  // (kFlushDiskTimeout), or when the device failed (kServiceNotAvailable). At once, on the calling
  // thread, if it is already; else on a thread of the store. `done` must not block.
  virtual void when_durable(PhysicalOffset end, std::function<void(PutStatus)> done) = 0;

  // For how long puts have been held up by now, ms: one holds the append lock, or the disk gives
  // the log no room. More than osPageCacheBusyTimeOutMills means busy: further puts are refused
  // (kOsPageCacheBusy) before they wait. 0 as a rule; waits for nothing.
  [[nodiscard]] virtual std::int64_t held_up_ms() const noexcept = 0;
  // Calls of when_durable that are not answered yet, and how long the first of them has waited, ms.
  [[nodiscard]] virtual std::int64_t durable_waiters() const noexcept = 0;
  [[nodiscard]] virtual std::int64_t durable_wait_ms() const = 0;

  // Reads by queue offset: the table of store-format.md 8.6.
  virtual GetResult get(const GetRequest& request) = 0;
  // Entries of a queue as they stand in it, from `from` on: as many as there are before the end of
  // a queue file, at most out.size(); 0 at the queue's end. Fillers are among them, damaged
  // ones in their place too. Errors: kNotFound (below the oldest entry, or no such queue), kIo.
  virtual Result<std::size_t> entries(std::string_view topic, QueueId queue, QueueOffset from,
                                      std::span<format::ConsumeQueueEntry> out) = 0;
  // The record at a physical offset. Errors: kNotFound, kCorrupt.
  virtual Result<SegmentView> get_record(PhysicalOffset at) = 0;
  // The same for a record that with SYNC_FLUSH the disk may not have yet, and readers therefore do
  // not see: for what belongs to it and comes behind it in the log.
  virtual Result<SegmentView> get_written_record(PhysicalOffset at) = 0;
  // Through the index, exact keys, ascending physical offset; at most 64 (the newest). `unique`
  // looks at UNIQ_KEY, else at KEYS and UNIQ_KEY both. Only records with a key of that text: hash
  // collisions are filtered out here.
  virtual Result<std::vector<SegmentView>> query(std::string_view topic, std::string_view key,
                                                 std::int32_t count_max, std::int64_t begin_ms,
                                                 std::int64_t end_ms) = 0;

  // 0 and 0 for a queue that does not exist.
  [[nodiscard]] virtual QueueOffset min_offset(std::string_view topic, QueueId queue) = 0;
  [[nodiscard]] virtual QueueOffset max_offset(std::string_view topic, QueueId queue) = 0;
  // First entry stored at or after `timestamp_ms` (kLower), last at or before (kUpper), within
  // [min, max].
  virtual QueueOffset offset_by_time(std::string_view topic, QueueId queue,
                                     std::int64_t timestamp_ms, Boundary boundary) = 0;
  // Store time of the entry; -1 when there is none.
  virtual std::int64_t store_time(std::string_view topic, QueueId queue, QueueOffset offset) = 0;
  virtual bool is_in_memory(std::string_view topic, QueueId queue, QueueOffset offset) = 0;

  // Queues that have files or entries.
  virtual std::vector<std::pair<std::string, QueueId>> queues() = 0;
  // Its queues are queues of batches (queue.type=BatchCQ), until it is deleted. Before its first
  // message. Idempotent. Errors: kNoSpace, kIo.
  virtual Result<void> mark_batch_topic(std::string_view topic) = 0;
  // Removes the topic's queues and their numbering. Its records stay until retention takes them.
  // Idempotent.
  virtual Result<void> delete_topic(std::string_view topic) = 0;

  // Called for every dispatched record from then on; set once, before puts.
  virtual void on_arrival(std::function<void(const Arrival&)> listener) = 0;

  // Behind what is in the log, what of it may be dispatched by now, and what has been. Cheap; waits
  // for nothing.
  [[nodiscard]] virtual PhysicalOffset written() const noexcept = 0;
  [[nodiscard]] virtual PhysicalOffset readable() const noexcept = 0;
  [[nodiscard]] virtual PhysicalOffset dispatched() const noexcept = 0;
  // Waits until everything readable now is dispatched, at most that long; for tests and clean
  // stops.
  virtual bool wait_dispatched(std::int64_t timeout_ms) = 0;
  // Runs retention now (R(329)), ignoring deleteWhen; returns files deleted.
  virtual Result<std::int32_t> expire_now() = 0;
  // Takes deleteWhen, fileReservedTime, the three limits of the disk and cleanFileForciblyEnable of
  // other options from now on. Errors: kInvalid.
  virtual Result<void> set_retention(const StoreOptions& options) = 0;
  // Flushes log, queues and index now.
  virtual Result<void> sync() = 0;

  virtual StoreStats stats() = 0;
};

}  // namespace mq::store

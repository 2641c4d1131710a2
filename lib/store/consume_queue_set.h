// All consume queues of a store: consumequeue/<topic>/<queueId>/<20 digits> (store-format.md 4).
//
// An entry of queue offset q always stands at byte 20*q of its queue's stream. New entries go to a
// small tail in memory first, from where they are served at once, and are written to their files
// grouped by queue: when a tail is long, when all tails together reach their limit, and by
// write_out() and flush(). So thousands of queues cost neither a descriptor nor a system call a
// record each, and nothing is visible later than its dispatch.
//
// Threads: append() is the dispatch thread's alone; everything else may be called from any thread
// unless it says otherwise. Files are written under one lock that no reader takes.
//
// Queue files hold nothing that the log does not: after a crash, recover() says from where on the
// log must be dispatched again to have every entry.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "format/batch_queue_entry.h"
#include "format/consume_queue_entry.h"
#include "fs/fs.h"
#include "store/consume_queue.h"
#include "store/log_source.h"

namespace mq::store {

class QueueFiles;
class QueueRecovery;
class QueueTable;

class ConsumeQueueSet {
 public:
  struct Options {
    std::string root;                            // <store>/consumequeue
    std::string batch_root;                      // <store>/batchconsumequeue
    std::vector<std::string> batch_topics{};     // queue.type=BatchCQ, besides those found there
    std::int64_t file_bytes = 6'000'000;         // rounded up to a multiple of 20
    std::int64_t batch_file_bytes = 13'800'000;  // of 46
    bool light_queues = false;                   // of a store that has none yet, too
    fs::Fs* fs = nullptr;                        // borrowed
    std::int64_t tail_entries_max = 200'000;     // of all queues together; then all are written out
    int open_files_max = 512;
  };
  explicit ConsumeQueueSet(const Options& options);
  ~ConsumeQueueSet();
  ConsumeQueueSet(const ConsumeQueueSet&) = delete;
  ConsumeQueueSet& operator=(const ConsumeQueueSet&) = delete;

  // --- opening: load(), then recover(), on one thread before anything else ---

  // Reads the directory and the end of every queue. Nothing is changed. Damage is remembered, not
  // refused. Errors: kUnsupported (a RocksDB store), kIo.
  Result<void> load(bool clean_exit);
  // After load: end of the newest record that any queue knows, -1 without entries; maxPhyOfCQ of
  // 9.2 (with a clean exit the commit log need not be checked before the file that holds it).
  // Entries that the log cannot hold, i.e. that reach beyond `log_end_max` (end of the last file),
  // do not count.
  [[nodiscard]] PhysicalOffset max_physical(PhysicalOffset log_end_max);

  struct Recovered {
    PhysicalOffset dispatch_from{};  // dispatching [here, log.readable()) completes every queue
    std::int64_t queues_repaired = 0;
    std::vector<std::string> notes;
  };
  // With the log's valid range known: cuts from every queue what does not fit it (entries behind
  // the end, noise, entries of no such record), settles the min offsets. `safe_from`: every record
  // before it is known to have its entry on disk, as far as the files are whole (unclean exit:
  // where the checkpoint sends us; clean exit: max_physical()).
  Result<Recovered> recover(const LogSource& log, PhysicalOffset safe_from);

  // After load: whether there are light queues (format/light_queues.h), or may be.
  [[nodiscard]] bool has_light_queues() const noexcept {
    return options_.light_queues || has_light_;
  }

  // --- handles ---

  // Null if there is none of that name. No allocation, no lock.
  [[nodiscard]] ConsumeQueue* find(std::string_view topic, QueueId queue) const noexcept;
  // Makes it (in memory alone) if missing. The handle is valid as long as this object, also after
  // delete_topic(): the queue is then an empty one of the same name.
  ConsumeQueue& find_or_create(std::string_view topic, QueueId queue);
  // Queues that have entries or had some (max offset > 0), sorted by topic, then id.
  [[nodiscard]] std::vector<std::pair<std::string, QueueId>> list() const;
  [[nodiscard]] std::int32_t count() const noexcept;

  // --- dispatch ---

  enum class Appended : std::uint8_t {
    kNew,
    kPresent,  // was there already
    kIgnored,  // of a deleted topic's past
    kGap,      // entries before it are missing: nothing appended (see append_after_gap)
  };
  // The entry of a record; visible to readers on return. Records come in log order.
  Appended append(ConsumeQueue& queue, QueueOffset at, const format::ConsumeQueueEntry& entry);
  // The same when the log is known to hold nothing for the gap: fillers (4.3) close it.
  void append_after_gap(ConsumeQueue& queue, QueueOffset at,
                        const format::ConsumeQueueEntry& entry);
  // Whether tails have reached a limit and write_out_due() has work.
  [[nodiscard]] bool is_due() const noexcept { return due_.load(std::memory_order_relaxed); }
  // Entries in memory that are in no file yet.
  [[nodiscard]] std::int64_t pending() const noexcept {
    return pending_.load(std::memory_order_relaxed);
  }

  // The same for a queue of a topic with batches, whatever the record holds.
  Appended append(ConsumeQueue& queue, const format::BatchQueueEntry& entry);
  void append_after_gap(ConsumeQueue& queue, const format::BatchQueueEntry& entry);
  // Its queues are queues of batches from now on, and its directory says so; while it has no
  // records. Idempotent. Errors: kNoSpace, kIo.
  Result<void> mark_batch(std::string_view topic);

  // --- files ---

  // Writes all tails to their files, creating those (at full length, with their first entry).
  // Errors: kNoSpace, kIo; what is not written stays in memory and is written by the next call.
  Result<void> write_out();
  // The same for long tails alone, unless all together are too much.
  Result<void> write_out_due();
  // write_out(), then syncs files with at least `least_pages` pages not synced yet (0: all) and
  // their directories. Errors: as write_out; kIo of a sync is final for the caller.
  Result<void> flush(std::int32_t least_pages);

  // --- reads ---

  // Entries [at, at+out.size()/20) as they stand, as many as there are in at's file and before the
  // queue's max; the bytes are valid entries or fillers. Returns how many. Errors: kNotFound (below
  // the oldest file or not below max), kIo.
  Result<std::size_t> read(ConsumeQueue& queue, QueueOffset at, MutableBytes out);
  // Of a topic with batches: the entry that has the message `at`, and those behind it. Returns how
  // many. Errors: kNotFound, kIo.
  Result<std::size_t> read(ConsumeQueue& queue, QueueOffset at,
                           std::span<format::BatchQueueEntry> out);

  // --- retention and deletion (janitor's thread, admin requests) ---

  // The log begins at `log_begin` now: deletes files of which no entry is needed (never the last of
  // a queue), moves min offsets. Returns files deleted. `pause` is called between queues.
  Result<std::int32_t> expire(PhysicalOffset log_begin);
  // Removes the topic's queues with their files. Records before `log_end` will not be dispatched to
  // them any more; numbering starts at 0 again (the caller resets next_put under its append lock
  // at the same moment as it takes log_end). Idempotent.
  Result<void> delete_topic(std::string_view topic, PhysicalOffset log_end);

 private:
  friend class QueueRecovery;

  void push(ConsumeQueue& queue, const format::ConsumeQueueEntry& entry) MQ_REQUIRES(queue.mu_);
  void restart(ConsumeQueue& queue);
  Result<void> write(std::vector<ConsumeQueue*> queues) MQ_REQUIRES(file_mu_);
  // Null for a queue of any other topic.
  BatchQueue* batches_of(ConsumeQueue& queue) MQ_EXCLUDES(queue.mu_);
  Result<void> load_batches();
  [[nodiscard]] std::vector<ConsumeQueue*> batch_queues() const MQ_EXCLUDES(list_mu_);
  Result<void> recover_batches(const LogSource& log, PhysicalOffset safe_from, Recovered& out);
  Result<void> write_batches(bool with_sync);
  Result<std::int32_t> expire_batches(ConsumeQueue& queue, BatchQueue& batches,
                                      std::int64_t log_begin);
  // The entry at `at`; errors as read().
  Result<format::ConsumeQueueEntry> entry(ConsumeQueue& queue, std::int64_t at);
  // First entry in [min, max) of a record at or behind `log_begin`; fillers do not count.
  Result<std::int64_t> first_entry_from(ConsumeQueue& queue, std::int64_t log_begin);
  Result<std::int32_t> expire_queue(ConsumeQueue& queue, std::int64_t log_begin);

  const Options options_;
  std::unique_ptr<QueueTable> table_;
  std::unique_ptr<QueueFiles> files_;
  std::unique_ptr<QueueRecovery> recovery_;  // between load() and recover()
  bool clean_exit_ = false;                  // as load() was told
  bool has_light_ = false;                   // load() has seen one

  Mutex file_mu_;  // whoever creates, writes or deletes files
  Mutex sync_mu_;  // one sync pass at a time
  mutable Mutex list_mu_;
  std::vector<ConsumeQueue*> to_write_ MQ_GUARDED_BY(list_mu_);  // have entries in memory
  std::vector<ConsumeQueue*> long_ MQ_GUARDED_BY(list_mu_);      // have many
  std::vector<ConsumeQueue*> to_sync_ MQ_GUARDED_BY(list_mu_);
  std::vector<ConsumeQueue*> batch_queues_ MQ_GUARDED_BY(list_mu_);  // that have ever been such
  std::atomic<std::int64_t> pending_{0};
  std::atomic<bool> due_{false};
};

}  // namespace mq::store

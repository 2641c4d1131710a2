// One queue of one topic: where its entries are, in files and in memory. Made and changed by
// ConsumeQueueSet alone; others hold pointers to it and ask.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/mutex.h"
#include "store/batch_queue.h"
#include "store/queue_counter.h"

namespace mq::store {

// What all queues of one topic share.
struct QueueTopic {
  std::string name;
  std::int32_t index_prefix_hash = 0;  // Java hash of name + "#"; an index key goes on from there
  bool delayed = false;                // SCHEDULE_TOPIC_XXXX: tag codes are due times (4.2 rule 3)
  // queue.type=BatchCQ: its queues are in batchconsumequeue. Set before its first record.
  std::atomic<bool> batch{false};
};

class ConsumeQueue {
 public:
  ConsumeQueue(const QueueTopic& topic, QueueId id) noexcept : topic_(topic), id_(id) {}
  ConsumeQueue(const ConsumeQueue&) = delete;
  ConsumeQueue& operator=(const ConsumeQueue&) = delete;

  [[nodiscard]] const QueueTopic& topic() const noexcept { return topic_; }
  [[nodiscard]] QueueId id() const noexcept { return id_; }
  // Entries [min, max) can be read; min == max in an empty or expired queue. Any thread.
  [[nodiscard]] QueueOffset min_offset() const noexcept {
    return QueueOffset(min_.load(std::memory_order_acquire));
  }
  [[nodiscard]] QueueOffset max_offset() const noexcept {
    return QueueOffset(max_.load(std::memory_order_acquire));
  }

  // The put path's, under the append lock; written by each put, so on a cache line of its own.
  alignas(64) QueueCounter counter;

 private:
  friend class ConsumeQueueSet;
  friend class QueueFiles;
  friend class QueueRecovery;

  static constexpr std::int64_t kNoFile = -1;

  // Read by every put and by dispatch for each record; what dispatch writes begins behind them.
  alignas(64) const QueueTopic& topic_;
  const QueueId id_;
  alignas(64) std::atomic<std::int64_t> min_{0};
  std::atomic<std::int64_t> max_{0};

  Mutex mu_;
  // Entries from written_ on, not in a file yet: first `writing_`, then `tail_`.
  std::vector<std::byte> writing_ MQ_GUARDED_BY(mu_);
  std::vector<std::byte> tail_ MQ_GUARDED_BY(mu_);
  std::int64_t written_ MQ_GUARDED_BY(mu_) = 0;  // queue offset behind the last entry in a file
  std::int64_t first_file_ MQ_GUARDED_BY(mu_) = kNoFile;  // start of the oldest file, in bytes
  std::int64_t last_file_ MQ_GUARDED_BY(mu_) = kNoFile;
  std::int64_t max_physical_ MQ_GUARDED_BY(mu_) = -1;  // end of the last entry's record
  std::int64_t min_physical_ MQ_GUARDED_BY(mu_) = -1;  // a lower bound of the entry at min_
  // Records before it belong to a deleted topic of the same name.
  std::int64_t ignore_before_ MQ_GUARDED_BY(mu_) = 0;
  std::int64_t synced_ MQ_GUARDED_BY(mu_) = 0;      // queue offset behind the last synced entry
  bool has_new_file_ MQ_GUARDED_BY(mu_) = false;    // its directory is to be synced
  bool waits_for_sync_ MQ_GUARDED_BY(mu_) = false;  // in the set's list
  // Of a topic with batches: its entries, in place of all above but min_, max_, max_physical_ and
  // ignore_before_. Made with the first that comes, and kept.
  std::unique_ptr<BatchQueue> batches_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::store

// Which half messages are done with: committed or rolled back (semantics.md 16.3). Kept in memory
// from the first one that is not known to be done, and written down in batches to
// RMQ_SYS_TRANS_OP_HALF_TOPIC, in the reference's form: tag `d`, the half queue's offsets in
// decimal, each with a comma behind it.
//
// What is completed here counts at once. What a crash keeps from being written is found out again
// by whoever is about to ask a producer (TransactionChecks), so nothing is committed twice for it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/mutex.h"
#include "format/record.h"
#include "store/message_store.h"

namespace mq::broker {

// A set of offsets that lie close together: one bit each from `base` on.
class OffsetWindow {
 public:
  explicit OffsetWindow(std::int64_t base = 0) : base_(base) {}
  // Offsets below the base are done with, and those kSpanMax above it are of no queue: adding them
  // does nothing, they are not contained.
  static constexpr std::int64_t kSpanMax = 1LL << 32;
  void add(std::int64_t offset);
  [[nodiscard]] bool contains(std::int64_t offset) const noexcept;
  // Forgets what is below; a smaller base than the present one changes nothing.
  void drop_below(std::int64_t base);

 private:
  static constexpr std::int64_t kBits = 64;
  std::int64_t base_ = 0;
  std::vector<std::uint64_t> words_;
  std::int64_t words_base_ = 0;  // offset of the first bit of words_
};

// Any thread.
class HalfDone {
 public:
  struct Options {
    store::MessageStore& store;  // borrowed
    format::Host host;           // the broker's, as records carry it
    std::size_t batch_bytes_max = 4096;
    std::int64_t batch_interval_ms = 3000;
  };
  explicit HalfDone(Options options) : options_(options) {}

  // Everything below is done with, or asked about anew under another offset.
  void forget_below(QueueId queue, QueueOffset half);
  // Found written down; not to be written again.
  void add_known(QueueId queue, QueueOffset half);
  [[nodiscard]] bool is_done(QueueId queue, QueueOffset half) const;

  // One more is done with. Written together with others: when batch_bytes_max have come together
  // (then by the caller), or by step().
  void complete(QueueId queue, QueueOffset half, std::int64_t now_ms);
  // Writes what has waited for the interval. Returns when to come again, INT64_MAX if nothing
  // waits.
  std::int64_t step(std::int64_t now_ms);
  // Writes all that waits; false when the store takes nothing now (it waits on, then).
  bool flush(std::int64_t now_ms);

 private:
  struct Queue {
    OffsetWindow done;
    std::vector<std::int64_t> waiting;  // done, not written down yet
    std::size_t waiting_bytes = 0;
    std::int64_t written_ms = 0;  // the last time, or when the first one came
  };
  // Takes one batch out and writes it; puts it back when the store refuses.
  bool write_batch(QueueId id, std::int64_t now_ms) MQ_EXCLUDES(mu_);
  [[nodiscard]] bool put(QueueId id, const std::string& body, std::int64_t now_ms) const;

  const Options options_;
  mutable Mutex mu_;
  std::map<QueueId, Queue> queues_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::broker

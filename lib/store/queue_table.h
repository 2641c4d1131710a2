// Topic and queue id to queue. Looking up takes no lock and allocates nothing; queues are only ever
// added.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "store/consume_queue.h"

namespace mq::store {

class QueueTable {
 public:
  QueueTable();
  ~QueueTable();
  QueueTable(const QueueTable&) = delete;
  QueueTable& operator=(const QueueTable&) = delete;

  [[nodiscard]] ConsumeQueue* find(std::string_view topic, QueueId id) const noexcept;
  ConsumeQueue& find_or_create(std::string_view topic, QueueId id) MQ_EXCLUDES(mu_);
  [[nodiscard]] std::vector<ConsumeQueue*> all() const MQ_EXCLUDES(mu_);
  // Whether its queues are queues of batches, from now on; while it has no records.
  void set_batch(std::string_view topic, bool batch) MQ_EXCLUDES(mu_);

 private:
  struct Slots;
  void insert(Slots& slots, std::uint64_t hash, ConsumeQueue* queue) noexcept;
  QueueTopic& topic_of(std::string_view name) MQ_REQUIRES(mu_);

  std::atomic<Slots*> slots_;
  mutable Mutex mu_;
  // Grown tables stay until the end: a reader may still look at them. Together they are no larger
  // than the current one.
  std::vector<std::unique_ptr<Slots>> tables_ MQ_GUARDED_BY(mu_);
  std::vector<std::unique_ptr<ConsumeQueue>> queues_ MQ_GUARDED_BY(mu_);
  std::map<std::string, std::unique_ptr<QueueTopic>, std::less<>> topics_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::store

// The part of ConsumeQueueSet that is about topics with queues of batches.
#include <algorithm>

#include <fmt/format.h>

#include "format/light_queues.h"
#include "store/consume_queue_set.h"
#include "store/queue_files.h"
#include "store/queue_recovery.h"
#include "store/queue_table.h"

namespace mq::store {
namespace {

using format::BatchQueueEntry;

constexpr std::size_t kLongTail = 1024;  // entries in memory that are worth writing

}  // namespace

BatchQueue* ConsumeQueueSet::batches_of(ConsumeQueue& queue) {
  if (!queue.topic().batch.load(std::memory_order_acquire)) return nullptr;
  const MutexLock lock(queue.mu_);
  if (queue.batches_ == nullptr) {
    queue.batches_ = std::make_unique<BatchQueue>(
        *options_.fs, fmt::format("{}/{}/{}", options_.batch_root, queue.topic().name, queue.id()),
        whole_entries(options_.batch_file_bytes, BatchQueueEntry::kEncodedBytes));
    const MutexLock list(list_mu_);
    batch_queues_.push_back(&queue);
  }
  return queue.batches_.get();
}

std::vector<ConsumeQueue*> ConsumeQueueSet::batch_queues() const {
  const MutexLock lock(list_mu_);
  return batch_queues_;
}

Result<void> ConsumeQueueSet::mark_batch(std::string_view topic) {
  MQ_CHECK(options_.fs->make_directories(fmt::format("{}/{}", options_.batch_root, topic)));
  table_->set_batch(topic, true);
  return {};
}

Result<void> ConsumeQueueSet::load_batches() {
  fs::Fs& fs = *options_.fs;
  for (const std::string& topic : options_.batch_topics) table_->set_batch(topic, true);
  const auto topics = fs.list(options_.batch_root);
  if (!topics) return {};
  for (const std::string& topic : *topics) {
    const auto queues = fs.list(options_.batch_root + "/" + topic);
    if (!queues) continue;  // a plain file
    table_->set_batch(topic, true);
    for (const std::string& name : *queues) {
      if (const auto id = parse_queue_id(name))
        MQ_CHECK(batches_of(table_->find_or_create(topic, *id))->load());
    }
  }
  return {};
}

Result<void> ConsumeQueueSet::recover_batches(const LogSource& log, PhysicalOffset safe_from,
                                              Recovered& out) {
  const std::int64_t limit = clean_exit_ ? log.readable().value() : safe_from.value();
  for (ConsumeQueue* queue : batch_queues()) {
    BatchQueue* const batches = batches_of(*queue);
    if (batches == nullptr) continue;
    MQ_TRY(const bool damaged, batches->cut(limit, [&](const BatchQueueEntry& e) {
      if (e.commitlog_offset < log.begin()) return true;  // deleted with its file
      const auto record = record_of(e.commitlog_offset, e.record_bytes, log);
      return record && format::number_in(*record, queue->topic().name, queue->id());
    }));
    MQ_TRY(const BatchQueue::Ends ends, batches->ends());
    std::int64_t min = ends.first;
    MQ_CHECK(batches->expire(log.begin().value(), min));
    queue->min_.store(min, std::memory_order_release);
    queue->max_.store(ends.next, std::memory_order_release);
    {
      const MutexLock lock(queue->mu_);
      queue->max_physical_ = ends.max_physical;
    }
    if (!damaged) continue;
    ++out.queues_repaired;
    out.notes.push_back(
        fmt::format("queue {}/{}: entries that no record bears out; cut at {} and completed from "
                    "the commit log",
                    queue->topic().name, queue->id(), ends.next));
    out.dispatch_from = std::max(
        log.begin(),
        std::min(out.dispatch_from, PhysicalOffset(std::max<std::int64_t>(0, ends.max_physical))));
  }
  return {};
}

ConsumeQueueSet::Appended ConsumeQueueSet::append(ConsumeQueue& queue,
                                                  const BatchQueueEntry& entry) {
  bool is_restart = false;
  {
    const MutexLock lock(queue.mu_);
    if (entry.commitlog_offset.value() < queue.ignore_before_) return Appended::kIgnored;
    const std::int64_t max = queue.max_.load(std::memory_order_relaxed);
    if (entry.base.value() > max) return Appended::kGap;
    if (entry.base.value() < max) {
      // As in append() of a plain queue.
      is_restart = entry.base.value() == 0 && entry.commitlog_offset.value() >= queue.max_physical_;
      if (!is_restart) return Appended::kPresent;
    }
  }
  if (is_restart) restart(queue);
  append_after_gap(queue, entry);
  return Appended::kNew;
}

void ConsumeQueueSet::append_after_gap(ConsumeQueue& queue, const BatchQueueEntry& entry) {
  BatchQueue& batches = *batches_of(queue);
  batches.append(entry);
  const MutexLock lock(queue.mu_);
  if (queue.max_.load(std::memory_order_relaxed) == 0)
    queue.min_.store(entry.base.value(), std::memory_order_release);
  queue.max_physical_ = entry.commitlog_offset.value() + entry.record_bytes;
  queue.max_.store(entry.base.value() + entry.count, std::memory_order_release);
  if (batches.pending() >= kLongTail) due_.store(true, std::memory_order_relaxed);
}

Result<void> ConsumeQueueSet::write_batches(bool with_sync) {
  for (ConsumeQueue* queue : batch_queues()) {
    BatchQueue* const batches = batches_of(*queue);
    if (batches == nullptr) continue;
    MQ_CHECK(with_sync ? batches->sync() : batches->write_out());
  }
  return {};
}

Result<std::size_t> ConsumeQueueSet::read(ConsumeQueue& queue, QueueOffset at,
                                          std::span<BatchQueueEntry> out) {
  BatchQueue* const batches = batches_of(queue);
  if (batches == nullptr || at < queue.min_offset() || at >= queue.max_offset())
    return Error{Errc::kNotFound};
  MQ_TRY(const std::size_t got, batches->read(at.value(), out));
  if (got == 0) return Error{Errc::kNotFound};
  return got;
}

Result<std::int32_t> ConsumeQueueSet::expire_batches(ConsumeQueue& queue, BatchQueue& batches,
                                                     std::int64_t log_begin) {
  std::int64_t min = queue.min_offset().value();
  MQ_TRY(const std::int32_t deleted, batches.expire(log_begin, min));
  queue.min_.store(min, std::memory_order_release);
  return deleted;
}

}  // namespace mq::store

#include "inspect/reach.h"

#include <algorithm>

#include "inspect/log_reader.h"

namespace mq::inspect {

namespace {

// Entries whose record went with an old file are in the queue's files, but not in the queue.
Result<void> leave_out_deleted(fs::Fs& fs, const QueueDirectory& queue, PhysicalOffset log_begin,
                               QueueBounds& bounds) {
  if (bounds.min == bounds.max || bounds.first_at >= log_begin.value()) return {};
  std::int64_t low = bounds.min;
  std::int64_t high = bounds.max;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const auto at = read_queue_entry(fs, queue, middle);
    if (!at && at.error().code() == Errc::kIo) return Error(at.error());
    if (at && at->entry.commitlog_offset >= log_begin) {
      bounds.first_at = at->entry.commitlog_offset.value();
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  bounds.min = low;
  return {};
}

}  // namespace

Result<Reach> Reach::read(fs::Fs& fs, const std::string& store) {
  Reach out;
  MQ_TRY(const auto queues, list_queues(fs, store));
  MQ_TRY(const auto log, LogReader::open(fs, store));
  for (const QueueDirectory& queue : queues) {
    MQ_TRY(QueueBounds bounds, queue_bounds(fs, queue));
    MQ_CHECK(leave_out_deleted(fs, queue, log->begin(), bounds));
    out.topics_[queue.topic][queue.queue] = bounds;
    out.dispatched_ = std::max(out.dispatched_, PhysicalOffset(bounds.last_end));
  }
  if (const auto names = fs.list(store + "/batchconsumequeue"))
    out.batch_topics_.insert(names->begin(), names->end());
  return out;
}

const QueueBounds* Reach::bounds(std::string_view topic, std::int32_t queue) const {
  const auto queues = topics_.find(topic);
  if (queues == topics_.end()) return nullptr;
  const auto found = queues->second.find(queue);
  return found == queues->second.end() ? nullptr : &found->second;
}

SpaceKind Reach::kind_of(const format::Record& record) const {
  if (!format::has_queue_entry(record.transaction_type())) return SpaceKind::kDead;
  if (batch_topics_.contains(record.topic)) return SpaceKind::kLive;
  const QueueBounds* queue = bounds(record.topic, record.queue_id);
  const std::int64_t offset = record.queue_offset.value();
  if (queue != nullptr && offset >= queue->max) return SpaceKind::kWaiting;
  // Records before the first entry's are of the queue as it was before its topic was deleted.
  if (queue != nullptr && queue->max > queue->min)
    return offset >= queue->min && record.physical_offset.value() >= queue->first_at
               ? SpaceKind::kLive
               : SpaceKind::kDead;
  return record.physical_offset >= dispatched_ ? SpaceKind::kWaiting : SpaceKind::kDead;
}

}  // namespace mq::inspect

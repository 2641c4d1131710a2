// Consume queues whose first files, or all, are missing although the log has their records.
#include <algorithm>
#include <map>
#include <utility>

#include "format/light_queues.h"
#include "format/record.h"
#include "store/queue_recovery.h"

namespace mq::store {

// 0 when there is nothing to suspect.
PhysicalOffset QueueRecovery::suspected_before(const Found& found, const LogSource& log) const {
  if (found.is_bare()) return log.readable();
  const std::int64_t at = found.first_file / kEntryBytes;
  if (at == 0 || at >= found.end) return PhysicalOffset(0);
  const auto first = entry(found, at);
  return first && !first->is_filler() ? first->commitlog_offset : PhysicalOffset(0);
}

// Retention takes the first file of a queue only when the log has none of its records any more. So
// a queue that does not begin at 0, and whose first entry is of a record that does not stand at the
// log's beginning, is asked after: is there a record of it before that one? Rare in a sound store.
// So is a directory of a queue without files.
void QueueRecovery::find_lost_fronts(const LogSource& log) {
  struct Asked {
    Found* found = nullptr;
    PhysicalOffset before{};
  };
  std::map<std::pair<std::string_view, QueueId>, Asked> asked;
  PhysicalOffset until{};
  bool asks_light = false;
  for (Found& found : found_) {
    const PhysicalOffset before = suspected_before(found, log);
    if (before <= log.begin()) continue;
    asked[{found.queue->topic().name, found.queue->id()}] = {&found, before};
    until = std::max(until, before);
    asks_light |= format::is_light(found.queue->topic().name);
  }
  const auto has_entry_in = [&asked](std::string_view topic, QueueId queue, PhysicalOffset record) {
    const auto found = asked.find({topic, queue});
    if (found == asked.end() || record >= found->second.before) return;
    found->second.found->lacks_front = true;
    asked.erase(found);
  };
  PhysicalOffset at = log.begin();
  while (!asked.empty() && at < std::min(until, log.readable())) {
    const SegmentView view = log.view_from(at);
    if (format::record_kind(view.bytes) == format::RecordKind::kBlank) {
      at = log.next_file(at);
      continue;
    }
    const auto record = format::decode_record(view.bytes, format::CheckBody::kNo);
    if (!record || record->physical_offset != at) {
      const PhysicalOffset next = log.next_good(at);
      if (next <= at) return;
      at = next;
      continue;
    }
    if (format::has_queue_entry(record->transaction_type())) {
      has_entry_in(record->topic, record->queue_id, at);
      if (asks_light) {
        format::for_each_light_queue(*record, [&](std::string_view name, std::int64_t) {
          has_entry_in(name, format::kLightQueueId, at);
        });
      }
    }
    at += record->total_bytes;
  }
}

}  // namespace mq::store

#include "broker/pop_recovery.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "format/names.h"
#include "format/pop_records.h"
#include "format/properties.h"
#include "format/record.h"

namespace mq::broker {
namespace {

// A checkpoint is put just before its offset is committed.
constexpr std::int64_t kMarginMs = 1000;
constexpr std::int32_t kReadCount = 32;
constexpr std::int64_t kPopMax = 32;  // messages of one pop

using Ends = std::map<std::tuple<std::string, std::string, std::int32_t>, std::int64_t>;

void take(const format::Record& record, std::string_view revive_topic, Ends& ends) {
  const auto tag = format::find_property(record.properties, format::kTags);
  const bool is_ack = tag == format::kAckTag || tag == format::kBatchAckTag;
  if (!is_ack && tag != format::kCheckpointTag) return;
  if (record.topic != revive_topic &&
      format::find_property(record.properties, format::kRealTopic) != revive_topic) {
    return;
  }
  const auto note = [&](const format::PopId& id, std::int64_t to) {
    std::int64_t& end = ends[{id.group, id.topic, id.queue}];
    end = std::max(end, to);
  };
  if (is_ack) {
    // A group in order goes on behind the last of a pop at most; whatever else a client says of its
    // own pop is not believed.
    const auto ack = format::parse_pop_ack(as_text(record.body));
    if (ack && !ack->offsets.empty() && ack->id.start <= ack->offsets.back() + kPopMax)
      note(ack->id, ack->id.start);
  } else if (const auto checkpoint = format::parse_pop_checkpoint(as_text(record.body))) {
    note(checkpoint->id, checkpoint->end());
  }
}

void scan(store::MessageStore& store, std::string_view topic, QueueId queue, std::int64_t since_ms,
          std::string_view revive_topic, Ends& ends) {
  const QueueOffset max = store.max_offset(topic, queue);
  QueueOffset at = store.offset_by_time(topic, queue, since_ms, store::Boundary::kLower);
  while (at < max) {
    const auto got =
        store.get({.topic = topic, .queue_id = queue, .offset = at, .count_max = kReadCount});
    for (const auto& span : got.spans) {
      Bytes bytes = span.bytes;
      while (!bytes.empty()) {
        const auto record = format::decode_record(bytes, format::CheckBody::kNo);
        if (!record) break;
        take(*record, revive_topic, ends);
        bytes = bytes.subspan(static_cast<std::size_t>(record->total_bytes));
      }
    }
    if (got.next <= at) return;
    at = got.next;
  }
}

}  // namespace

std::int64_t restore_pop_offsets(store::MessageStore& store, ConsumerOffsets& offsets,
                                 GroupConfigs& groups, PopOrders& orders,
                                 std::string_view revive_topic) {
  const std::int64_t since_ms =
      std::max(offsets.all().version.timestamp_ms - kMarginMs, std::int64_t{0});
  Ends ends;
  for (const auto& [topic, queue] : store.queues()) {
    const bool is_timer = topic == format::kTimerTopic && queue == 0;
    if (is_timer || topic == revive_topic) scan(store, topic, queue, since_ms, revive_topic, ends);
  }
  std::int64_t moved = 0;
  for (const auto& [key, end] : ends) {
    const auto& [group, topic, queue] = key;
    // What a group without a configuration has popped would not come again.
    (void)groups.find_or_create(group);
    const auto known = offsets.find(group, topic, queue);
    // Not beyond what is there: the crash may have taken the messages themselves.
    const std::int64_t next = std::min(end, store.max_offset(topic, queue).value());
    if (known && *known >= next) continue;
    (void)offsets.commit(group, topic, queue, next);
    orders.forget_before({topic, group, queue}, next);
    ++moved;
  }
  return moved;
}

}  // namespace mq::broker

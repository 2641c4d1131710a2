// What there is in a queue: bounds, times, entries (R 29, 30, 31, 32, 202, 321).
#include <algorithm>

#include <fmt/format.h>

#include "base/json.h"
#include "format/properties.h"
#include "format/record.h"
#include "server/call.h"
#include "wire/codes.h"
#include "wire/offsets.h"
#include "wire/topic.h"
#include "wire/topic_body.h"

namespace mq::server {

void handle_queue_bound(const Call& call) {
  auto asked = wire::decode_queue_bound_request(call.request);
  if (!asked) return call.reply_error(asked.error());
  if (!call.wants_answer()) return;
  auto& store = call.p.store;
  const wire::Header header = call.header(wire::kSuccess);
  std::string& out = call.connection.out();
  switch (call.request.code) {
    case wire::kGetMaxOffset:
      return wire::append_offset_response(out, header,
                                          store.max_offset(asked->topic, asked->queue_id).value());
    case wire::kGetMinOffset:
      return wire::append_offset_response(out, header,
                                          store.min_offset(asked->topic, asked->queue_id).value());
    case wire::kSearchOffsetByTimestamp:
      return wire::append_offset_response(
          out, header,
          store
              .offset_by_time(asked->topic, asked->queue_id, asked->timestamp_ms,
                              asked->upper ? store::Boundary::kUpper : store::Boundary::kLower)
              .value());
    default:
      return wire::append_timestamp_response(
          out, header,
          store.store_time(asked->topic, asked->queue_id,
                           store.min_offset(asked->topic, asked->queue_id)));
  }
}

void handle_topic_stats(const Call& call) {
  auto asked = wire::decode_topic_request(call.request);
  if (!asked) return call.reply_error(asked.error());
  const auto topic = call.p.topics.find(asked->topic);
  if (!topic)
    return call.reply(wire::kTopicNotExist, fmt::format("topic '{}' does not exist", asked->topic));
  auto& store = call.p.store;
  wire::TopicStats stats{.queues = {}, .put_tps = call.p.stats.topic_put_rate(asked->topic)};
  for (std::int32_t q = 0; q < std::max(topic->read_queues, topic->write_queues); ++q) {
    const QueueOffset min = store.min_offset(asked->topic, q);
    const QueueOffset max = store.max_offset(asked->topic, q);
    const std::int64_t last = max > min ? store.store_time(asked->topic, q, max - 1) : 0;
    stats.queues.push_back({.topic = std::string(asked->topic),
                            .broker_name = call.p.config.name,
                            .queue_id = q,
                            .min_offset = min.value(),
                            .max_offset = max.value(),
                            .last_update_timestamp_ms = std::max<std::int64_t>(0, last)});
  }
  call.reply_body(wire::encode_topic_stats(stats));
}

void handle_query_consume_queue(const Call& call) {
  const auto& ext = call.request.ext;
  auto topic = wire::text_field(ext, "topic");
  if (!topic) return call.reply_error(topic.error());
  const auto queue = static_cast<QueueId>(wire::int64_or(ext, "queueId", 0));
  auto& store = call.p.store;
  const QueueOffset min = store.min_offset(*topic, queue);
  const QueueOffset max = store.max_offset(*topic, queue);
  const std::int64_t first = std::max(wire::int64_or(ext, "index", 0), min.value());
  const std::int64_t count = std::clamp<std::int64_t>(wire::int64_or(ext, "count", 10), 0, 1000);
  json::array rows;
  for (std::int64_t at = first; at < std::min(first + count, max.value()); ++at) {
    const auto got =
        store.get({.topic = *topic, .queue_id = queue, .offset = QueueOffset(at), .count_max = 1});
    if (got.status != store::GetStatus::kFound) continue;
    const auto record = format::decode_record(got.spans.front().bytes, format::CheckBody::kNo);
    if (!record) continue;
    // Whether a filter would take it the reference judges with a queue's extension only.
    rows.push_back(json::object{{"eval", false},
                                {"physicOffset", record->physical_offset.value()},
                                {"physicSize", record->total_bytes},
                                {"tagsCode", format::tag_code(record->properties)}});
  }
  call.reply_body(to_json(json::object{{"maxQueueIndex", max.value()},
                                       {"minQueueIndex", min.value()},
                                       {"queueData", std::move(rows)}}));
}

}  // namespace mq::server

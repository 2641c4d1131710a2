#include "broker/pop_log.h"

#include <algorithm>

#include "format/properties.h"

namespace mq::broker {

store::PutResult PopLog::put_checkpoint(const format::PopCheckpoint& checkpoint,
                                        QueueId revive_queue, std::int64_t now_ms) {
  return put(format::kCheckpointTag, format::unique_key(checkpoint),
             format::encode_pop_checkpoint(checkpoint),
             std::max(checkpoint.due_ms(), kAheadMs) - kAheadMs, revive_queue, now_ms);
}

store::PutResult PopLog::put_ack(const format::PopAck& ack, std::int64_t due_ms, bool batch,
                                 QueueId revive_queue, std::int64_t now_ms) {
  return put(batch ? format::kBatchAckTag : format::kAckTag, format::unique_key(ack, batch),
             format::encode_pop_ack(ack, batch), due_ms, revive_queue, now_ms);
}

store::PutResult PopLog::put_done(const format::PopAck& ack, QueueId revive_queue,
                                  std::int64_t now_ms) {
  return put_ack(ack, now_ms, /*batch=*/true, revive_queue, now_ms);
}

store::PutResult PopLog::put(std::string_view tag, const std::string& key, const std::string& body,
                             std::int64_t at_ms, QueueId revive_queue, std::int64_t now_ms) {
  std::string properties;
  format::append_property(properties, format::kUniqKey, key);
  format::append_property(properties, format::kTags, tag);
  const std::string at = std::to_string(at_ms);
  // Nothing but the time is asked for: a topic or group of any name is in the key.
  Asked asked;
  if (at_ms > now_ms) {
    format::append_property(properties, format::kTimerDeliverMs, at);
    asked.timer_at = at;
  }
  const auto placed = postpone(rules_, asked, topic_, revive_queue, now_ms, properties);
  if (!placed) {
    store::PutResult refused;
    refused.status = store::PutStatus::kMessageIllegal;
    refused.reason = placed.error().text();
    return refused;
  }
  return store_.put({.topic = placed->topic,
                     .queue_id = placed->queue_id,
                     .sys_flag = 0,
                     .born_timestamp_ms = now_ms,
                     .born_host = host_,
                     .store_host = host_,
                     .reconsume_times = 0,
                     .prepared_transaction_offset = {},
                     .accepted_before = true},
                    {.flag = 0, .body = as_bytes(body), .properties = properties});
}

}  // namespace mq::broker

#include "wire/message_queue.h"

#include "wire/body_json.h"

namespace mq::wire {

json::object queue_object(const MessageQueue& queue) {
  return {{"brokerName", text_value(queue.broker_name)},
          {"queueId", queue.queue_id},
          {"topic", text_value(queue.topic)}};
}
MessageQueue queue_from(const json::value& value) {
  return {.topic = string_member(value, "topic"),
          .broker_name = string_member(value, "brokerName"),
          .queue_id = int32_member(value, "queueId", 0)};
}

std::string queue_key(const MessageQueue& queue) { return to_json(queue_object(queue)); }
Result<MessageQueue> queue_from_key(std::string_view key) {
  MQ_TRY(const json::value value, parse_body(key));
  return queue_from(value);
}

json::object queue_offsets_object(const QueueOffsets& offsets) {
  json::object out;
  for (const auto& [queue, offset] : offsets) out[queue_key(queue)] = offset;
  return out;
}
Result<QueueOffsets> queue_offsets_from(const json::value& table) {
  QueueOffsets out;
  const json::object* const members = table.if_object();
  if (members == nullptr) return out;
  for (const auto& [key, offset] : *members) {
    MQ_TRY(const MessageQueue queue, queue_from_key(view_of(key)));
    out[queue] = int_or(&offset, 0);
  }
  return out;
}

}  // namespace mq::wire

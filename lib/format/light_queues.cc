#include "format/light_queues.h"

#include <algorithm>

#include "format/inner_batch.h"
#include "format/names.h"

namespace mq::format {

bool is_light_queue_name(std::string_view name) noexcept {
  constexpr std::size_t kBytesMax = 255;
  return is_light(name) && name.size() <= kBytesMax &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return c == '/' || (static_cast<unsigned char>(c) < ' '); });
}

bool may_be_in_light_queues(std::string_view topic) noexcept {
  return !topic.starts_with(kRetryPrefix) && !topic.starts_with(kSystemTopicPrefix) &&
         topic != kScheduleTopic;
}

namespace {

// Calls visit(number) for each that the record has in the queue.
template <typename Visit>
void for_each_number(const Record& record, std::string_view topic, QueueId queue, Visit&& visit) {
  if (record.queue_id == queue && record.topic == topic) return visit(record.queue_offset);
  if (queue != kLightQueueId || !is_light(topic)) return;
  for_each_light_queue(record, [&](std::string_view name, std::int64_t number) {
    if (name == topic) visit(QueueOffset(number));
  });
}

}  // namespace

bool stands_at(const Record& record, std::string_view topic, QueueId queue,
               QueueOffset number) noexcept {
  bool is_there = false;
  for_each_number(record, topic, queue, [&](QueueOffset its) { is_there |= its == number; });
  return is_there;
}

std::optional<QueueOffset> number_in(const Record& record, std::string_view topic,
                                     QueueId queue) noexcept {
  std::optional<QueueOffset> out;
  for_each_number(record, topic, queue, [&](QueueOffset its) { out = its; });
  return out;
}

Bytes as_read_from(std::string_view topic, QueueId queue, Bytes records, QueueOffset from,
                   std::string& buffer) {
  if (!is_light(topic)) return unwrap(records, from, buffer);
  buffer.assign(as_text(records));
  for (std::size_t at = 0; at < buffer.size();) {
    const auto record = decode_record(as_bytes(buffer).subspan(at), CheckBody::kNo);
    if (!record) break;  // whoever reads it says so
    if (const auto number = number_in(*record, topic, queue)) {
      auto* const bytes = reinterpret_cast<std::byte*>(buffer.data() + at);
      store_be(bytes + kQueueIdAt, queue);
      store_be(bytes + kQueueOffsetAt, number->value());
    }
    at += static_cast<std::size_t>(record->total_bytes);
  }
  return as_bytes(buffer);
}

}  // namespace mq::format

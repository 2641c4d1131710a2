#include "format/light_queues.h"

#include <algorithm>

#include "format/names.h"
#include "format/properties.h"

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
  if (queue != kLightQueueId || !is_light(topic) || !may_be_in_light_queues(record.topic)) return;
  for_each_light_queue(find_property(record.properties, kLightQueues).value_or(""),
                       find_property(record.properties, kLightOffsets).value_or(""),
                       [&](std::string_view name, std::int64_t number) {
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

}  // namespace mq::format

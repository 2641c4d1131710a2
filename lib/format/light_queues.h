// Light queues (LMQ, store-format.md 4.8): queues named %LMQ%… in which a record of any topic has
// an entry, too, because its properties list them; each with a number of its own there.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "base/ids.h"
#include "base/pieces.h"
#include "format/properties.h"
#include "format/record.h"

namespace mq::format {

inline constexpr std::string_view kLightPrefix = "%LMQ%";
inline constexpr QueueId kLightQueueId = 0;  // the only one of such a queue's directory
// The names, and the record's number in each: as many, commas between.
inline constexpr std::string_view kLightQueues = "INNER_MULTI_DISPATCH";
inline constexpr std::string_view kLightOffsets = "INNER_MULTI_QUEUE_OFFSET";

// Of topics and groups.
[[nodiscard]] inline bool is_light(std::string_view name) noexcept {
  return name.starts_with(kLightPrefix);
}
// Whether a light queue can be called so: its name is that of a directory.
[[nodiscard]] bool is_light_queue_name(std::string_view name) noexcept;
// Messages of retry topics and of the broker's own are in no light queue, whatever they list.
[[nodiscard]] bool may_be_in_light_queues(std::string_view topic) noexcept;

// Calls visit(name, number) for each that can be a queue; `queues` and `numbers` are the values of
// the two properties.
template <typename Visit>
void for_each_light_queue(std::string_view queues, std::string_view numbers, Visit&& visit) {
  for_each_piece(queues, ',', [&](std::string_view name) {
    const std::string_view digits = numbers.substr(0, numbers.find(','));
    numbers.remove_prefix(std::min(numbers.size(), digits.size() + 1));
    std::int64_t number = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool is_number = error == std::errc{} && end == digits.data() + digits.size();
    if (is_number && number >= 0 && is_light_queue_name(name)) visit(name, number);
  });
}

// The same of a record, which may be of a topic whose messages are in none.
template <typename Visit>
void for_each_light_queue(const Record& record, Visit&& visit) {
  if (!may_be_in_light_queues(record.topic)) return;
  for_each_light_queue(find_property(record.properties, kLightQueues).value_or(""),
                       find_property(record.properties, kLightOffsets).value_or(""), visit);
}

// Whether the record has the entry of that number in that queue: its own or a light one.
[[nodiscard]] bool stands_at(const Record& record, std::string_view topic, QueueId queue,
                             QueueOffset number) noexcept;
// Its number there; in a light queue that it lists twice, the last one. Nothing if it has none.
[[nodiscard]] std::optional<QueueOffset> number_in(const Record& record, std::string_view topic,
                                                   QueueId queue) noexcept;

// Records as a reader of that queue counts them, from the queue offset `from` on: in a light queue
// with their number there and its id, in any other as unwrap() has them. Returns `records` where
// nothing has to be changed, else a view of `buffer`.
[[nodiscard]] Bytes as_read_from(std::string_view topic, QueueId queue, Bytes records,
                                 QueueOffset from, std::string& buffer);

}  // namespace mq::format

// One queue of one topic on one broker, and how bodies name it: as an object
// {"brokerName":S,"queueId":I,"topic":S}, or, in maps, as a member name that is that object
// (remoting.md 11.1).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace mq::wire {

struct MessageQueue {
  std::string topic;
  std::string broker_name;
  std::int32_t queue_id = 0;
  friend auto operator<=>(const MessageQueue&, const MessageQueue&) = default;  // NOLINT
};
[[nodiscard]] json::object queue_object(const MessageQueue& queue);
[[nodiscard]] MessageQueue queue_from(const json::value& value);
// The object's text, as a member name.
[[nodiscard]] std::string queue_key(const MessageQueue& queue);
// Errors: kCorrupt.
Result<MessageQueue> queue_from_key(std::string_view key);

// R(222) answers {"offsetTable":{MQ:offset}}; R(220) and R(221) carry the like.
using QueueOffsets = std::map<MessageQueue, std::int64_t>;
[[nodiscard]] json::object queue_offsets_object(const QueueOffsets& offsets);
Result<QueueOffsets> queue_offsets_from(const json::value& table);

}  // namespace mq::wire

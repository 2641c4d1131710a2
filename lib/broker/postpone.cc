#include "broker/postpone.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "format/names.h"
#include "format/properties.h"

namespace mq::broker {
namespace {

Result<std::int64_t> number_of(std::string_view name, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    return Error{Errc::kInvalid, fmt::format("{}: '{}' is not a whole number", name, text)};
  return value;
}

void remember_target(std::string& properties, std::string_view topic, QueueId queue_id) {
  format::set_property(properties, format::kRealTopic, topic);
  format::set_property(properties, format::kRealQueueId, std::to_string(queue_id));
}

}  // namespace

Result<Postponed> postpone(const PostponeRules& rules, const Asked& asked, std::string_view topic,
                           QueueId queue_id, std::string& properties) {
  std::int64_t level = 0;
  if (!asked.delay.empty()) {
    MQ_TRY(level, number_of(format::kDelay, asked.delay));
  }
  if (level <= 0) return Postponed{topic, queue_id, false};
  if (asked.has_timer()) {
    for (const auto name : {format::kTimerDelaySec, format::kTimerDelayMs, format::kTimerDeliverMs})
      properties = format::remove_property(properties, name);
  }
  if (level > rules.levels) {
    level = rules.levels;
    format::set_property(properties, format::kDelay, std::to_string(level));
  }
  remember_target(properties, topic, queue_id);
  return Postponed{format::kScheduleTopic, static_cast<QueueId>(level - 1), true};
}

}  // namespace mq::broker

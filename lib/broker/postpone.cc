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

Postponed to_level(const PostponeRules& rules, const Asked& asked, std::int64_t level,
                   std::string_view topic, QueueId queue_id, std::string& properties) {
  if (asked.has_timer()) {
    for (const auto name : {format::kTimerDelaySec, format::kTimerDelayMs, format::kTimerDeliverMs})
      properties = format::remove_property(properties, name);
  }
  if (level > rules.levels) {
    level = rules.levels;
    format::set_property(properties, format::kDelay, std::to_string(level));
  }
  remember_target(properties, topic, queue_id);
  return {format::kScheduleTopic, static_cast<QueueId>(level - 1), true};
}

// When the message is wanted; the first of the three that is there counts.
Result<std::int64_t> wanted_ms(const PostponeRules& rules, const Asked& asked,
                               std::int64_t now_ms) {
  std::int64_t unit_ms = 1;
  std::int64_t from_ms = now_ms;
  std::string_view name = format::kTimerDelayMs;
  std::string_view text = asked.timer_ms;
  if (!asked.timer_sec.empty()) {
    unit_ms = 1000;
    name = format::kTimerDelaySec;
    text = asked.timer_sec;
  } else if (asked.timer_ms.empty()) {
    from_ms = 0;
    name = format::kTimerDeliverMs;
    text = asked.timer_at;
  }
  MQ_TRY(const std::int64_t value, number_of(name, text));
  // Compared before anything is added or multiplied: the value is the client's.
  if (value > (now_ms - from_ms + rules.delay_ms_max) / unit_ms) {
    return Error{Errc::kInvalid, fmt::format("{}={}: a message waits at most {} s", name, value,
                                             rules.delay_ms_max / 1000)};
  }
  return value <= 0 ? from_ms : from_ms + value * unit_ms;
}

// More and more refusals from the limit of a slot to twice the limit.
bool is_congested(const PostponeRules& rules, std::int64_t out_ms) {
  if (!rules.timers_at) return false;
  const std::int64_t waiting = rules.timers_at(out_ms);
  if (waiting <= rules.congested_at) return false;
  if (waiting >= 2 * rules.congested_at || !rules.chance) return true;
  return rules.chance() < static_cast<double>(waiting - rules.congested_at) /
                              static_cast<double>(rules.congested_at);
}

Result<Postponed> to_timer(const PostponeRules& rules, const Asked& asked, std::string_view topic,
                           QueueId queue_id, std::int64_t now_ms, std::string& properties) {
  if (!rules.timers)
    return Error{Errc::kUnsupported, "timed messages are off here (timerWheelEnable=false)"};
  MQ_TRY(const std::int64_t wanted, wanted_ms(rules, asked, now_ms));
  if (wanted <= now_ms) {
    if (asked.timer_drop.empty()) return Postponed{topic, queue_id};
    return Error{Errc::kInvalid, "a message of the past cannot be taken back"};
  }
  // The slot before the time: it is over at the next tick.
  const std::int64_t out_ms = (wanted - 1) / rules.precision_ms * rules.precision_ms;
  if (is_congested(rules, out_ms))
    return Error{Errc::kBusy, "too many messages wait for that time (timerCongestNumEachSlot)"};
  format::set_property(properties, format::kTimerOutMs, std::to_string(out_ms));
  remember_target(properties, topic, queue_id);
  return Postponed{format::kTimerTopic, 0, true, out_ms};
}

}  // namespace

Result<Postponed> postpone(const PostponeRules& rules, const Asked& asked, std::string_view topic,
                           QueueId queue_id, std::int64_t now_ms, std::string& properties) {
  std::int64_t level = 0;
  if (!asked.delay.empty()) {
    MQ_TRY(level, number_of(format::kDelay, asked.delay));
  }
  if (level > 0) return to_level(rules, asked, level, topic, queue_id, properties);
  // What has been through the timer, or is sent to its topic, is not timed again.
  if (asked.has_timer() && asked.timer_out.empty() && topic != format::kTimerTopic)
    return to_timer(rules, asked, topic, queue_id, now_ms, properties);
  return Postponed{topic, queue_id};
}

}  // namespace mq::broker

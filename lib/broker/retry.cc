#include "broker/retry.h"

#include "format/message_id.h"
#include "format/names.h"
#include "format/properties.h"

namespace mq::broker {
namespace {

// Attempts begin at 10 s with the default levels.
constexpr std::int32_t kFirstRetryLevel = 3;

std::string named(std::string_view prefix, std::string_view group) {
  return std::string(prefix).append(group);
}

}  // namespace

RetryPlan plan_send_back(const format::GroupConfig& group, std::int32_t reconsume_times,
                         std::int32_t asked_level, std::optional<std::int32_t> asked_max) {
  if (reconsume_times >= asked_max.value_or(group.retry_max_times) || asked_level < 0)
    return {named(format::kDlqPrefix, group.name), true, 0};
  return {named(format::kRetryPrefix, group.name), false,
          asked_level == 0 ? kFirstRetryLevel + reconsume_times : asked_level};
}

bool is_dead_letter(const format::GroupConfig& group, std::int32_t reconsume_times,
                    std::int32_t asked_max) {
  return reconsume_times > (asked_max < 0 ? group.retry_max_times : asked_max);
}

std::string send_back_properties(const format::Record& record, const RetryPlan& plan) {
  std::string out(record.properties);
  if (!format::find_property(out, format::kRetryTopic))
    format::append_property(out, format::kRetryTopic, record.topic);
  if (!format::find_property(out, format::kOriginMessageId)) {
    format::append_property(out, format::kOriginMessageId,
                            format::offset_message_id(record.store_host, record.physical_offset));
  }
  format::set_property(out, format::kWait, "false");
  format::set_property(out, format::kDelay, std::to_string(plan.delay_level));
  return out;
}

}  // namespace mq::broker

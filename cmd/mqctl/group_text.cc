#include "group_text.h"

#include <fmt/format.h>

#include "object_members.h"

namespace mq::mqctl {
namespace {

const char* on_off(bool value) { return value ? "on" : "off"; }

}  // namespace

std::string describe_group(const wire::GroupConfig& c) {
  std::string out =
      fmt::format("consume={} broadcast={} orderly={} retryMax={} retryQueues={}",
                  on_off(c.consume_enable), on_off(c.consume_broadcast_enable),
                  on_off(c.consume_message_orderly), c.retry_max_times, c.retry_queues);
  for (const auto& [key, value] : c.attributes)
    fmt::format_to(std::back_inserter(out), " {}={}", key, value);
  return out;
}

json::object group_object(const wire::GroupConfig& c) {
  json::object attributes;
  for (const auto& [key, value] : c.attributes) attributes[key] = value;
  return {{"group", c.name},
          {"consume", c.consume_enable},
          {"broadcast", c.consume_broadcast_enable},
          {"fromMin", c.consume_from_min_enable},
          {"orderly", c.consume_message_orderly},
          {"retryMax", c.retry_max_times},
          {"retryQueues", c.retry_queues},
          {"consumeTimeoutMinutes", c.consume_timeout_minutes},
          {"notifyMembers", c.notify_consumer_ids_changed},
          {"attributes", std::move(attributes)}};
}

Result<wire::GroupConfig> with_group_object(wire::GroupConfig c, const json::object& object) {
  ObjectMembers members(object);
  members.pass_over("broker");
  members.take("group", c.name);
  members.take("consume", c.consume_enable);
  members.take("broadcast", c.consume_broadcast_enable);
  members.take("fromMin", c.consume_from_min_enable);
  members.take("orderly", c.consume_message_orderly);
  members.take("retryMax", c.retry_max_times);
  members.take("retryQueues", c.retry_queues);
  members.take("consumeTimeoutMinutes", c.consume_timeout_minutes);
  members.take("notifyMembers", c.notify_consumer_ids_changed);
  members.take("attributes", c.attributes);
  MQ_CHECK(members.finish());
  return c;
}

}  // namespace mq::mqctl

#include "wire/group_body.h"

#include "wire/body_json.h"

namespace mq::wire {
namespace {

// The member `name` as the JSON that `text` is; left out when it is none.
void set_json(json::object& object, json::string_view name, std::string_view text) {
  if (auto value = parse_json(text)) object[name] = *std::move(value);
}

json::object to_object(const GroupConfig& config) {
  json::object out{{"attributes", map_object(config.attributes)},
                   {"brokerId", config.broker_id},
                   {"consumeBroadcastEnable", config.consume_broadcast_enable},
                   {"consumeEnable", config.consume_enable},
                   {"consumeFromMinEnable", config.consume_from_min_enable},
                   {"consumeMessageOrderly", config.consume_message_orderly},
                   {"consumeTimeoutMinute", config.consume_timeout_minutes},
                   {"groupName", text_value(config.name)}};
  set_json(out, "groupRetryPolicy", config.retry_policy_json);
  out["groupSysFlag"] = config.sys_flag;
  out["notifyConsumerIdsChangedEnable"] = config.notify_consumer_ids_changed;
  out["retryMaxTimes"] = config.retry_max_times;
  out["retryQueueNums"] = config.retry_queues;
  if (!config.subscription_data_json.empty())
    set_json(out, "subscriptionDataSet", config.subscription_data_json);
  out["whichBrokerWhenConsumeSlowly"] = config.which_broker_when_slow;
  return out;
}

GroupConfig to_group_config(const json::value& value) {
  GroupConfig out;
  out.name = string_member(value, "groupName");
  out.consume_enable = bool_member(value, "consumeEnable", out.consume_enable);
  out.consume_from_min_enable =
      bool_member(value, "consumeFromMinEnable", out.consume_from_min_enable);
  out.consume_broadcast_enable =
      bool_member(value, "consumeBroadcastEnable", out.consume_broadcast_enable);
  out.consume_message_orderly =
      bool_member(value, "consumeMessageOrderly", out.consume_message_orderly);
  out.retry_queues = int32_member(value, "retryQueueNums", out.retry_queues);
  out.retry_max_times = int32_member(value, "retryMaxTimes", out.retry_max_times);
  if (const json::value* policy = member(value, "groupRetryPolicy");
      policy != nullptr && policy->is_object())
    out.retry_policy_json = to_json(*policy);
  out.broker_id = int64_member(value, "brokerId", out.broker_id);
  out.which_broker_when_slow =
      int64_member(value, "whichBrokerWhenConsumeSlowly", out.which_broker_when_slow);
  out.notify_consumer_ids_changed =
      bool_member(value, "notifyConsumerIdsChangedEnable", out.notify_consumer_ids_changed);
  out.sys_flag = int32_member(value, "groupSysFlag", out.sys_flag);
  out.consume_timeout_minutes =
      int32_member(value, "consumeTimeoutMinute", out.consume_timeout_minutes);
  if (const json::value* data = member(value, "subscriptionDataSet");
      data != nullptr && data->is_array())
    out.subscription_data_json = to_json(*data);
  out.attributes = to_string_map(object_member(value, "attributes"));
  return out;
}

}  // namespace

std::string encode_group_config(const GroupConfig& config) { return to_json(to_object(config)); }
Result<GroupConfig> decode_group_config(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return to_group_config(value);
}

std::string encode_group_config_list(const std::vector<GroupConfig>& configs) {
  json::array list;
  for (const auto& config : configs) list.push_back(to_object(config));
  return to_json(json::object{{"groupConfigList", std::move(list)}});
}
Result<std::vector<GroupConfig>> decode_group_config_list(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  std::vector<GroupConfig> out;
  for (const auto& config : array_member(value, "groupConfigList"))
    out.push_back(to_group_config(config));
  return out;
}

std::string encode_group_table(const GroupTable& table) {
  json::object groups;
  for (const auto& [name, config] : table.groups) groups[name] = to_object(config);
  json::object forbidden;
  for (const auto& [group, topics] : table.forbidden) {
    json::object& bits = forbidden[group].emplace_object();
    for (const auto& [topic, value] : topics) bits[topic] = value;
  }
  return to_json(json::object{{"dataVersion", version_object(table.version)},
                              {"forbiddenTable", std::move(forbidden)},
                              {"subscriptionGroupTable", std::move(groups)}});
}
Result<GroupTable> decode_group_table(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  GroupTable out;
  out.version = version_member(value);
  for (const auto& [name, config] : object_member(value, "subscriptionGroupTable")) {
    GroupConfig group = to_group_config(config);
    group.name = view_of(name);
    out.groups.insert_or_assign(group.name, std::move(group));
  }
  for (const auto& [group, topics] : object_member(value, "forbiddenTable")) {
    if (!topics.is_object()) continue;
    for (const auto& [topic, bits] : topics.get_object())
      out.forbidden[std::string(view_of(group))][std::string(view_of(topic))] =
          static_cast<std::int32_t>(int_or(&bits, 0));
  }
  return out;
}

std::string encode_group_forbidden(const GroupForbidden& forbidden) {
  return to_json(json::object{{"group", text_value(forbidden.group)},
                              {"readable", forbidden.readable},
                              {"topic", text_value(forbidden.topic)}});
}
Result<GroupForbidden> decode_group_forbidden(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return GroupForbidden{.group = string_member(value, "group"),
                        .topic = string_member(value, "topic"),
                        .readable = bool_member(value, "readable", true)};
}

}  // namespace mq::wire

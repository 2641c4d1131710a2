// JSON bodies about the configuration of consumer groups: R(200), R(201), R(225), R(352), R(353)
// (remoting.md 13.1, 13.3). Encoders write strict JSON without blanks; decoders take fastjson's
// dialect, missing members have their default. Errors of all decoders: kCorrupt.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/topic_body.h"

namespace mq::wire {

struct GroupConfig {
  std::string name;
  bool consume_enable = true;
  bool consume_from_min_enable = true;
  bool consume_broadcast_enable = true;
  bool consume_message_orderly = false;
  std::int32_t retry_queues = 1;
  std::int32_t retry_max_times = 16;
  std::string retry_policy_json = R"({"type":"CUSTOMIZED"})";  // as compact JSON
  std::int64_t broker_id = 0;
  std::int64_t which_broker_when_slow = 1;
  bool notify_consumer_ids_changed = true;
  std::int32_t sys_flag = 0;
  std::int32_t consume_timeout_minutes = 15;
  std::string subscription_data_json{};  // "" when absent
  std::map<std::string, std::string> attributes{};
  friend bool operator==(const GroupConfig&, const GroupConfig&) = default;
};
// R(200) asks with it, R(352) answers with it.
[[nodiscard]] std::string encode_group_config(const GroupConfig& config);
Result<GroupConfig> decode_group_config(std::string_view body);
// R(225): {"groupConfigList":[…]}.
[[nodiscard]] std::string encode_group_config_list(const std::vector<GroupConfig>& configs);
Result<std::vector<GroupConfig>> decode_group_config_list(std::string_view body);

// R(201).
struct GroupTable {
  DataVersion version;
  std::map<std::string, GroupConfig> groups;
  std::map<std::string, std::map<std::string, std::int32_t>> forbidden;  // group -> topic -> bits
  friend bool operator==(const GroupTable&, const GroupTable&) = default;
};
[[nodiscard]] std::string encode_group_table(const GroupTable& table);
Result<GroupTable> decode_group_table(std::string_view body);

// R(353): may the group read the topic?
struct GroupForbidden {
  std::string group;
  std::string topic;
  bool readable = true;
  friend bool operator==(const GroupForbidden&, const GroupForbidden&) = default;
};
[[nodiscard]] std::string encode_group_forbidden(const GroupForbidden& forbidden);
Result<GroupForbidden> decode_group_forbidden(std::string_view body);

}  // namespace mq::wire

#include "format/state_files.h"

#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "format/light_queues.h"

namespace mq::format {
namespace {

json::string_view boosted(std::string_view text) noexcept { return {text.data(), text.size()}; }
std::string_view plain(json::string_view text) noexcept { return {text.data(), text.size()}; }

Error corrupt(std::string_view where, std::string_view expected) {
  return Error{Errc::kCorrupt, fmt::format("{}: expected {}", where, expected)};
}

// Hands out the members of one object and keeps what nobody asked for.
class Members {
 public:
  explicit Members(json::object object) noexcept : rest_(std::move(object)) {}

  // The member and out of the rest; nothing when it is absent or null.
  std::optional<json::value> take(std::string_view name) {
    auto* const found = rest_.find(boosted(name));
    if (found == rest_.end()) return std::nullopt;
    json::value value = std::move(found->value());
    rest_.erase(found);
    if (value.is_null()) return std::nullopt;
    return value;
  }
  [[nodiscard]] bool has(std::string_view name) const { return rest_.contains(boosted(name)); }
  void take(std::string_view name, bool& out) {
    if (const auto value = take(name)) out = bool_or(&*value, out);
  }
  void take(std::string_view name, std::int64_t& out) {
    if (const auto value = take(name)) out = int_or(&*value, out);
  }
  void take(std::string_view name, std::int32_t& out) {
    const auto value = take(name);
    const std::int64_t number = value ? int_or(&*value, out) : out;
    if (number >= std::numeric_limits<std::int32_t>::min() &&
        number <= std::numeric_limits<std::int32_t>::max())
      out = static_cast<std::int32_t>(number);
  }
  void take(std::string_view name, std::string& out) {
    if (const auto value = take(name)) out = string_or(&*value, out);
  }
  // An object as a map of texts; anything else leaves it empty.
  void take(std::string_view name, std::map<std::string, std::string>& out) {
    const auto value = take(name);
    if (!value || !value->is_object()) return;
    for (const auto& item : value->get_object())
      out[std::string(plain(item.key()))] = string_or(&item.value(), "");
  }
  // An object; empty when absent. Errors: kCorrupt.
  Result<json::object> take_object(std::string_view name) {
    auto value = take(name);
    if (!value) return json::object();
    if (!value->is_object()) return corrupt(name, "an object");
    return std::move(value->get_object());
  }
  json::object rest() && { return std::move(rest_); }

 private:
  json::object rest_;
};

Result<Members> parse_members(std::string_view text) {
  MQ_TRY(json::value value, parse_json(text));
  if (!value.is_object()) return corrupt("state file", "an object");
  return Members(std::move(value.get_object()));
}

Result<DataVersion> take_version(Members& file) {
  DataVersion version;
  MQ_TRY(json::object object, file.take_object("dataVersion"));
  Members members(std::move(object));
  members.take("stateVersion", version.state_version);
  members.take("timestamp", version.timestamp_ms);
  members.take("counter", version.counter);
  return version;
}

json::object to_object(const DataVersion& version) {
  return {{"counter", version.counter},
          {"stateVersion", version.state_version},
          {"timestamp", version.timestamp_ms}};
}

json::object to_object(const std::map<std::string, std::string>& texts) {
  json::object object;
  for (const auto& [name, value] : texts) object[name] = value;
  return object;
}

// A whole number, or text that is one. Errors: kCorrupt.
Result<std::int64_t> parse_number(std::string_view where, const json::value& value) {
  constexpr std::int64_t kUnfit = std::numeric_limits<std::int64_t>::min();
  const std::int64_t number = int_or(&value, kUnfit);
  if (number == kUnfit) return corrupt(where, "a number");
  return number;
}

// {0:12,"1":7} as number -> number. Errors: kCorrupt for anything else.
Result<std::map<std::int32_t, std::int64_t>> parse_numbers(std::string_view where,
                                                           const json::value& value) {
  if (!value.is_object()) return corrupt(where, "an object");
  std::map<std::int32_t, std::int64_t> numbers;
  for (const auto& item : value.get_object()) {
    const std::string_view key = plain(item.key());
    std::int32_t number = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
    if (error != std::errc{} || end != key.data() + key.size())
      return corrupt(fmt::format("{}: '{}'", where, key), "a number");
    MQ_TRY(numbers[number],
           parse_number(fmt::format("{}: value of {}", where, number), item.value()));
  }
  return numbers;
}

json::object to_object(const std::map<std::int32_t, std::int64_t>& numbers) {
  json::object object;
  for (const auto& [key, value] : numbers) object[std::to_string(key)] = value;
  return object;
}

// Calls parse(name, members) for each member of a table of objects.
template <typename Parse>
Result<void> for_each_entry(json::object table, std::string_view where, Parse&& parse) {
  for (auto& item : table) {
    const std::string name(plain(item.key()));
    if (!item.value().is_object()) return corrupt(fmt::format("{}: {}", where, name), "an object");
    parse(name, Members(std::move(item.value().get_object())));
  }
  return {};
}

TopicConfig parse_topic(std::string name, Members members) {
  TopicConfig topic;
  topic.name = std::move(name);
  (void)members.take("topicName");  // the same as the key, which is what the broker goes by
  members.take("readQueueNums", topic.read_queues);
  members.take("writeQueueNums", topic.write_queues);
  members.take("perm", topic.perm);
  members.take("topicFilterType", topic.filter_type);
  members.take("topicSysFlag", topic.sys_flag);
  members.take("order", topic.order);
  members.take("attributes", topic.attributes);
  topic.extra = std::move(members).rest();
  return topic;
}

json::object to_object(const TopicConfig& topic) {
  json::object object = topic.extra;
  object["attributes"] = to_object(topic.attributes);
  object["order"] = topic.order;
  object["perm"] = topic.perm;
  object["readQueueNums"] = topic.read_queues;
  object["topicFilterType"] = topic.filter_type;
  object["topicName"] = topic.name;
  object["topicSysFlag"] = topic.sys_flag;
  object["writeQueueNums"] = topic.write_queues;
  return object;
}

GroupConfig parse_group(std::string name, Members members) {
  GroupConfig group;
  group.name = std::move(name);
  (void)members.take("groupName");
  members.take("consumeEnable", group.consume_enable);
  members.take("consumeFromMinEnable", group.consume_from_min_enable);
  members.take("consumeBroadcastEnable", group.consume_broadcast_enable);
  members.take("consumeMessageOrderly", group.consume_message_orderly);
  members.take("retryQueueNums", group.retry_queues);
  members.take("retryMaxTimes", group.retry_max_times);
  if (const auto policy = members.take("groupRetryPolicy"))
    group.retry_policy_json = to_json(*policy);
  members.take("brokerId", group.broker_id);
  members.take("whichBrokerWhenConsumeSlowly", group.which_broker_when_slow);
  members.take("notifyConsumerIdsChangedEnable", group.notify_consumer_ids_changed);
  members.take("groupSysFlag", group.sys_flag);
  members.take("consumeTimeoutMinute", group.consume_timeout_minutes);
  if (const auto data = members.take("subscriptionDataSet"))
    group.subscription_data_json = to_json(*data);
  members.take("attributes", group.attributes);
  group.extra = std::move(members).rest();
  return group;
}

// Sets the member to the value that `text` is; leaves it out when it is none.
void set_json(json::object& object, std::string_view name, std::string_view text) {
  if (auto value = parse_json(text)) object[boosted(name)] = *std::move(value);
}

json::object to_object(const GroupConfig& group) {
  json::object object = group.extra;
  object["attributes"] = to_object(group.attributes);
  object["brokerId"] = group.broker_id;
  object["consumeBroadcastEnable"] = group.consume_broadcast_enable;
  object["consumeEnable"] = group.consume_enable;
  object["consumeFromMinEnable"] = group.consume_from_min_enable;
  object["consumeMessageOrderly"] = group.consume_message_orderly;
  object["consumeTimeoutMinute"] = group.consume_timeout_minutes;
  object["groupName"] = group.name;
  set_json(object, "groupRetryPolicy", group.retry_policy_json);
  object["groupSysFlag"] = group.sys_flag;
  object["notifyConsumerIdsChangedEnable"] = group.notify_consumer_ids_changed;
  object["retryMaxTimes"] = group.retry_max_times;
  object["retryQueueNums"] = group.retry_queues;
  set_json(object, "subscriptionDataSet", group.subscription_data_json);
  object["whichBrokerWhenConsumeSlowly"] = group.which_broker_when_slow;
  return object;
}

Result<void> take_forbidden(Members& file, GroupTable& table) {
  MQ_TRY(json::object forbidden, file.take_object("forbiddenTable"));
  return for_each_entry(
      std::move(forbidden), "forbiddenTable", [&](const std::string& group, Members members) {
        for (const auto& item : std::move(members).rest()) {
          const std::int64_t bits = int_or(&item.value(), 0);
          table.forbidden[group][std::string(plain(item.key()))] = static_cast<std::int32_t>(bits);
        }
      });
}

}  // namespace

bool has_batch_queues(const std::map<std::string, std::string>& attributes) {
  const auto at = attributes.find("queue.type");
  return at != attributes.end() && at->second == "BatchCQ";
}

Result<TopicTable> parse_topics_json(std::string_view text) {
  MQ_TRY(Members file, parse_members(text));
  TopicTable table;
  MQ_TRY(table.version, take_version(file));
  MQ_TRY(json::object topics, file.take_object("topicConfigTable"));
  MQ_CHECK(for_each_entry(std::move(topics), "topicConfigTable",
                          [&](const std::string& name, Members members) {
                            table.topics[name] = parse_topic(name, std::move(members));
                          }));
  table.extra = std::move(file).rest();
  return table;
}

std::string to_topics_json(const TopicTable& table) {
  json::object topics;
  for (const auto& [name, topic] : table.topics) topics[name] = to_object(topic);
  json::object file = table.extra;
  file["dataVersion"] = to_object(table.version);
  file["topicConfigTable"] = std::move(topics);
  return to_pretty_json(file);
}

Result<TimerMetrics> parse_timer_metrics_json(std::string_view text) {
  MQ_TRY(Members file, parse_members(text));
  TimerMetrics all;
  MQ_TRY(all.version, take_version(file));
  MQ_TRY(json::object counts, file.take_object("timingCount"));
  MQ_CHECK(for_each_entry(std::move(counts), "timingCount",
                          [&](const std::string& topic, Members members) {
                            TimerMetrics::Count& one = all.topics[topic];
                            members.take("count", one.count);
                            members.take("timeStamp", one.timestamp_ms);
                          }));
  all.extra = std::move(file).rest();
  return all;
}

std::string to_timer_metrics_json(const TimerMetrics& metrics) {
  json::object counts;
  for (const auto& [topic, one] : metrics.topics)
    counts[topic] = json::object{{"count", one.count}, {"timeStamp", one.timestamp_ms}};
  json::object file{{"dataVersion", to_object(metrics.version)}};
  file["timingCount"] = std::move(counts);
  for (const auto& item : metrics.extra) file[item.key()] = item.value();
  return to_json(file);
}

Result<ConsumerOffsets> parse_consumer_offset_json(std::string_view text) {
  MQ_TRY(Members file, parse_members(text));
  ConsumerOffsets all;
  MQ_TRY(all.version, take_version(file));
  (void)file.take("groupTopicMap");
  MQ_TRY(const json::object table, file.take_object("offsetTable"));
  for (const auto& item : table) {
    std::string name(plain(item.key()));
    MQ_TRY(auto offsets, parse_numbers("offsetTable: " + name, item.value()));
    all.offsets[std::move(name)] = std::move(offsets);
  }
  all.has_light_table = file.has("lmqOffsetTable");
  MQ_TRY(const json::object light, file.take_object("lmqOffsetTable"));
  for (const auto& item : light) {
    const std::string name(plain(item.key()));
    MQ_TRY(all.offsets[name][kLightQueueId], parse_number("lmqOffsetTable: " + name, item.value()));
  }
  all.extra = std::move(file).rest();
  return all;
}

std::string to_consumer_offset_json(const ConsumerOffsets& offsets) {
  json::object table;
  json::object light;
  for (const auto& [name, of_queues] : offsets.offsets) {
    const std::string_view group = std::string_view(name).substr(name.find('@') + 1);
    const auto of_light = of_queues.find(kLightQueueId);
    if (offsets.has_light_table && is_light(group) && of_light != of_queues.end()) {
      light[name] = of_light->second;
    } else {
      table[name] = to_object(of_queues);
    }
  }
  json::object file = offsets.extra;
  if (offsets.has_light_table) file["lmqOffsetTable"] = std::move(light);
  file["dataVersion"] = to_object(offsets.version);
  file["offsetTable"] = std::move(table);
  return to_pretty_json(file);
}

Result<DelayOffsets> parse_delay_offset_json(std::string_view text) {
  MQ_TRY(Members file, parse_members(text));
  DelayOffsets all;
  MQ_TRY(all.version, take_version(file));
  MQ_TRY(json::object table, file.take_object("offsetTable"));
  MQ_TRY(all.offsets, parse_numbers("offsetTable", std::move(table)));
  all.extra = std::move(file).rest();
  return all;
}

std::string to_delay_offset_json(const DelayOffsets& offsets) {
  json::object file = offsets.extra;
  file["dataVersion"] = to_object(offsets.version);
  file["offsetTable"] = to_object(offsets.offsets);
  return to_pretty_json(file);
}

Result<GroupTable> parse_subscription_group_json(std::string_view text) {
  MQ_TRY(Members file, parse_members(text));
  GroupTable table;
  MQ_TRY(table.version, take_version(file));
  MQ_TRY(json::object groups, file.take_object("subscriptionGroupTable"));
  MQ_CHECK(for_each_entry(std::move(groups), "subscriptionGroupTable",
                          [&](const std::string& name, Members members) {
                            table.groups[name] = parse_group(name, std::move(members));
                          }));
  MQ_CHECK(take_forbidden(file, table));
  table.extra = std::move(file).rest();
  return table;
}

std::string to_subscription_group_json(const GroupTable& table) {
  json::object groups;
  for (const auto& [name, group] : table.groups) groups[name] = to_object(group);
  json::object forbidden;
  for (const auto& [group, of_topics] : table.forbidden) {
    json::object& bits = forbidden[group].emplace_object();
    for (const auto& [topic, value] : of_topics) bits[topic] = value;
  }
  json::object file = table.extra;
  file["dataVersion"] = to_object(table.version);
  file["forbiddenTable"] = std::move(forbidden);
  file["subscriptionGroupTable"] = std::move(groups);
  return to_pretty_json(file);
}

}  // namespace mq::format

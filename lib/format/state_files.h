// The JSON state files of a store that the broker of this project reads and writes (store-format.md
// section 6): values to text and back. Members that are not known here are kept in `extra` and
// written again, so that nothing of what another broker wrote is lost; only groupTopicMap, which is
// derived, is dropped. Missing members have their default. Errors of all readers: kCorrupt, with
// the place; the caller then takes the .bak.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/json.h"
#include "base/result.h"

namespace mq::format {

struct DataVersion {
  std::int64_t state_version = 0;
  std::int64_t timestamp_ms = 0;
  std::int64_t counter = 0;
  // One more change, at that time.
  void bump(std::int64_t now_ms) noexcept { ++counter, timestamp_ms = now_ms; }
  // NOLINTNEXTLINE(modernize-use-nullptr): nothing here is written out
  friend auto operator<=>(const DataVersion&, const DataVersion&) = default;
};

inline constexpr std::int32_t kPermInherit = 1;
inline constexpr std::int32_t kPermWrite = 2;
inline constexpr std::int32_t kPermRead = 4;
inline constexpr std::int32_t kPermPriority = 8;

struct TopicConfig {
  std::string name;
  std::int32_t read_queues = 16;
  std::int32_t write_queues = 16;
  std::int32_t perm = kPermRead | kPermWrite;
  std::string filter_type = "SINGLE_TAG";  // or MULTI_TAG
  std::int32_t sys_flag = 0;
  bool order = false;
  std::map<std::string, std::string> attributes;
  json::object extra{};
  friend bool operator==(const TopicConfig&, const TopicConfig&) = default;
};
// Of a topic's attributes: queue.type=BatchCQ.
[[nodiscard]] bool has_batch_queues(const std::map<std::string, std::string>& attributes);
struct TopicTable {
  DataVersion version;
  std::map<std::string, TopicConfig, std::less<>> topics;
  json::object extra{};
};
// config/topics.json (6.4).
Result<TopicTable> parse_topics_json(std::string_view text);
[[nodiscard]] std::string to_topics_json(const TopicTable& table);

// config/consumerOffset.json (6.6): "topic@group" -> queue id -> next offset.
struct ConsumerOffsets {
  DataVersion version;
  std::map<std::string, std::map<std::int32_t, std::int64_t>, std::less<>> offsets;
  // As a broker with light queues has it, in lmqConsumerOffset.json: what groups named %LMQ%… have
  // of queue 0 stands in an lmqOffsetTable of its own.
  bool has_light_table = false;
  json::object extra{};
};
// Their file; the second with enableLmq.
inline constexpr std::array<std::string_view, 2> kConsumerOffsetFiles = {"consumerOffset.json",
                                                                         "lmqConsumerOffset.json"};
[[nodiscard]] constexpr bool is_consumer_offset_file(std::string_view name) noexcept {
  return name == kConsumerOffsetFiles[0] || name == kConsumerOffsetFiles[1];
}
Result<ConsumerOffsets> parse_consumer_offset_json(std::string_view text);
[[nodiscard]] std::string to_consumer_offset_json(const ConsumerOffsets& offsets);

// config/delayOffset.json (6.7): delay level -> next offset in its queue.
struct DelayOffsets {
  DataVersion version;
  std::map<std::int32_t, std::int64_t> offsets;
  json::object extra{};
};
Result<DelayOffsets> parse_delay_offset_json(std::string_view text);
[[nodiscard]] std::string to_delay_offset_json(const DelayOffsets& offsets);

// config/timermetrics (6.8), one line: how many timed messages wait for each topic.
struct TimerMetrics {
  struct Count {
    std::int64_t count = 0;
    std::int64_t timestamp_ms = 0;
  };
  DataVersion version;
  std::map<std::string, Count, std::less<>> topics;
  json::object extra{};
};
Result<TimerMetrics> parse_timer_metrics_json(std::string_view text);
[[nodiscard]] std::string to_timer_metrics_json(const TimerMetrics& metrics);

// config/subscriptionGroup.json (6.5).
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
  std::string subscription_data_json;  // "" when absent
  std::map<std::string, std::string> attributes;
  json::object extra{};
  friend bool operator==(const GroupConfig&, const GroupConfig&) = default;
};
struct GroupTable {
  DataVersion version;
  std::map<std::string, GroupConfig, std::less<>> groups;
  std::map<std::string, std::map<std::string, std::int32_t>> forbidden;  // group -> topic -> bits
  json::object extra{};
};
Result<GroupTable> parse_subscription_group_json(std::string_view text);
[[nodiscard]] std::string to_subscription_group_json(const GroupTable& table);

}  // namespace mq::format

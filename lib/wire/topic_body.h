// JSON bodies about topics, and the table of runtime statistics (remoting.md 13.1, 13.2, 13.7).
// Encoders write strict JSON without blanks; decoders take fastjson's dialect. Errors of all
// decoders: kCorrupt.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mq::wire {

struct TopicConfig {
  std::string name;
  std::int32_t read_queues = 0;
  std::int32_t write_queues = 0;
  std::int32_t perm = 6;
  std::string filter_type = "SINGLE_TAG";
  std::int32_t sys_flag = 0;
  bool order = false;
  std::map<std::string, std::string> attributes{};
  friend bool operator==(const TopicConfig&, const TopicConfig&) = default;
};
// R(351).
[[nodiscard]] std::string encode_topic_config(const TopicConfig& config);
Result<TopicConfig> decode_topic_config(std::string_view body);
// R(18): {"topicConfigList":[…]}.
[[nodiscard]] std::string encode_topic_config_list(const std::vector<TopicConfig>& configs);
Result<std::vector<TopicConfig>> decode_topic_config_list(std::string_view body);

struct DataVersion {
  std::int64_t counter = 0;
  std::int64_t state_version = 0;
  std::int64_t timestamp_ms = 0;
  friend bool operator==(const DataVersion&, const DataVersion&) = default;
};
// R(322).
[[nodiscard]] std::string encode_data_version(const DataVersion& version);
Result<DataVersion> decode_data_version(std::string_view body);
// R(21).
struct TopicTable {
  DataVersion version;
  std::map<std::string, TopicConfig> topics;
  friend bool operator==(const TopicTable&, const TopicTable&) = default;
};
[[nodiscard]] std::string encode_topic_table(const TopicTable& table);
Result<TopicTable> decode_topic_table(std::string_view body);

// R(206), R(224), R(304), R(305).
struct TopicList {
  std::vector<std::string> topics;
  std::string broker_addr{};  // left out when empty
  friend bool operator==(const TopicList&, const TopicList&) = default;
};
[[nodiscard]] std::string encode_topic_list(const TopicList& list);
Result<TopicList> decode_topic_list(std::string_view body);

// R(202).
struct QueueStats {
  std::string topic;
  std::string broker_name;
  std::int32_t queue_id = 0;
  std::int64_t min_offset = 0;
  std::int64_t max_offset = 0;
  std::int64_t last_update_timestamp_ms = 0;
  friend bool operator==(const QueueStats&, const QueueStats&) = default;
};
struct TopicStats {
  std::vector<QueueStats> queues;
  double put_tps = 0;
  friend bool operator==(const TopicStats&, const TopicStats&) = default;
};
[[nodiscard]] std::string encode_topic_stats(const TopicStats& stats);
Result<TopicStats> decode_topic_stats(std::string_view body);

// R(28): {"table":{name:text}}.
using KvTable = std::map<std::string, std::string>;
[[nodiscard]] std::string encode_kv_table(const KvTable& table);
Result<KvTable> decode_kv_table(std::string_view body);

}  // namespace mq::wire

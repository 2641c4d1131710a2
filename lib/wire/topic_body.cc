#include "wire/topic_body.h"

#include "wire/body_json.h"
#include "wire/topic_json.h"

namespace mq::wire {
namespace {

std::string queue_key(const QueueStats& queue) {
  return to_json(json::object{{"brokerName", text_value(queue.broker_name)},
                              {"queueId", queue.queue_id},
                              {"topic", text_value(queue.topic)}});
}

}  // namespace

json::object topic_config_object(const TopicConfig& config) {
  return {{"attributes", map_object(config.attributes)},
          {"order", config.order},
          {"perm", config.perm},
          {"readQueueNums", config.read_queues},
          {"topicFilterType", text_value(config.filter_type)},
          {"topicName", text_value(config.name)},
          {"topicSysFlag", config.sys_flag},
          {"writeQueueNums", config.write_queues}};
}
TopicConfig topic_config_from(const json::value& value) {
  TopicConfig out;
  out.name = string_member(value, "topicName");
  out.read_queues = int32_member(value, "readQueueNums", 0);
  out.write_queues = int32_member(value, "writeQueueNums", 0);
  out.perm = int32_member(value, "perm", out.perm);
  out.filter_type = string_member(value, "topicFilterType", out.filter_type);
  out.sys_flag = int32_member(value, "topicSysFlag", 0);
  out.order = bool_member(value, "order", false);
  out.attributes = to_string_map(object_member(value, "attributes"));
  return out;
}

json::object version_object(const DataVersion& version) {
  return {{"counter", version.counter},
          {"stateVersion", version.state_version},
          {"timestamp", version.timestamp_ms}};
}
DataVersion data_version_from(const json::value& value) noexcept {
  return {.counter = int64_member(value, "counter", 0),
          .state_version = int64_member(value, "stateVersion", 0),
          .timestamp_ms = int64_member(value, "timestamp", 0)};
}

DataVersion version_member(const json::value& object) noexcept {
  const json::value* const version = member(object, "dataVersion");
  return version == nullptr ? DataVersion() : data_version_from(*version);
}

json::object topic_table_object(const TopicTable& table) {
  json::object topics;
  for (const auto& [name, config] : table.topics) topics[name] = topic_config_object(config);
  return {{"dataVersion", version_object(table.version)},
          {"mappingDataVersion", version_object(table.version)},
          {"topicConfigTable", std::move(topics)},
          {"topicQueueMappingDetailMap", json::object()},
          {"topicQueueMappingInfoMap", json::object()}};
}
TopicTable topic_table_from(const json::value& value) {
  TopicTable out;
  out.version = version_member(value);
  for (const auto& [name, config] : object_member(value, "topicConfigTable")) {
    TopicConfig topic = topic_config_from(config);
    topic.name = view_of(name);
    out.topics.insert_or_assign(topic.name, std::move(topic));
  }
  return out;
}

std::string encode_topic_config(const TopicConfig& config) {
  return to_json(topic_config_object(config));
}
Result<TopicConfig> decode_topic_config(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return topic_config_from(value);
}

std::string encode_topic_config_list(const std::vector<TopicConfig>& configs) {
  json::array list;
  for (const auto& config : configs) list.push_back(topic_config_object(config));
  return to_json(json::object{{"topicConfigList", std::move(list)}});
}
Result<std::vector<TopicConfig>> decode_topic_config_list(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  std::vector<TopicConfig> out;
  for (const auto& config : array_member(value, "topicConfigList"))
    out.push_back(topic_config_from(config));
  return out;
}

std::string encode_topic_table(const TopicTable& table) {
  return to_json(topic_table_object(table));
}
Result<TopicTable> decode_topic_table(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return topic_table_from(value);
}

std::string encode_data_version(const DataVersion& version) {
  return to_json(version_object(version));
}
Result<DataVersion> decode_data_version(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return data_version_from(value);
}

std::string encode_topic_list(const TopicList& list) {
  json::object out;
  if (!list.broker_addr.empty()) out["brokerAddr"] = text_value(list.broker_addr);
  out["topicList"] = to_array(list.topics);
  return to_json(out);
}
Result<TopicList> decode_topic_list(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return TopicList{.topics = to_strings(array_member(value, "topicList")),
                   .broker_addr = string_member(value, "brokerAddr")};
}

std::string encode_topic_stats(const TopicStats& stats) {
  json::object table;
  for (const auto& queue : stats.queues)
    table[queue_key(queue)] = json::object{{"lastUpdateTimestamp", queue.last_update_timestamp_ms},
                                           {"maxOffset", queue.max_offset},
                                           {"minOffset", queue.min_offset}};
  return to_json(json::object{{"offsetTable", std::move(table)}, {"topicPutTps", stats.put_tps}});
}
Result<TopicStats> decode_topic_stats(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  TopicStats out;
  for (const auto& [key, offsets] : object_member(value, "offsetTable")) {
    MQ_TRY(const json::value queue, parse_body(view_of(key)));
    out.queues.push_back(
        {.topic = string_member(queue, "topic"),
         .broker_name = string_member(queue, "brokerName"),
         .queue_id = int32_member(queue, "queueId", 0),
         .min_offset = int64_member(offsets, "minOffset", 0),
         .max_offset = int64_member(offsets, "maxOffset", 0),
         .last_update_timestamp_ms = int64_member(offsets, "lastUpdateTimestamp", 0)});
  }
  if (const json::value* tps = member(value, "topicPutTps"); tps != nullptr && tps->is_number())
    out.put_tps = tps->to_number<double>();
  return out;
}

std::string encode_kv_table(const KvTable& table) {
  return to_json(json::object{{"table", map_object(table)}});
}
Result<KvTable> decode_kv_table(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return to_string_map(object_member(value, "table"));
}

}  // namespace mq::wire

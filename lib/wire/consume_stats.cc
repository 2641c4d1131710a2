#include "wire/consume_stats.h"

#include <ctime>

#include <fmt/format.h>

#include "wire/body_json.h"
#include "wire/fields.h"

namespace mq::wire {
namespace {

double double_member(const json::value& object, std::string_view name) {
  const json::value* const value = member(object, name);
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

json::object to_object(const ConsumeStats& stats) {
  json::object queues;
  for (const auto& [queue, progress] : stats.queues) {
    queues[queue_key(queue)] = json::object{{"brokerOffset", progress.broker_offset},
                                            {"consumerOffset", progress.consumer_offset},
                                            {"lastTimestamp", progress.last_timestamp_ms},
                                            {"pullOffset", progress.pull_offset}};
  }
  return {{"consumeTps", stats.consume_tps}, {"offsetTable", std::move(queues)}};
}
Result<ConsumeStats> to_consume_stats(const json::value& value) {
  ConsumeStats out;
  out.consume_tps = double_member(value, "consumeTps");
  for (const auto& [key, progress] : object_member(value, "offsetTable")) {
    MQ_TRY(const MessageQueue queue, queue_from_key(view_of(key)));
    out.queues[queue] = {.broker_offset = int64_member(progress, "brokerOffset", 0),
                         .consumer_offset = int64_member(progress, "consumerOffset", 0),
                         .pull_offset = int64_member(progress, "pullOffset", 0),
                         .last_timestamp_ms = int64_member(progress, "lastTimestamp", 0)};
  }
  return out;
}

// `2025-06-01#13:45:10:123`, local time.
std::string time_text(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}#{:02}:{:02}:{:02}:{:03}", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     ms % 1000);
}

}  // namespace

std::string encode_consume_stats(const ConsumeStats& stats) { return to_json(to_object(stats)); }
Result<ConsumeStats> decode_consume_stats(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return to_consume_stats(value);
}

std::string encode_broker_consume_stats(const BrokerConsumeStats& stats) {
  json::array list;
  for (const auto& [group, of_topics] : stats.groups) {
    json::array topics;
    for (const ConsumeStats& one : of_topics) topics.push_back(to_object(one));
    json::object entry;
    entry[group] = std::move(topics);
    list.push_back(std::move(entry));
  }
  return to_json(json::object{{"brokerAddr", text_value(stats.broker_addr)},
                              {"consumeStatsList", std::move(list)},
                              {"totalDiff", stats.total_diff},
                              {"totalInflightDiff", stats.total_inflight_diff}});
}
Result<BrokerConsumeStats> decode_broker_consume_stats(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  BrokerConsumeStats out{.broker_addr = string_member(value, "brokerAddr"),
                         .groups = {},
                         .total_diff = int64_member(value, "totalDiff", 0),
                         .total_inflight_diff = int64_member(value, "totalInflightDiff", 0)};
  for (const json::value& entry : array_member(value, "consumeStatsList")) {
    if (!entry.is_object()) continue;
    for (const auto& [group, topics] : entry.get_object()) {
      std::vector<ConsumeStats> of_topics;
      if (topics.is_array()) {
        for (const json::value& one : topics.get_array()) {
          MQ_TRY(ConsumeStats stats, to_consume_stats(one));
          of_topics.push_back(std::move(stats));
        }
      }
      out.groups.emplace_back(view_of(group), std::move(of_topics));
    }
  }
  return out;
}

std::string encode_time_spans(const std::vector<QueueTimeSpan>& spans) {
  json::array list;
  for (const QueueTimeSpan& span : spans) {
    list.push_back(json::object{{"consumeTimeStamp", span.consumed_ms},
                                {"consumeTimeStampStr", text_value(time_text(span.consumed_ms))},
                                {"delayTime", span.delay_ms},
                                {"maxTimeStamp", span.max_ms},
                                {"maxTimeStampStr", text_value(time_text(span.max_ms))},
                                {"messageQueue", queue_object(span.queue)},
                                {"minTimeStamp", span.min_ms},
                                {"minTimeStampStr", text_value(time_text(span.min_ms))}});
  }
  return to_json(json::object{{"consumeTimeSpanSet", std::move(list)}});
}
Result<std::vector<QueueTimeSpan>> decode_time_spans(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  std::vector<QueueTimeSpan> out;
  for (const json::value& span : array_member(value, "consumeTimeSpanSet")) {
    const json::value* queue = member(span, "messageQueue");
    out.push_back({.queue = queue == nullptr ? MessageQueue() : queue_from(*queue),
                   .min_ms = int64_member(span, "minTimeStamp", 0),
                   .max_ms = int64_member(span, "maxTimeStamp", 0),
                   .consumed_ms = int64_member(span, "consumeTimeStamp", 0),
                   .delay_ms = int64_member(span, "delayTime", 0)});
  }
  return out;
}

std::string encode_correction_offsets(const std::map<std::int32_t, std::int64_t>& offsets) {
  json::object table;
  for (const auto& [queue, offset] : offsets) table[std::to_string(queue)] = offset;
  return to_json(json::object{{"correctionOffsets", std::move(table)}});
}
Result<std::map<std::int32_t, std::int64_t>> decode_correction_offsets(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  std::map<std::int32_t, std::int64_t> out;
  for (const auto& [key, offset] : object_member(value, "correctionOffsets")) {
    std::int32_t queue = 0;
    if (!parse_integer(view_of(key), queue))
      return Error{Errc::kCorrupt,
                   fmt::format("correctionOffsets: '{}': expected a number", view_of(key))};
    out[queue] = int_or(&offset, 0);
  }
  return out;
}

std::string encode_offset_table(const QueueOffsets& offsets) {
  return to_json(json::object{{"offsetTable", queue_offsets_object(offsets)}});
}
Result<QueueOffsets> decode_offset_table(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return queue_offsets_from(object_member(value, "offsetTable"));
}

std::string encode_reset_for_clients(const QueueOffsets& offsets) {
  std::string out = R"({"offsetTable":{)";
  for (const auto& [queue, offset] : offsets) {
    if (out.back() != '{') out += ',';
    out += queue_key(queue);  // not as a text: the object itself
    fmt::format_to(std::back_inserter(out), ":{}", offset);
  }
  return out += "}}";
}
std::string encode_reset_for_cpp_clients(const QueueOffsets& offsets) {
  json::array list;
  for (const auto& [queue, offset] : offsets) {
    json::object one = queue_object(queue);
    one["offset"] = offset;
    list.push_back(std::move(one));
  }
  return to_json(json::object{{"offsetTable", std::move(list)}});
}

std::string encode_consumer_status(const ConsumerStatus& status) {
  json::object consumers;
  for (const auto& [client_id, offsets] : status.consumers)
    consumers[client_id] = queue_offsets_object(offsets);
  return to_json(json::object{{"consumerTable", std::move(consumers)},
                              {"messageQueueTable", queue_offsets_object(status.queues)}});
}
Result<ConsumerStatus> decode_consumer_status(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  ConsumerStatus out;
  for (const auto& [client_id, offsets] : object_member(value, "consumerTable")) {
    MQ_TRY(out.consumers[std::string(view_of(client_id))], queue_offsets_from(offsets));
  }
  MQ_TRY(out.queues, queue_offsets_from(object_member(value, "messageQueueTable")));
  return out;
}

}  // namespace mq::wire

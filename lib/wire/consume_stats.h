// Bodies that show how far groups are: R(208), R(317), R(303), R(308), R(223) and R(221)
// (remoting.md 9.4, 13.4). Encoders write strict JSON without blanks; decoders take fastjson's
// dialect. Errors of all decoders: kCorrupt.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "wire/message_queue.h"

namespace mq::wire {

// R(208).
struct QueueProgress {
  std::int64_t broker_offset = 0;      // next of the queue
  std::int64_t consumer_offset = 0;    // next of the group; 0 also when it has none
  std::int64_t pull_offset = 0;        // where its pulls have come to
  std::int64_t last_timestamp_ms = 0;  // store time of the last consumed message; 0: none
  friend bool operator==(const QueueProgress&, const QueueProgress&) = default;
};
struct ConsumeStats {
  double consume_tps = 0;
  std::map<MessageQueue, QueueProgress> queues;
  friend bool operator==(const ConsumeStats&, const ConsumeStats&) = default;
};
[[nodiscard]] std::string encode_consume_stats(const ConsumeStats& stats);
Result<ConsumeStats> decode_consume_stats(std::string_view body);

// R(317): every group with what it consumes, one entry a topic.
struct BrokerConsumeStats {
  std::string broker_addr;
  std::vector<std::pair<std::string, std::vector<ConsumeStats>>> groups;
  std::int64_t total_diff = 0;
  std::int64_t total_inflight_diff = 0;
  friend bool operator==(const BrokerConsumeStats&, const BrokerConsumeStats&) = default;
};
[[nodiscard]] std::string encode_broker_consume_stats(const BrokerConsumeStats& stats);
Result<BrokerConsumeStats> decode_broker_consume_stats(std::string_view body);

// R(303). Times in ms; the reference's texts (`yyyy-MM-dd#HH:mm:ss:SSS`, local time) are made of
// them.
struct QueueTimeSpan {
  MessageQueue queue;
  std::int64_t min_ms = 0;
  std::int64_t max_ms = 0;
  std::int64_t consumed_ms = 0;
  std::int64_t delay_ms = 0;  // age of the next message to be consumed
  friend bool operator==(const QueueTimeSpan&, const QueueTimeSpan&) = default;
};
[[nodiscard]] std::string encode_time_spans(const std::vector<QueueTimeSpan>& spans);
Result<std::vector<QueueTimeSpan>> decode_time_spans(std::string_view body);

// R(308): {"correctionOffsets":{queueId:offset}}.
[[nodiscard]] std::string encode_correction_offsets(
    const std::map<std::int32_t, std::int64_t>& offsets);
Result<std::map<std::int32_t, std::int64_t>> decode_correction_offsets(std::string_view body);

// R(222): {"offsetTable":{MQ:offset}}.
[[nodiscard]] std::string encode_offset_table(const QueueOffsets& offsets);
Result<QueueOffsets> decode_offset_table(std::string_view body);
// R(220): the same with the member names as raw objects, which is what Java's and Go's clients
// expect; or, for clients of C++, {"offsetTable":[{"brokerName","offset","queueId","topic"}]}.
[[nodiscard]] std::string encode_reset_for_clients(const QueueOffsets& offsets);
[[nodiscard]] std::string encode_reset_for_cpp_clients(const QueueOffsets& offsets);

// R(221) answers with messageQueueTable, R(223) with consumerTable.
struct ConsumerStatus {
  std::map<std::string, QueueOffsets> consumers;  // by client id
  QueueOffsets queues;
  friend bool operator==(const ConsumerStatus&, const ConsumerStatus&) = default;
};
[[nodiscard]] std::string encode_consumer_status(const ConsumerStatus& status);
Result<ConsumerStatus> decode_consumer_status(std::string_view body);

}  // namespace mq::wire

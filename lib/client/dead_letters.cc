#include "client/dead_letters.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "client/admin.h"
#include "client/groups.h"
#include "client/remote_error.h"
#include "format/names.h"
#include "format/properties.h"
#include "wire/codes.h"
#include "wire/pull.h"
#include "wire/send.h"

namespace mq::client {
namespace {

constexpr std::string_view kToolsGroup = "TOOLS_CONSUMER";
constexpr std::int32_t kPulledAtATime = 32;
constexpr std::int32_t kPermWrite = 2;

// What brokers and clients have written about the message's way here. Its ids stay.
constexpr std::array<std::string_view, 14> kOfItsWay = {
    format::kDelay,          format::kRealTopic,
    format::kRealQueueId,    "RECONSUME_TIME",
    "MAX_RECONSUME_TIMES",   format::kTimerDelaySec,
    format::kTimerDelayMs,   format::kTimerDeliverMs,
    format::kTimerOutMs,     format::kTimerEnqueueMs,
    format::kTimerDequeueMs, format::kTimerRollTimes,
    "CONSUME_START_TIME",    "CLUSTER"};

std::string topic_of(std::string_view group) {
  return std::string(format::kDlqPrefix).append(group);
}

Result<void> add_queues(Cluster& cluster, const BrokerAt& broker, const std::string& group,
                        std::vector<DeadQueue>& out) {
  MQ_TRY(Rpc* const rpc, cluster.rpc(broker));
  const std::string topic = topic_of(group);
  auto stats = topic_stats(*rpc, topic);
  if (!stats && stats.error().code() == Errc::kNotFound) return {};
  if (!stats) return std::move(stats).error();
  for (const wire::QueueStats& queue : stats->queues) {
    MQ_TRY(const auto position, committed_offset(*rpc, kToolsGroup, topic, queue.queue_id));
    out.push_back({.group = group,
                   .broker = broker,
                   .queue = queue.queue_id,
                   .begin = queue.min_offset,
                   .end = queue.max_offset,
                   .settled = std::clamp(position.value_or(0), queue.min_offset,
                                         std::max(queue.min_offset, queue.max_offset))});
  }
  return {};
}

struct Pulled {
  Reply reply;
  std::int64_t next = 0;
};
Result<Pulled> pull(Rpc& rpc, const std::string& topic, std::int32_t queue, std::int64_t offset) {
  MQ_TRY(Reply reply,
         rpc.call(wire::kPullMessage, [&](std::string& out, const wire::Header& header) {
           wire::append_pull_request(out, header,
                                     {.group = kToolsGroup,
                                      .topic = topic,
                                      .queue_id = queue,
                                      .queue_offset = offset,
                                      .count_max = kPulledAtATime,
                                      .sys_flag = wire::kPullSubscription,
                                      .subscription = "*"});
         }));
  const bool known = reply.code() == wire::kSuccess || reply.code() == wire::kPullNotFound ||
                     reply.code() == wire::kPullRetryImmediately ||
                     reply.code() == wire::kPullOffsetMoved;
  if (!known) return remote_error(rpc.peer(), reply.command);
  MQ_TRY(const auto response, wire::decode_pull_response(reply.command));
  if (reply.code() != wire::kSuccess) reply.command.body = {};
  return Pulled{std::move(reply), response.next_offset};
}

Result<TopicAt> where_to_write(Cluster& cluster, const std::string& topic) {
  MQ_TRY(const auto route, cluster.route(topic));
  for (const TopicAt& at : route)
    if ((at.perm & kPermWrite) != 0 && at.write_queues > 0) return at;
  return Error{Errc::kDenied, fmt::format("topic '{}' may not be written", topic)};
}

}  // namespace

Result<std::vector<DeadQueue>> dead_queues(Cluster& cluster, std::string_view group) {
  std::vector<DeadQueue> out;
  MQ_TRY(const auto brokers, cluster.brokers());
  for (const BrokerAt& broker : brokers) {
    MQ_TRY(Rpc* const rpc, cluster.rpc(broker));
    MQ_CHECK(wait_until_readable(*rpc));
    if (!group.empty()) {
      MQ_CHECK(add_queues(cluster, broker, std::string(group), out));
      continue;
    }
    MQ_TRY(const auto table, topic_table(*rpc));
    for (const auto& [name, config] : table.topics) {
      if (name.starts_with(format::kDlqPrefix))
        MQ_CHECK(add_queues(cluster, broker, name.substr(format::kDlqPrefix.size()), out));
    }
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.group < b.group; });
  return out;
}

Result<void> each_dead_letter(Cluster& cluster, const DeadQueue& queue, std::int64_t from,
                              const VisitRecord& visit) {
  const std::string topic = topic_of(queue.group);
  for (std::int64_t at = std::max(from, queue.begin); at < queue.end;) {
    MQ_TRY(Rpc* const rpc, cluster.rpc(queue.broker));
    MQ_TRY(const Pulled pulled, pull(*rpc, topic, queue.queue, at));
    Bytes rest = pulled.reply.command.body;
    while (!rest.empty()) {
      MQ_TRY(const format::Record record, format::decode_record(rest, format::CheckBody::kNo));
      const Bytes bytes = rest.first(static_cast<std::size_t>(record.total_bytes));
      rest = rest.subspan(bytes.size());
      if (record.queue_offset.value() >= queue.end) return {};  // came later
      MQ_TRY(const bool more, visit(record, bytes));
      if (!more) return {};
    }
    if (pulled.next <= at) {
      return Error{Errc::kProtocol,
                   fmt::format("{}: nothing at {}/{}/{}, which should reach to {}",
                               queue.broker.name, topic, queue.queue, at, queue.end)};
    }
    at = pulled.next;
  }
  return {};
}

Result<void> settle(Cluster& cluster, const DeadQueue& queue, std::int64_t offset) {
  MQ_TRY(Rpc* const rpc, cluster.rpc(queue.broker));
  const std::string topic = topic_of(queue.group);
  return commit_offset(
      *rpc, {.group = kToolsGroup, .topic = topic, .queue_id = queue.queue, .offset = offset});
}

Result<void> resend(Cluster& cluster, const DeadQueue& queue, const format::Record& record,
                    const std::string& topic) {
  std::string properties(record.properties);
  for (const std::string_view name : kOfItsWay)
    properties = format::remove_property(properties, name);
  std::string target = topic;
  BrokerAt broker = queue.broker;
  if (topic.empty()) {
    if (!format::find_property(properties, format::kRetryTopic)) {
      return Error{Errc::kInvalid,
                   fmt::format("{}/{}: the message does not say which topic it is of", queue.queue,
                               record.queue_offset.value())};
    }
    target = std::string(format::kRetryPrefix) + queue.group;
  } else {
    properties = format::remove_property(properties, format::kRetryTopic);
    MQ_TRY(TopicAt at, where_to_write(cluster, topic));
    broker = std::move(at.broker);
  }
  MQ_TRY(Rpc* const rpc, cluster.rpc(broker));
  MQ_CHECK(rpc->ask(wire::kSendMessageV2, [&](std::string& out, const wire::Header& header) {
    wire::append_send_request(
        out, header,
        {.group = kToolsGroup,
         .topic = target,
         .sys_flag = record.sys_flag & (format::kFlagCompressed | format::kFlagCompressionMask),
         .born_timestamp_ms = record.born_timestamp_ms,
         .flag = record.flag,
         .properties = properties,
         .broker_name = broker.name,
         .sync = true},
        record.body.size());
    out += as_text(record.body);
  }));
  return {};
}

}  // namespace mq::client

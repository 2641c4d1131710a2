#include "client/groups.h"

#include <algorithm>
#include <array>
#include <set>

#include "client/remote_error.h"
#include "wire/codes.h"
#include "wire/offsets.h"

namespace mq::client {
namespace {

// Made by every broker for its own ends (semantics.md 9.4).
constexpr std::array<std::string_view, 8> kOwnGroups = {
    "TOOLS_CONSUMER",  "FILTERSRV_CONSUMER",    "SELF_TEST_C_GROUP", "CID_ONS-HTTP-PROXY",
    "CID_ONSAPI_PULL", "CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER",  "CID_RMQ_SYS_TRANS"};

template <typename T>
Result<T> from(const Rpc& rpc, Result<T> decoded) {
  if (!decoded) return std::move(decoded).error().within(rpc.peer());
  return decoded;
}

Rpc::Encode with_fields(std::vector<wire::Field> fields) {
  return [fields = std::move(fields)](std::string& out, const wire::Header& header) {
    wire::append_frame_head(out, header, fields, 0);
  };
}

Result<void> add_broker(Rpc& rpc, std::string_view group, std::string_view topic,
                        GroupProgress& out) {
  std::set<std::string> seen;
  const auto add = [&](std::string_view of) -> Result<void> {
    auto stats = consume_stats(rpc, group, of);
    if (!stats && stats.error().code() == Errc::kNotFound) return {};
    if (!stats) return std::move(stats).error();
    for (const auto& [queue, progress] : stats->queues) {
      seen.insert(queue.topic);
      out.queues[queue] = progress;
    }
    out.consume_tps += stats->consume_tps;
    return {};
  };
  MQ_TRY(const auto connections, consumer_connections(rpc, group));
  if (connections) {
    out.model = connections->model;
    out.subscriptions.insert(connections->subscriptions.begin(), connections->subscriptions.end());
    out.conflicts = connections->conflicts;
    // Members are in touch with every broker.
    for (const auto& one : connections->connections) {
      const bool known = std::any_of(out.members.begin(), out.members.end(),
                                     [&](const auto& m) { return m.client_id == one.client_id; });
      if (!known) out.members.push_back(one);
    }
  }
  if (!topic.empty()) return add(topic);
  MQ_CHECK(add({}));
  if (!connections || out.model == wire::MessageModel::kBroadcasting) return {};
  for (const auto& [name, subscription] : connections->subscriptions)
    if (!seen.contains(name)) MQ_CHECK(add(name));
  return {};
}

}  // namespace

bool is_own_group(std::string_view group) {
  return std::find(kOwnGroups.begin(), kOwnGroups.end(), group) != kOwnGroups.end() ||
         group.starts_with("CID_RMQ_SYS_");
}

Result<wire::GroupTable> group_table(Rpc& broker) {
  MQ_TRY(const Reply reply, broker.ask(wire::kGetAllSubscriptionGroupConfig));
  return from(broker, wire::decode_group_table(reply.body()));
}

Result<void> put_group(Rpc& broker, const wire::GroupConfig& config) {
  const std::string body = wire::encode_group_config(config);
  MQ_CHECK(broker.ask(wire::kUpdateAndCreateSubscriptionGroup,
                      [&body](std::string& out, const wire::Header& header) {
                        wire::append_frame(out, header, {}, as_bytes(body));
                      }));
  return {};
}

Result<void> delete_group(Rpc& broker, std::string_view group) {
  MQ_CHECK(broker.ask(wire::kDeleteSubscriptionGroup,
                      with_fields({{"groupName", group}, {"cleanOffset", true}})));
  return {};
}

Result<wire::ConsumeStats> consume_stats(Rpc& broker, std::string_view group,
                                         std::string_view topic) {
  std::vector<wire::Field> fields = {{"consumerGroup", group}};
  if (!topic.empty()) fields.emplace_back("topic", topic);
  MQ_TRY(const Reply reply, broker.ask(wire::kGetConsumeStats, with_fields(std::move(fields))));
  return from(broker, wire::decode_consume_stats(reply.body()));
}

Result<std::optional<wire::ConsumerConnections>> consumer_connections(Rpc& broker,
                                                                      std::string_view group) {
  MQ_TRY(const Reply reply,
         broker.call(wire::kGetConsumerConnectionList, with_fields({{"consumerGroup", group}})));
  if (reply.code() == wire::kConsumerNotOnline) return std::optional<wire::ConsumerConnections>();
  if (reply.code() != wire::kSuccess) return remote_error(broker.peer(), reply.command);
  MQ_TRY(auto out, from(broker, wire::decode_consumer_connections(reply.body())));
  return std::optional(std::move(out));
}

Result<wire::ProducerTable> producer_table(Rpc& broker) {
  MQ_TRY(const Reply reply, broker.ask(wire::kGetAllProducerInfo));
  return from(broker, wire::decode_producer_table(reply.body()));
}

Result<wire::QueueOffsets> reset_offsets(Rpc& broker, const wire::ResetOffsetRequest& request) {
  MQ_TRY(const Reply reply, broker.ask(wire::kInvokeBrokerToResetOffset,
                                       [&](std::string& out, const wire::Header& header) {
                                         wire::append_reset_offset_request(out, header, request);
                                       }));
  return from(broker, wire::decode_offset_table(reply.body()));
}

Result<void> commit_offset(Rpc& broker, const wire::UpdateOffsetRequest& request) {
  MQ_CHECK(
      broker.ask(wire::kUpdateConsumerOffset, [&](std::string& out, const wire::Header& header) {
        wire::append_update_offset_request(out, header, request);
      }));
  return {};
}

Result<std::optional<std::int64_t>> committed_offset(Rpc& broker, std::string_view group,
                                                     std::string_view topic, std::int32_t queue) {
  MQ_TRY(const Reply reply,
         broker.call(wire::kQueryConsumerOffset, [&](std::string& out, const wire::Header& header) {
           wire::append_query_offset_request(
               out, header,
               {.group = group, .topic = topic, .queue_id = queue, .zero_if_not_found = false});
         }));
  if (reply.code() == wire::kQueryNotFound) return std::optional<std::int64_t>();
  if (reply.code() != wire::kSuccess) return remote_error(broker.peer(), reply.command);
  MQ_TRY(const std::int64_t offset, wire::decode_offset_response(reply.command));
  return std::optional(offset);
}

std::int64_t GroupProgress::lag() const {
  std::int64_t out = 0;
  for (const auto& [queue, progress] : queues)
    out += std::max<std::int64_t>(0, progress.broker_offset - progress.consumer_offset);
  return out;
}

std::int64_t GroupProgress::behind_since_ms() const {
  std::int64_t out = 0;
  for (const auto& [queue, progress] : queues) {
    if (progress.broker_offset <= progress.consumer_offset || progress.last_timestamp_ms <= 0)
      continue;
    if (out == 0 || progress.last_timestamp_ms < out) out = progress.last_timestamp_ms;
  }
  return out;
}

Result<GroupProgress> group_progress(Cluster& cluster, std::string_view group,
                                     std::string_view topic) {
  GroupProgress out;
  MQ_TRY(const auto brokers, cluster.brokers());
  for (const BrokerAt& broker : brokers) {
    MQ_TRY(Rpc* const rpc, cluster.rpc(broker));
    MQ_CHECK(add_broker(*rpc, group, topic, out));
  }
  std::sort(out.members.begin(), out.members.end(),
            [](const auto& a, const auto& b) { return a.client_id < b.client_id; });
  return out;
}

Result<std::map<std::string, wire::GroupConfig>> all_groups(Cluster& cluster) {
  std::map<std::string, wire::GroupConfig> out;
  MQ_TRY(const auto brokers, cluster.brokers());
  for (const BrokerAt& broker : brokers) {
    MQ_TRY(Rpc* const rpc, cluster.rpc(broker));
    MQ_TRY(const auto table, group_table(*rpc));
    for (const auto& [name, config] : table.groups)
      if (!is_own_group(name)) out.emplace(name, config);
  }
  return out;
}

Result<std::map<std::string, wire::GroupConfig>> group_configs(Cluster& cluster,
                                                               std::string_view group) {
  std::map<std::string, wire::GroupConfig> out;
  MQ_TRY(const auto brokers, cluster.brokers());
  for (const BrokerAt& broker : brokers) {
    MQ_TRY(Rpc* const rpc, cluster.rpc(broker));
    MQ_TRY(const auto table, group_table(*rpc));
    const auto found = table.groups.find(std::string(group));
    if (found != table.groups.end()) out.emplace(broker.name, found->second);
  }
  return out;
}

}  // namespace mq::client

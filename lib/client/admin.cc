#include "client/admin.h"

#include <cstdlib>
#include <thread>

#include <fmt/format.h>

#include "base/clock.h"
#include "client/properties_text.h"
#include "format/record.h"
#include "wire/offsets.h"

namespace mq::client {
namespace {

Rpc::Encode topic_request(std::string_view topic, std::string_view cluster = {}) {
  return [topic, cluster](std::string& out, const wire::Header& header) {
    wire::append_topic_request(out, header, {.topic = topic, .cluster = cluster});
  };
}

// Names the peer in the error of a body that cannot be read.
template <typename T>
Result<T> from(const Rpc& rpc, Result<T> decoded) {
  if (!decoded) return std::move(decoded).error().within(rpc.peer());
  return decoded;
}

Result<Records> split_records(Reply reply) {
  Records out{std::move(reply), {}};
  Bytes rest = out.reply.command.body;
  while (!rest.empty()) {
    MQ_TRY(const format::Record record, format::decode_record(rest, format::CheckBody::kNo));
    const auto bytes = static_cast<std::size_t>(record.total_bytes);
    out.records.push_back(rest.first(bytes));
    rest = rest.subspan(bytes);
  }
  return out;
}

}  // namespace

Result<wire::KvTable> runtime_info(Rpc& broker) {
  MQ_TRY(const Reply reply, broker.ask(wire::kGetBrokerRuntimeInfo));
  return from(broker, wire::decode_kv_table(reply.body()));
}

Result<void> wait_until_readable(Rpc& broker, std::int64_t timeout_ms) {
  constexpr std::int64_t kAgainMs = 2;
  const auto number = [](wire::KvTable& table, const char* name) {
    return std::strtoll(table[name].c_str(), nullptr, 10);
  };
  const std::int64_t deadline_us = system_clock().monotonic_us() + timeout_ms * 1000;
  for (std::int64_t wanted = -1; system_clock().monotonic_us() < deadline_us;) {
    MQ_TRY(auto info, runtime_info(broker));
    const std::int64_t written = number(info, "commitLogMaxOffset");
    if (wanted < 0) wanted = written;
    if (written - number(info, "dispatchBehindBytes") >= wanted) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(kAgainMs));
  }
  return {};  // what is there by now is better than nothing
}

Result<wire::KvTable> broker_config(Rpc& broker) {
  MQ_TRY(const Reply reply, broker.ask(wire::kGetBrokerConfig));
  return parse_properties(reply.body());
}

Result<wire::TopicTable> topic_table(Rpc& broker) {
  MQ_TRY(const Reply reply, broker.ask(wire::kGetAllTopicConfig));
  return from(broker, wire::decode_topic_table(reply.body()));
}

Result<wire::TopicConfig> topic_config(Rpc& broker, std::string_view topic) {
  MQ_TRY(const Reply reply, broker.ask(wire::kGetTopicConfig, topic_request(topic)));
  return from(broker, wire::decode_topic_config(reply.body()));
}

Result<wire::TopicStats> topic_stats(Rpc& broker, std::string_view topic) {
  MQ_TRY(const Reply reply, broker.ask(wire::kGetTopicStatsInfo, topic_request(topic)));
  return from(broker, wire::decode_topic_stats(reply.body()));
}

Result<std::int64_t> search_offset(Rpc& broker, std::string_view topic, std::int32_t queue,
                                   std::int64_t time_ms) {
  MQ_TRY(
      const Reply reply,
      broker.ask(wire::kSearchOffsetByTimestamp, [&](std::string& out, const wire::Header& header) {
        wire::append_queue_bound_request(
            out, header, {.topic = topic, .queue_id = queue, .timestamp_ms = time_ms});
      }));
  return wire::decode_offset_response(reply.command);
}

Result<std::vector<std::string>> system_topics(Rpc& broker) {
  MQ_TRY(const Reply reply, broker.ask(wire::kGetSystemTopicListFromBroker));
  MQ_TRY(wire::TopicList list, from(broker, wire::decode_topic_list(reply.body())));
  return std::move(list.topics);
}

Result<void> put_topic(Rpc& broker, const wire::CreateTopicRequest& request) {
  MQ_CHECK(broker.ask(wire::kUpdateAndCreateTopic,
                      [&request](std::string& out, const wire::Header& header) {
                        wire::append_create_topic_request(out, header, request);
                      }));
  return {};
}

Result<void> delete_topic(Rpc& broker, std::string_view topic) {
  MQ_CHECK(broker.ask(wire::kDeleteTopicInBroker, topic_request(topic)));
  return {};
}

Result<wire::TopicRouteData> topic_route(Rpc& namesrv, std::string_view topic) {
  MQ_TRY(const Reply reply, namesrv.ask(wire::kGetRouteInfoByTopic, topic_request(topic)));
  return from(namesrv, wire::decode_topic_route(reply.body()));
}

Result<wire::ClusterInfo> cluster_info(Rpc& namesrv) {
  MQ_TRY(const Reply reply, namesrv.ask(wire::kGetBrokerClusterInfo));
  return from(namesrv, wire::decode_cluster_info(reply.body()));
}

Result<void> delete_topic_route(Rpc& namesrv, std::string_view topic, std::string_view cluster) {
  MQ_CHECK(namesrv.ask(wire::kDeleteTopicInNamesrv, topic_request(topic, cluster)));
  return {};
}

Result<void> delete_topic_everywhere(Cluster& cluster, std::string_view topic) {
  MQ_TRY(const auto brokers, cluster.brokers());
  for (const BrokerAt& broker : brokers) {
    MQ_TRY(Rpc* const rpc, cluster.rpc(broker));
    MQ_CHECK(delete_topic(*rpc, topic));
  }
  for (const net::Address& server : cluster.name_servers()) {
    auto rpc = cluster.rpc(server);
    if (!rpc) continue;  // it forgets the topic with the next registration of the brokers
    MQ_CHECK(delete_topic_route(**rpc, topic, {}));
  }
  return {};
}

Result<Records> view_message(Rpc& broker, std::int64_t physical_offset) {
  MQ_TRY(Reply reply, broker.ask(wire::kViewMessageById,
                                 [physical_offset](std::string& out, const wire::Header& header) {
                                   wire::append_view_message_request(out, header,
                                                                     {.offset = physical_offset});
                                 }));
  return from(broker, split_records(std::move(reply)));
}

Result<Records> query_message(Rpc& broker, const wire::QueryMessageRequest& request) {
  MQ_TRY(Reply reply,
         broker.ask(wire::kQueryMessage, [&request](std::string& out, const wire::Header& header) {
           wire::append_query_message_request(out, header, request);
         }));
  return from(broker, split_records(std::move(reply)));
}

}  // namespace mq::client

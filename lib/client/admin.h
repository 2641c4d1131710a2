// Questions to a broker or name server and changes of topics, one function a request (remoting.md
// 10, 13). Errors of all: those of Rpc::ask; kCorrupt when an answer's body cannot be read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/cluster.h"
#include "client/rpc.h"
#include "wire/query.h"
#include "wire/route.h"
#include "wire/topic.h"
#include "wire/topic_body.h"

namespace mq::client {

// R(28): the broker's table of runtime figures.
Result<wire::KvTable> runtime_info(Rpc& broker);
// Until everything that was acknowledged before the call can be read by queue and found by key,
// which brokers see to a moment later; at most that long. Errors: those of Rpc::ask.
Result<void> wait_until_readable(Rpc& broker, std::int64_t timeout_ms = 5000);
// R(26): `key=value` of a broker's configuration.
Result<wire::KvTable> broker_config(Rpc& broker);

// R(21): every topic of a broker.
Result<wire::TopicTable> topic_table(Rpc& broker);
// R(351). Errors: kNotFound.
Result<wire::TopicConfig> topic_config(Rpc& broker, std::string_view topic);
// R(202): the bounds of each queue. Errors: kNotFound.
Result<wire::TopicStats> topic_stats(Rpc& broker, std::string_view topic);
// R(29): the first offset stored at or after the time; max when there is none.
Result<std::int64_t> search_offset(Rpc& broker, std::string_view topic, std::int32_t queue,
                                   std::int64_t time_ms);
// R(305): topics that are the broker's own.
Result<std::vector<std::string>> system_topics(Rpc& broker);
// R(17): creates or alters. Errors: kInvalid with the broker's reason.
Result<void> put_topic(Rpc& broker, const wire::CreateTopicRequest& request);
// R(215). A topic that is not there is no error.
Result<void> delete_topic(Rpc& broker, std::string_view topic);

// Name server. R(105); errors: kNotFound.
Result<wire::TopicRouteData> topic_route(Rpc& namesrv, std::string_view topic);
// R(106).
Result<wire::ClusterInfo> cluster_info(Rpc& namesrv);
// From every broker that has it, and from the routes of every name server.
Result<void> delete_topic_everywhere(Cluster& cluster, std::string_view topic);
// R(216): takes the topic of this cluster out of the routes.
Result<void> delete_topic_route(Rpc& namesrv, std::string_view topic, std::string_view cluster);

// Stored records back to back. Views point into `reply`.
struct Records {
  Reply reply;
  std::vector<Bytes> records;
};
// R(33): the record at a physical offset. Errors: kRemote or kNotFound when there is none.
Result<Records> view_message(Rpc& broker, std::int64_t physical_offset);
// R(12): by key or, if `request.unique_key`, by UNIQ_KEY. Errors: kNotFound when there is none.
Result<Records> query_message(Rpc& broker, const wire::QueryMessageRequest& request);

}  // namespace mq::client

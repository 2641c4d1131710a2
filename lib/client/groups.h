// Consumer groups as administrators see them: their configuration, how far they are, who is on line
// (remoting.md 13.3, 13.4). Errors of all: those of Rpc::ask; kCorrupt when a body cannot be read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/cluster.h"
#include "client/rpc.h"
#include "wire/client_view.h"
#include "wire/consume_stats.h"
#include "wire/consumer_offset.h"
#include "wire/group_body.h"

namespace mq::client {

// Of those that every broker makes for its own ends?
[[nodiscard]] bool is_own_group(std::string_view group);
// R(201). Asking for one group alone would make a stock broker create it.
Result<wire::GroupTable> group_table(Rpc& broker);
// R(200): creates or replaces.
Result<void> put_group(Rpc& broker, const wire::GroupConfig& config);
// R(207): with what it has committed.
Result<void> delete_group(Rpc& broker, std::string_view group);
// R(208): of one topic, or ("") of all that the group has committed in.
Result<wire::ConsumeStats> consume_stats(Rpc& broker, std::string_view group,
                                         std::string_view topic = {});
// R(203); nothing when nobody of the group is on line.
Result<std::optional<wire::ConsumerConnections>> consumer_connections(Rpc& broker,
                                                                      std::string_view group);
// R(328).
Result<wire::ProducerTable> producer_table(Rpc& broker);
// R(222): takes effect with the next pull of each queue. What was set.
Result<wire::QueueOffsets> reset_offsets(Rpc& broker, const wire::ResetOffsetRequest& request);
// R(15), with an answer.
Result<void> commit_offset(Rpc& broker, const wire::UpdateOffsetRequest& request);

// R(14). Nothing when it has committed none.
Result<std::optional<std::int64_t>> committed_offset(Rpc& broker, std::string_view group,
                                                     std::string_view topic, std::int32_t queue);

// A group over all brokers.
struct GroupProgress {
  std::map<wire::MessageQueue, wire::QueueProgress> queues;
  double consume_tps = 0;
  std::vector<wire::ClientConnection> members;                  // by id
  std::map<std::string, wire::SubscriptionData> subscriptions;  // of those on line, by topic
  wire::MessageModel model = wire::MessageModel::kClustering;
  std::vector<std::string> conflicts;

  // Neither committed anywhere nor on line: nothing is known of how far it is.
  [[nodiscard]] bool is_unknown() const { return queues.empty() && members.empty(); }
  [[nodiscard]] std::int64_t lag() const;
  // Store time of the oldest message that was consumed last in a queue that lags; 0: none lags.
  [[nodiscard]] std::int64_t behind_since_ms() const;
};
// Of `topic`, or ("") of every topic that it has committed in or that its members subscribe.
Result<GroupProgress> group_progress(Cluster& cluster, std::string_view group,
                                     std::string_view topic = {});
// All groups that some broker knows; without the brokers' own.
Result<std::map<std::string, wire::GroupConfig>> all_groups(Cluster& cluster);
// One group as the brokers have it, by broker name.
Result<std::map<std::string, wire::GroupConfig>> group_configs(Cluster& cluster,
                                                               std::string_view group);

}  // namespace mq::client

// Bodies that show who is on line: R(38), R(203), R(204), R(328), and who consumes what: R(300),
// R(345) (remoting.md 6.7, 13.4). Encoders write strict JSON without blanks; decoders take
// fastjson's dialect. Errors of all decoders: kCorrupt.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/heartbeat.h"

namespace mq::wire {

// R(38): {"consumerIdList":[…]}.
[[nodiscard]] std::string encode_consumer_ids(const std::vector<std::string>& ids);
Result<std::vector<std::string>> decode_consumer_ids(std::string_view body);

struct ClientConnection {
  std::string client_id;
  std::string address;  // "ip:port"
  std::string language = "JAVA";
  std::int32_t version = 0;
  friend bool operator==(const ClientConnection&, const ClientConnection&) = default;
};

// R(203).
struct ConsumerConnections {
  std::vector<ClientConnection> connections;
  ConsumeType type = ConsumeType::kPassively;
  MessageModel model = MessageModel::kClustering;
  ConsumeFrom from = ConsumeFrom::kLastOffset;
  std::map<std::string, SubscriptionData> subscriptions;  // by topic
  // Ours: members that subscribe different things, a line each. Others pass it over.
  std::vector<std::string> conflicts;
  friend bool operator==(const ConsumerConnections&, const ConsumerConnections&) = default;
};
[[nodiscard]] std::string encode_consumer_connections(const ConsumerConnections& view);
Result<ConsumerConnections> decode_consumer_connections(std::string_view body);

// R(204): {"connectionSet":[…]}.
[[nodiscard]] std::string encode_producer_connections(const std::vector<ClientConnection>& list);
Result<std::vector<ClientConnection>> decode_producer_connections(std::string_view body);

// R(328): {"data":{group:[…]}}.
struct ProducerInfo {
  ClientConnection connection;
  std::int64_t last_update_ms = 0;
  friend bool operator==(const ProducerInfo&, const ProducerInfo&) = default;
};
using ProducerTable = std::map<std::string, std::vector<ProducerInfo>>;
[[nodiscard]] std::string encode_producer_table(const ProducerTable& table);
Result<ProducerTable> decode_producer_table(std::string_view body);

// R(300): {"groupList":[…]}.
[[nodiscard]] std::string encode_group_list(const std::vector<std::string>& groups);
Result<std::vector<std::string>> decode_group_list(std::string_view body);

// R(345).
struct GroupSubscription {
  std::string group;
  std::string topic;
  std::optional<SubscriptionData> data;  // nothing: not subscribed now
  friend bool operator==(const GroupSubscription&, const GroupSubscription&) = default;
};
[[nodiscard]] std::string encode_group_subscription(const GroupSubscription& subscription);
Result<GroupSubscription> decode_group_subscription(std::string_view body);

}  // namespace mq::wire

// Routes: bodies of R(105), R(106) and R(901) (remoting.md 10.2, 10.5, 10.6). Encoders quote the
// broker ids and write no blanks, which every client reads; decoders take bare keys as well.
// Errors: kCorrupt.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mq::wire {

struct BrokerData {
  std::string cluster;
  std::string name;
  std::map<std::int64_t, std::string> addrs;  // broker id, 0 the master, to `ip:port`
  bool enable_acting_master = false;
  std::string zone{};  // left out when empty
  friend bool operator==(const BrokerData&, const BrokerData&) = default;
};
struct QueueData {
  std::string broker_name;
  std::int32_t read_queues = 0;
  std::int32_t write_queues = 0;
  std::int32_t perm = 0;
  std::int32_t topic_sys_flag = 0;
  friend bool operator==(const QueueData&, const QueueData&) = default;
};
struct TopicRouteData {
  std::vector<BrokerData> brokers;
  std::vector<QueueData> queues;
  std::string order_topic_conf{};                                    // left out when empty
  std::map<std::string, std::vector<std::string>> filter_servers{};  // by broker address
  // Of static topics: broker name to its JSON, as the broker sent it. Left out when empty.
  std::map<std::string, std::string> mappings{};
  friend bool operator==(const TopicRouteData&, const TopicRouteData&) = default;
};
[[nodiscard]] std::string encode_topic_route(const TopicRouteData& route);
Result<TopicRouteData> decode_topic_route(std::string_view body);

struct ClusterInfo {
  std::map<std::string, BrokerData> brokers;                 // by name
  std::map<std::string, std::vector<std::string>> clusters;  // cluster to broker names
  friend bool operator==(const ClusterInfo&, const ClusterInfo&) = default;
};
[[nodiscard]] std::string encode_cluster_info(const ClusterInfo& info);
Result<ClusterInfo> decode_cluster_info(std::string_view body);

// R(901): the brokers of one name. Without any, the addresses are empty.
[[nodiscard]] std::string encode_member_group(const BrokerData& broker);
Result<BrokerData> decode_member_group(std::string_view body);

}  // namespace mq::wire

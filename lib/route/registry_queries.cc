// What the tables say: routes and lists.
#include <algorithm>

#include <fmt/format.h>

#include "route/registry.h"

namespace mq::route {
namespace {

constexpr std::int32_t kPermWrite = 2;
constexpr std::int32_t kFlagUnit = 1;
constexpr std::int32_t kFlagUnitSubscribed = 2;
// Tells brokers who their fellows are: an acting master must not look like a master here.
constexpr std::string_view kMemberTopicPrefix = "rmq_sys_SYNC_BROKER_MEMBER_";

}  // namespace

Result<wire::TopicRouteData> Registry::route(std::string_view topic) const {
  const MutexLock lock(mu_);
  wire::TopicRouteData out;
  if (const auto at = topics_.find(topic); at != topics_.end()) {
    for (const auto& [broker, queues] : at->second) {
      out.queues.push_back(queues);
      const auto known = brokers_.find(broker);
      if (known == brokers_.end()) continue;
      out.brokers.push_back(known->second);
      for (const auto& [id, address] : known->second.addrs)
        if (const auto servers = filters_.find({known->second.cluster, address});
            servers != filters_.end())
          out.filter_servers[address] = servers->second;
    }
  }
  if (out.brokers.empty()) {
    return Error{Errc::kNotFound,
                 fmt::format("No topic route info in name server for the topic: {}", topic)};
  }
  if (const auto mapped = mappings_.find(topic); mapped != mappings_.end())
    out.mappings.insert(mapped->second.begin(), mapped->second.end());
  if (options_.support_acting_master) show_acting_masters(topic, out);
  return out;
}

// So that clients which know nothing of acting masters can read from one.
void Registry::show_acting_masters(std::string_view topic, wire::TopicRouteData& route) const {
  if (topic.starts_with(kMemberTopicPrefix)) return;
  for (wire::BrokerData& broker : route.brokers) {
    if (broker.addrs.empty() || broker.addrs.contains(kMasterId) || !broker.enable_acting_master)
      continue;
    const auto queues = std::find_if(route.queues.begin(), route.queues.end(),
                                     [&](const auto& q) { return q.broker_name == broker.name; });
    if (queues == route.queues.end() || (queues->perm & kPermWrite) != 0) continue;
    auto member = broker.addrs.extract(broker.addrs.begin());
    member.key() = kMasterId;
    broker.addrs.insert(std::move(member));
  }
}

wire::ClusterInfo Registry::cluster_info() const {
  const MutexLock lock(mu_);
  wire::ClusterInfo out;
  out.brokers.insert(brokers_.begin(), brokers_.end());
  for (const auto& [cluster, members] : clusters_)
    out.clusters[cluster].assign(members.begin(), members.end());
  return out;
}

wire::BrokerData Registry::member_group(std::string_view cluster, std::string_view broker) const {
  const MutexLock lock(mu_);
  const auto at = brokers_.find(broker);
  if (at != brokers_.end() && at->second.cluster == cluster) return at->second;
  return {.cluster = std::string(cluster), .name = std::string(broker), .addrs = {}};
}

std::vector<std::string> Registry::topics() const {
  const MutexLock lock(mu_);
  std::vector<std::string> out;
  for (const auto& [topic, queues] : topics_) out.push_back(topic);
  return out;
}

std::vector<std::string> Registry::topics_of_cluster(std::string_view cluster) const {
  const MutexLock lock(mu_);
  std::vector<std::string> out;
  const auto members = clusters_.find(cluster);
  if (members == clusters_.end()) return out;
  for (const auto& [topic, queues] : topics_) {
    const bool here = std::any_of(queues.begin(), queues.end(), [&](const auto& of_broker) {
      return members->second.contains(of_broker.first);
    });
    if (here) out.push_back(topic);
  }
  return out;
}

wire::TopicList Registry::system_topics() const {
  const MutexLock lock(mu_);
  wire::TopicList out;
  for (const auto& [cluster, members] : clusters_) {
    out.topics.push_back(cluster);
    out.topics.insert(out.topics.end(), members.begin(), members.end());
  }
  for (const auto& [name, broker] : brokers_) {
    if (broker.addrs.empty()) continue;
    out.broker_addr = broker.addrs.begin()->second;
    break;
  }
  return out;
}

std::vector<std::string> Registry::unit_topics(Unit which) const {
  const MutexLock lock(mu_);
  std::vector<std::string> out;
  for (const auto& [topic, queues] : topics_) {
    if (queues.empty()) continue;
    const std::int32_t flags = queues.begin()->second.topic_sys_flag;
    const bool is_unit = (flags & kFlagUnit) != 0;
    const bool is_subscribed = (flags & kFlagUnitSubscribed) != 0;
    const bool wanted = which == Unit::kUnit         ? is_unit
                        : which == Unit::kSubscribed ? is_subscribed
                                                     : is_subscribed && !is_unit;
    if (wanted) out.push_back(topic);
  }
  return out;
}

void keep_zone(wire::TopicRouteData& route, std::string_view zone) {
  const auto same_zone = [&](const std::string& other) {
    return std::equal(zone.begin(), zone.end(), other.begin(), other.end(), [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) ==
             std::tolower(static_cast<unsigned char>(b));
    });
  };
  std::set<std::string> kept;
  std::erase_if(route.brokers, [&](const wire::BrokerData& broker) {
    const bool keep = !broker.addrs.contains(kMasterId) || same_zone(broker.zone);
    if (keep) kept.insert(broker.name);
    return !keep;
  });
  std::erase_if(route.queues,
                [&](const wire::QueueData& queues) { return !kept.contains(queues.broker_name); });
  std::erase_if(route.filter_servers, [&](const auto& server) {
    return std::none_of(route.brokers.begin(), route.brokers.end(), [&](const auto& broker) {
      return std::any_of(broker.addrs.begin(), broker.addrs.end(),
                         [&](const auto& member) { return member.second == server.first; });
    });
  });
}

}  // namespace mq::route

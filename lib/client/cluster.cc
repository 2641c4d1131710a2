#include "client/cluster.h"

#include <algorithm>

#include <fmt/format.h>

#include "client/admin.h"

namespace mq::client {
namespace {

// What a producer makes of a topic that nobody has yet: the template, and at most that many queues.
constexpr std::string_view kTemplateTopic = "TBW102";
constexpr std::int32_t kDefaultQueues = 4;

Error no_topic(std::string_view topic) {
  return Error{Errc::kNotFound, fmt::format("topic '{}' does not exist", topic)};
}

}  // namespace

Result<Cluster> Cluster::of_broker(const net::Address& address, const Rpc::Options& options) {
  Cluster out(options);
  MQ_TRY(Rpc* const rpc, out.rpc(address));
  MQ_TRY(auto config, broker_config(*rpc));
  out.single_ = {
      .name = config["brokerName"], .cluster = config["brokerClusterName"], .address = address};
  return out;
}

Result<Cluster> Cluster::of_name_servers(std::vector<net::Address> servers,
                                         const Rpc::Options& options) {
  Cluster out(options);
  out.servers_ = std::move(servers);
  MQ_CHECK(out.directory());
  return out;
}

Result<Rpc*> Cluster::rpc(const net::Address& address) {
  const std::string key = net::to_string(address);
  const auto found = connections_.find(key);
  if (found != connections_.end() && !found->second->is_broken()) return found->second.get();
  MQ_TRY(Rpc rpc, Rpc::connect(address, options_));
  auto& kept = connections_[key];
  kept = std::make_unique<Rpc>(std::move(rpc));
  return kept.get();
}

Result<Rpc*> Cluster::directory() {
  if (is_single()) return rpc(single_);
  std::string tried;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const std::size_t at = (server_ + i) % servers_.size();
    auto connected = rpc(servers_[at]);
    if (connected) {
      server_ = at;
      return connected;
    }
    tried += (tried.empty() ? "" : "; ") + connected.error().text();
  }
  return Error{Errc::kUnavailable, "no name server answers: " + tried};
}

Result<std::vector<BrokerAt>> Cluster::brokers() {
  if (is_single()) return std::vector<BrokerAt>{single_};
  MQ_TRY(Rpc* const server, directory());
  MQ_TRY(const wire::ClusterInfo info, cluster_info(*server));
  std::vector<BrokerAt> out;
  for (const auto& [name, broker] : info.brokers) {
    const auto master = broker.addrs.find(0);
    if (master == broker.addrs.end()) continue;
    MQ_TRY(net::Address address, net::parse_address(master->second));
    out.push_back({name, broker.cluster, std::move(address)});
  }
  if (out.empty()) {
    return Error{Errc::kUnavailable, fmt::format("name server {} knows no broker", server->peer())};
  }
  return out;
}

Result<BrokerAt> Cluster::broker(std::string_view name) {
  MQ_TRY(const auto all, brokers());
  for (const BrokerAt& one : all)
    if (one.name == name) return one;
  return Error{Errc::kNotFound, fmt::format("no broker '{}'", name)};
}

Result<std::vector<TopicAt>> Cluster::masters_of(const wire::TopicRouteData& route) {
  std::vector<TopicAt> out;
  for (const wire::QueueData& queue : route.queues) {
    const auto broker =
        std::find_if(route.brokers.begin(), route.brokers.end(),
                     [&](const wire::BrokerData& b) { return b.name == queue.broker_name; });
    if (broker == route.brokers.end()) continue;
    const auto master = broker->addrs.find(0);
    if (master == broker->addrs.end()) continue;
    MQ_TRY(net::Address address, net::parse_address(master->second));
    out.push_back({{broker->name, broker->cluster, std::move(address)},
                   queue.read_queues,
                   queue.write_queues,
                   queue.perm});
  }
  std::sort(out.begin(), out.end(),
            [](const TopicAt& a, const TopicAt& b) { return a.broker.name < b.broker.name; });
  return out;
}

Result<std::vector<TopicAt>> Cluster::route_of_single(std::string_view topic) {
  MQ_TRY(Rpc* const broker, rpc(single_));
  auto config = topic_config(*broker, topic);
  if (!config) {
    if (config.error().code() == Errc::kNotFound) return no_topic(topic);
    return std::move(config).error();
  }
  return std::vector<TopicAt>{{single_, config->read_queues, config->write_queues, config->perm}};
}

Result<std::vector<TopicAt>> Cluster::route(std::string_view topic) {
  if (is_single()) return route_of_single(topic);
  MQ_TRY(Rpc* const server, directory());
  auto route = topic_route(*server, topic);
  if (!route) {
    if (route.error().code() == Errc::kNotFound) return no_topic(topic);
    return std::move(route).error();
  }
  MQ_TRY(auto out, masters_of(*route));
  if (out.empty()) {
    return Error{Errc::kUnavailable,
                 fmt::format("topic '{}': no broker that has it is on line", topic)};
  }
  return out;
}

Result<std::vector<TopicAt>> Cluster::default_route() {
  if (is_single())
    return std::vector<TopicAt>{{single_, kDefaultQueues, kDefaultQueues, /*perm=*/6}};
  auto out = route(kTemplateTopic);
  if (!out) {
    if (out.error().code() == Errc::kNotFound) return std::vector<TopicAt>();
    return out;
  }
  for (TopicAt& at : *out) {
    at.read_queues = at.write_queues = std::min(at.read_queues, kDefaultQueues);
    at.perm = 6;
  }
  return out;
}

}  // namespace mq::client

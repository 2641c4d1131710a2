// The brokers that a tool works with: those that name servers know, or one that was named. Keeps a
// connection for questions to each. One thread at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/rpc.h"
#include "net/address.h"
#include "wire/route.h"

namespace mq::client {

// A master.
struct BrokerAt {
  std::string name;
  std::string cluster;
  net::Address address;
};

// What one broker has of a topic.
struct TopicAt {
  BrokerAt broker;
  std::int32_t read_queues = 0;
  std::int32_t write_queues = 0;
  std::int32_t perm = 0;  // bits 2 write, 4 read
};

class Cluster {
 public:
  // One broker, asked itself for everything, whatever cluster it belongs to. Errors: those of
  // Rpc::connect, and of asking for its name.
  static Result<Cluster> of_broker(const net::Address& address, const Rpc::Options& options);
  // Connects to the first that answers, and on failure to the next. Errors: kUnavailable naming
  // each with its reason.
  static Result<Cluster> of_name_servers(std::vector<net::Address> servers,
                                         const Rpc::Options& options);

  // Masters by name. Errors: those of Rpc::ask.
  Result<std::vector<BrokerAt>> brokers();
  Result<BrokerAt> broker(std::string_view name);  // kNotFound
  // The masters that have the topic, by name. Errors: kNotFound.
  Result<std::vector<TopicAt>> route(std::string_view topic);
  // Those where a topic that nobody has yet would be made by the first send; empty: nowhere. Their
  // queue counts are what it would get.
  Result<std::vector<TopicAt>> default_route();

  // The connection to that broker, made anew if it broke. Valid until the cluster is gone or the
  // connection breaks.
  Result<Rpc*> rpc(const BrokerAt& broker) { return rpc(broker.address); }
  Result<Rpc*> rpc(const net::Address& address);
  // A name server that answers; of one broker that broker itself, which may know the codes of name
  // servers or not.
  Result<Rpc*> directory();

  // Was one broker named?
  [[nodiscard]] bool is_single() const noexcept { return servers_.empty(); }
  [[nodiscard]] const std::vector<net::Address>& name_servers() const noexcept { return servers_; }

 private:
  explicit Cluster(const Rpc::Options& options) : options_(options) {}
  Result<std::vector<TopicAt>> route_of_single(std::string_view topic);
  Result<std::vector<TopicAt>> masters_of(const wire::TopicRouteData& route);

  Rpc::Options options_;
  BrokerAt single_;
  std::vector<net::Address> servers_;
  std::size_t server_ = 0;  // the one in use
  std::map<std::string, std::unique_ptr<Rpc>, std::less<>> connections_;
};

}  // namespace mq::client

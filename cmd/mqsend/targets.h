// The queues that messages of a topic may go to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/cluster.h"
#include "options.h"

namespace mq::mqsend {

struct Target {
  std::size_t broker = 0;  // index in Targets::brokers()
  std::int32_t queue = 0;
};

// The publish list of a topic, by broker name and queue, as official clients have it: all brokers
// build the same list, so a hash means the same queue to all of them.
struct TopicTargets {
  std::string topic;
  std::vector<Target> all;
  std::uint32_t round = 0;     // whose turn it is
  bool keeps_batches = false;  // queue.type=BatchCQ: a batch stays one record if it has an id
};

class Targets {
 public:
  Targets(client::Cluster& cluster, const Options& options)
      : cluster_(cluster), options_(options) {}

  // Looks the topic up, or makes it with --create; kept for good. Errors: kInvalid (-p names no
  // queue), kDenied (nowhere may be written), those of the cluster.
  Result<TopicTargets*> of(const std::string& topic);
  [[nodiscard]] const std::vector<client::BrokerAt>& brokers() const noexcept { return brokers_; }

 private:
  // A broker that cannot tell has no such topics.
  bool keeps_batches(const client::BrokerAt& broker, const std::string& topic);
  Result<std::vector<client::TopicAt>> find_or_create(const std::string& topic);
  std::size_t index_of(const client::BrokerAt& broker);

  client::Cluster& cluster_;
  const Options& options_;
  std::vector<client::BrokerAt> brokers_;
  std::map<std::string, TopicTargets> topics_;
};

}  // namespace mq::mqsend

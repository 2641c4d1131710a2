// What a name server says of a cluster that consists of this one broker. Pure functions.
#pragma once

#include <string>

#include "wire/route.h"

namespace mq::route {

struct Self {
  std::string cluster;
  std::string broker;
  std::int64_t id = 0;
  std::string address;  // ip:port as clients use it
};

// `queues.broker_name` is filled in here.
[[nodiscard]] wire::TopicRouteData topic_route(const Self& self, wire::QueueData queues);
[[nodiscard]] wire::ClusterInfo cluster_info(const Self& self);

}  // namespace mq::route

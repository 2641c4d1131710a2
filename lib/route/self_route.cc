#include "route/self_route.h"

namespace mq::route {
namespace {

wire::BrokerData broker_data(const Self& self) {
  return {.cluster = self.cluster, .name = self.broker, .addrs = {{self.id, self.address}}};
}

}  // namespace

wire::TopicRouteData topic_route(const Self& self, wire::QueueData queues) {
  queues.broker_name = self.broker;
  return {.brokers = {broker_data(self)}, .queues = {std::move(queues)}};
}

wire::ClusterInfo cluster_info(const Self& self) {
  return {.brokers = {{self.broker, broker_data(self)}},
          .clusters = {{self.cluster, {self.broker}}}};
}

}  // namespace mq::route

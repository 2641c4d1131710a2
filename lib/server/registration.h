// This broker's registration: in the tables of its own name server at once, with the others that
// are configured by a thread each (client::Registrar).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "broker/config.h"
#include "broker/topics.h"
#include "client/registrar.h"
#include "net/address.h"
#include "route/registry.h"
#include "route/self.h"

namespace mq::server {

class Registration {
 public:
  // All borrowed, all outlive this.
  Registration(route::Registry& own, broker::Topics& topics, const broker::BrokerConfig& config,
               Clock& clock, const route::Self& self, std::vector<net::Address> name_servers);
  ~Registration();  // stop()

  // From here on every change of a topic is registered.
  void start();
  // Leaves all tables; the other name servers are told. Idempotent.
  void stop();
  // Now and then: says everything again in the own tables, as brokers do with any name server, so
  // that a topic deleted there alone comes back.
  void refresh();
  // Everything, everywhere, soon: what is said of all topics has changed.
  void register_again();
  [[nodiscard]] std::vector<client::Registrar::Status> status() const;

 private:
  void on_change(const broker::Topics::Changes& changes);
  [[nodiscard]] wire::TopicConfig registered_form(const format::TopicConfig& topic) const;
  [[nodiscard]] wire::TopicTable all() const;
  void register_here(wire::TopicTable topics);

  route::Registry& own_;
  broker::Topics& topics_;
  const broker::BrokerConfig& config_;
  Clock& clock_;
  const route::Self self_;
  client::Registrar others_;
  bool running_ = false;
};

// Where replicas find this broker.
[[nodiscard]] std::string ha_address(const broker::BrokerConfig& config, const route::Self& self);

}  // namespace mq::server

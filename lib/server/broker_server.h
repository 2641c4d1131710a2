// Joins request codes to their meaning: the handler of every connection of mqd, broker and name
// server in one.
//
// on_frame runs on the connection's I/O thread and never waits for a disk. Answers of one read
// leave together.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "broker/config.h"
#include "broker/consumer_filters.h"
#include "broker/consumer_groups.h"
#include "broker/consumer_offsets.h"
#include "broker/group_configs.h"
#include "broker/live_config.h"
#include "broker/long_poll.h"
#include "broker/postpone.h"
#include "broker/producer_groups.h"
#include "broker/queue_locks.h"
#include "broker/sql_cache.h"
#include "broker/stats.h"
#include "broker/timer.h"
#include "broker/topics.h"
#include "broker/transactions.h"
#include "format/record.h"
#include "net/server.h"
#include "route/self.h"
#include "server/name_server.h"
#include "store/message_store.h"
#include "wire/command.h"

namespace mq::broker {
class Access;
struct PopService;
}  // namespace mq::broker
namespace mq::client {
class TopicRoutes;
}

namespace mq::server {

class ClientChannel;

// What the handlers work on; all borrowed, all outlive the server's last connection.
struct Parts {
  store::MessageStore& store;
  broker::Topics& topics;
  broker::GroupConfigs& groups;
  broker::ConsumerGroups& consumers;
  broker::ProducerGroups& producers;
  broker::ConsumerOffsets& offsets;
  broker::SqlCache& sql;
  broker::ConsumerFilters& filters;
  broker::QueueLocks& locks;
  ClientChannel& clients;
  broker::LongPolls& polls;
  broker::Transactions& transactions;
  broker::Stats& stats;
  NameServer& names;
  const broker::BrokerConfig& config;
  broker::LiveConfig& live;
  Clock& clock;
  broker::PostponeRules postpone;
  broker::Timer& timer;
  broker::PopService& pop;
  broker::Access& access;
  client::TopicRoutes* routes = nullptr;  // of other name servers; null: there are none
  route::Self self;
  format::Host store_host;  // the advertised address, as records carry it
  std::int64_t boot_ms = 0;
  std::function<net::Server::Stats()> net_stats;
};

class BrokerServer final : public net::Handler {
 public:
  explicit BrokerServer(Parts parts);

  void on_open(net::Connection& connection) override;
  void on_input(net::Connection& connection, Bytes input) override;
  void on_frame(net::Connection& connection, Bytes frame) override;
  void on_close(net::Connection& connection) override;

  // Once a second: what clients were asked and have not answered, and clients that fell silent,
  // end.
  void tick();

 private:
  void dispatch(net::Connection& connection, const wire::Command& request, Bytes frame);
  Parts parts_;
  const bool checks_access_;
  std::int64_t expire_due_us_ = 0;
};

}  // namespace mq::server

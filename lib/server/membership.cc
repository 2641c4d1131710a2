#include "server/membership.h"

#include <array>

#include "base/log.h"
#include "server/client_channel.h"
#include "wire/codes.h"

namespace mq::server {

void tell_members(const Parts& p, const broker::GroupChange& change, net::Connection* own) {
  if (change.connections.empty()) return;
  if (const auto group = p.groups.find(change.group);
      group != nullptr && !group->notify_consumer_ids_changed) {
    return;
  }
  const std::array<wire::Field, 1> ext = {wire::Field{"consumerGroup", change.group}};
  const ClientChannel::Request notice{.code = wire::kNotifyConsumerIdsChanged, .ext = ext};
  for (const std::uint64_t connection : change.connections) {
    if (own != nullptr && own->id() == connection) {
      p.clients.tell_now(*own, notice);
    } else {
      (void)p.clients.tell(connection, notice);
    }
  }
}

void forget_clients(const Parts& p, const net::Connection& connection) {
  p.producers.connection_closed(connection.id());
  for (const broker::GroupChange& change : p.consumers.connection_closed(connection.id())) {
    log::debug("group '{}': {}:{} is gone", change.group, connection.peer_ip(),
               connection.peer_port());
    tell_members(p, change, nullptr);
  }
}

void expire_clients(const Parts& p) {
  const std::int64_t now_ms = p.clock.now_ms();
  const auto consumers = p.consumers.expire(now_ms);
  for (const broker::GroupChange& change : consumers.changes) {
    log::info("group '{}': a member has been silent for {} s and is out", change.group,
              broker::ConsumerGroups::kExpiryMs / 1000);
    tell_members(p, change, nullptr);
  }
  for (const std::uint64_t connection : consumers.connections) p.clients.close(connection);
  for (const std::uint64_t connection : p.producers.expire(now_ms)) p.clients.close(connection);
  p.locks.expire(now_ms);
}

}  // namespace mq::server

// What follows from clients coming and going: members are told, silent ones are closed.
// Private to server.
#pragma once

#include "broker/consumer_groups.h"
#include "server/broker_server.h"

namespace mq::server {

// R(40) to the members of the group, unless it does not want that (notifyConsumerIdsChangedEnable).
// `own`: the connection on whose thread this runs; it is told at once, before what is answered to
// it next.
void tell_members(const Parts& p, const broker::GroupChange& change, net::Connection* own);

// The connection has ended: its clients are gone, and who is left is told.
void forget_clients(const Parts& p, const net::Connection& connection);

// About every 10 s: clients that have been silent for too long leave and are closed.
void expire_clients(const Parts& p);

}  // namespace mq::server

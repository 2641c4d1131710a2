// R(39): asks a producer what became of a transaction. Nobody waits for an answer; it comes, if it
// does, as R(37), from whichever member of the group was asked.
#pragma once

#include <string_view>

#include "broker/producer_groups.h"
#include "broker/transaction_checks.h"
#include "server/client_channel.h"

namespace mq::server {

// Asks the next member of the group; false when none is on line. Any thread.
bool ask_producer(broker::ProducerGroups& producers, ClientChannel& clients,
                  std::string_view broker_name,
                  const broker::TransactionChecks::Question& question);

}  // namespace mq::server

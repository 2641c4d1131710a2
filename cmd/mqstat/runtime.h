// What a broker says of itself (GET_BROKER_RUNTIME_INFO): its figures by name.
#pragma once

#include <functional>
#include <string>

#include "client/cluster.h"
#include "client/rpc.h"
#include "wire/topic_body.h"

namespace mq::mqstat {

// Of a name that is not there: "", 0.
[[nodiscard]] std::string text(const wire::KvTable& table, const char* name);
[[nodiscard]] std::int64_t number(const wire::KvTable& table, const char* name);
// Of several rates the first: over the last ten seconds.
[[nodiscard]] double rate(const wire::KvTable& table, const char* name);

// Calls `look` with each broker's figures. Errors: those of the cluster, and of `look`.
using LookAtBroker = std::function<Result<void>(const client::BrokerAt& broker, client::Rpc& rpc,
                                                const wire::KvTable& figures)>;
Result<void> for_each_broker(client::Cluster& cluster, const LookAtBroker& look);

}  // namespace mq::mqstat

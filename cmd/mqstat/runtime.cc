#include "runtime.h"

#include <cstdlib>

#include "client/admin.h"

namespace mq::mqstat {

std::string text(const wire::KvTable& table, const char* name) {
  const auto at = table.find(name);
  return at == table.end() ? std::string() : at->second;
}
std::int64_t number(const wire::KvTable& table, const char* name) {
  return std::atoll(text(table, name).c_str());
}
double rate(const wire::KvTable& table, const char* name) {
  return std::atof(text(table, name).c_str());
}

Result<void> for_each_broker(client::Cluster& cluster, const LookAtBroker& look) {
  MQ_TRY(const auto brokers, cluster.brokers());
  for (const client::BrokerAt& broker : brokers) {
    MQ_TRY(client::Rpc* const rpc, cluster.rpc(broker));
    MQ_TRY(const auto figures, client::runtime_info(*rpc));
    MQ_CHECK(look(broker, *rpc, figures));
  }
  return {};
}

}  // namespace mq::mqstat

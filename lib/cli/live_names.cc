#include "cli/live_names.h"

#include <algorithm>
#include <set>

#include "cli/where.h"
#include "client/admin.h"
#include "client/groups.h"

namespace mq::cli {
namespace {

constexpr std::int64_t kTimeoutMs = 1000;

CommonOptions where_of(const Glance& seen) {
  CommonOptions common;
  const auto from = [&](const char* flag, const char* variable) {
    if (const std::string* given = seen.value_of(flag)) return *given;
    return environment(variable);
  };
  common.namesrv = seen.value_of("--namesrv") != nullptr ? *seen.value_of("--namesrv") : "";
  if (common.namesrv.empty()) common.broker = from("--broker", "MQ_BROKER");
  if (common.broker.empty() && common.namesrv.empty()) common.namesrv = environment("MQ_NAMESRV");
  if (common.broker.empty() && common.namesrv.empty()) common.namesrv = environment("NAMESRV_ADDR");
  if (!common.broker.empty() || !common.namesrv.empty()) return common;
  const std::string profile = from("--profile", "MQ_PROFILE");
  if (auto loaded = load_profile(profile.empty() ? "default" : profile)) {
    common.broker = loaded->values["broker"];
    if (common.broker.empty()) common.namesrv = loaded->values["namesrv"];
  }
  return common;
}

Result<void> add_topics(client::Rpc& broker, std::set<std::string>& out) {
  MQ_TRY(const auto table, client::topic_table(broker));
  MQ_TRY(const auto own, client::system_topics(broker));
  for (const auto& [name, config] : table.topics) {
    if (std::find(own.begin(), own.end(), name) == own.end()) out.insert(name);
  }
  return {};
}
Result<void> add_groups(client::Rpc& broker, std::set<std::string>& out) {
  MQ_TRY(const auto table, client::group_table(broker));
  for (const auto& [name, config] : table.groups)
    if (!client::is_own_group(name)) out.insert(name);
  return {};
}

}  // namespace

std::vector<std::string> live_names(const Glance& seen, Names which) {
  std::set<std::string> names;
  auto cluster = open_cluster(where_of(seen), kTimeoutMs);
  if (!cluster) return {};
  auto brokers = cluster->brokers();
  if (!brokers) return {};
  for (const client::BrokerAt& broker : *brokers) {
    auto rpc = cluster->rpc(broker);
    if (!rpc) continue;
    // What one does not tell, the others may.
    if (which == Names::kTopics) {
      (void)add_topics(**rpc, names);
    } else {
      (void)add_groups(**rpc, names);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace mq::cli

// mqctl ns list|config: name servers.
#include <memory>

#include <fmt/format.h>

#include "base/json.h"
#include "client/admin.h"
#include "client/maintenance.h"
#include "settings.h"
#include "tool.h"

namespace mq::mqctl {
namespace {

class NameServers {
 public:
  explicit NameServers(Tool& tool) : tool_(tool) {}
  std::vector<std::string> settings;

  // Those that are asked, also when they do not answer; exit 1 then.
  Result<int> list() {
    MQ_TRY(const auto servers, this->servers());
    bool all = true;
    for (const net::Address& server : servers) {
      const std::string name = net::to_string(server);
      const auto info = ask(server);
      all = all && info;
      std::string brokers;
      if (info)
        for (const auto& [broker, data] : info->brokers)
          brokers += (brokers.empty() ? "" : ",") + broker;
      const std::string state = info ? "ok" : info.error().text();
      tool_.print(
          tool_.json()
              ? to_json(json::object{{"server", name}, {"state", state}, {"brokers", brokers}})
              : fmt::format("{} {}{}{}", name, state, info ? " brokers=" : "", brokers));
    }
    return all ? cli::kExitOk : cli::kExitNo;
  }

  Result<int> config() {
    MQ_TRY(const Settings parsed, Settings::parse(settings));
    MQ_TRY(const auto servers, this->servers());
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    for (const net::Address& server : servers) {
      MQ_TRY(client::Rpc* const rpc, cluster->rpc(server));
      MQ_TRY(const auto current, client::namesrv_config(*rpc));
      MQ_CHECK(parsed.apply(
          tool_, net::to_string(server), servers.size() > 1, current,
          [&](const wire::KvTable& changes) { return client::put_namesrv_config(*rpc, changes); }));
    }
    return cli::kExitOk;
  }

 private:
  // Of one broker that broker, which may be its own.
  Result<std::vector<net::Address>> servers() {
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    if (!cluster->is_single()) return cluster->name_servers();
    MQ_TRY(const auto brokers, cluster->brokers());
    return std::vector<net::Address>{brokers.front().address};
  }

  Result<wire::ClusterInfo> ask(const net::Address& server) {
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    MQ_TRY(client::Rpc* const rpc, cluster->rpc(server));
    return client::cluster_info(*rpc);
  }

  Tool& tool_;
};

}  // namespace

void add_ns(Tool& tool) {
  auto servers = std::make_shared<NameServers>(tool);
  cli::Command* noun = tool.noun("ns", "name servers");
  tool.add_json(tool.verb(noun, "list", "do they answer, and which brokers do they know?",
                          [servers] { return servers->list(); }));
  cli::Command* config = tool.verb(noun, "config", "their settings, or a change of some",
                                   [servers] { return servers->config(); });
  config->add_option("settings", servers->settings, "KEY to show, KEY=VALUE to change")
      ->type_name("KEY[=VALUE]...");
  tool.add_json(config);
  tool.add_dry_run(config);
}

}  // namespace mq::mqctl

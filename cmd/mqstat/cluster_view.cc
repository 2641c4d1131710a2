#include "client/admin.h"
#include "runtime.h"
#include "views.h"

namespace mq::mqstat {
namespace {

// Every broker with its replicas, also those that do not answer.
class ClusterView final : public View {
 public:
  explicit ClusterView(client::Cluster& cluster) : cluster_(cluster) {}

  Result<std::vector<Row>> look() override {
    std::vector<Row> rows;
    if (cluster_.is_single()) {
      MQ_TRY(const auto brokers, cluster_.brokers());
      for (const client::BrokerAt& broker : brokers)
        rows.push_back(row(broker.cluster, broker.name, 0, net::to_string(broker.address)));
      return rows;
    }
    MQ_TRY(client::Rpc* const server, cluster_.directory());
    MQ_TRY(const auto info, client::cluster_info(*server));
    for (const auto& [name, broker] : info.brokers)
      for (const auto& [id, address] : broker.addrs)
        rows.push_back(row(broker.cluster, name, id, address));
    return rows;
  }

 private:
  Row row(const std::string& cluster, const std::string& name, std::int64_t id,
          const std::string& address) {
    wire::KvTable t;
    std::string state = "ok";
    if (auto info = ask(address)) {
      t = *std::move(info);
      if (const std::string reason = text(t, "notWritableReason"); !reason.empty()) state = reason;
    } else {
      state = info.error().text();
    }
    const std::string version = text(t, "brokerVersionDesc");
    return {{"cluster", cluster},
            {"broker", name},
            {"id", id},
            {"address", address},
            {"version", version.empty() ? "-" : version},
            {"in/s", rate(t, "putTps")},
            {"out/s", rate(t, "getTransferredTps")},
            {"disk%", rate(t, "commitLogDiskRatio") * 100},
            {"state", state}};
  }

  Result<wire::KvTable> ask(const std::string& address) {
    MQ_TRY(const auto at, net::parse_address(address));
    MQ_TRY(client::Rpc* const rpc, cluster_.rpc(at));
    return client::runtime_info(*rpc);
  }

  client::Cluster& cluster_;
};

}  // namespace

std::unique_ptr<View> make_cluster_view(client::Cluster& cluster, const Options& options) {
  if (options.view == "cluster") return std::make_unique<ClusterView>(cluster);
  return nullptr;
}

}  // namespace mq::mqstat

#include "cli/where.h"

#include <fmt/format.h>

#include "cli/command_line.h"

namespace mq::cli {
namespace {

constexpr std::int64_t kConnectMs = 3000;

std::vector<std::string> local_sockets() {
  std::vector<std::string> out;
  if (const std::string dir = environment("XDG_RUNTIME_DIR"); !dir.empty())
    out.push_back("unix:" + dir + "/mqd/mqd.sock");
  out.emplace_back("unix:/run/mqd/mqd.sock");
  return out;
}

Result<client::Cluster> open_local(const client::Rpc::Options& options) {
  std::string tried;
  for (const std::string& text : local_sockets()) {
    auto address = net::parse_address(text);
    if (!address) return std::move(address).error();
    auto cluster = client::Cluster::of_broker(*address, options);
    if (cluster || cluster.error().code() != Errc::kUnavailable) return cluster;
    fmt::format_to(std::back_inserter(tried), "{}{}", tried.empty() ? "" : ", ", text);
  }
  return Error{Errc::kUnavailable, fmt::format("no daemon answers at {}; start one with 'mqd' (or "
                                               "'systemctl start mqd'), or name one with -b",
                                               tried)};
}

Result<std::vector<net::Address>> parse_list(std::string_view list) {
  std::vector<net::Address> out;
  while (!list.empty()) {
    const std::size_t end = list.find(';');
    const std::string_view one = list.substr(0, end);
    list = end == std::string_view::npos ? std::string_view() : list.substr(end + 1);
    if (one.empty()) continue;
    MQ_TRY(net::Address address, net::parse_address(one));
    out.push_back(std::move(address));
  }
  if (out.empty()) return Error{Errc::kInvalid, "-n: no name server in it"};
  return out;
}

}  // namespace

Result<client::Cluster> open_cluster(const CommonOptions& common) {
  return open_cluster(common, common.timeout_ms());
}

Result<client::Cluster> open_cluster(const CommonOptions& common, std::int64_t timeout_ms) {
  const client::Rpc::Options options{.connect_timeout_ms = std::min(kConnectMs, timeout_ms),
                                     .timeout_ms = timeout_ms};
  if (!common.broker.empty()) {
    MQ_TRY(const net::Address address, net::parse_address(common.broker));
    auto cluster = client::Cluster::of_broker(address, options);
    if (cluster || cluster.error().code() != Errc::kUnavailable) return cluster;
    return Error{Errc::kUnavailable, fmt::format("no daemon answers at {}: {}; is mqd running?",
                                                 common.broker, cluster.error().text())};
  }
  if (!common.namesrv.empty()) {
    MQ_TRY(auto servers, parse_list(common.namesrv));
    return client::Cluster::of_name_servers(std::move(servers), options);
  }
  return open_local(options);
}

}  // namespace mq::cli

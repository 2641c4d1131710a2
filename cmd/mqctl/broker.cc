// mqctl broker show|config|wipe-write|drain and mqctl store sync|expire.
#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <poll.h>

#include "base/clock.h"
#include "cli/units.h"
#include "client/admin.h"
#include "client/groups.h"
#include "client/maintenance.h"
#include "settings.h"
#include "tool.h"

namespace mq::mqctl {
namespace {

struct Options {
  std::string broker;  // "": all
  std::vector<std::string> settings;
  bool undo = false;
  std::string within = "1h";  // drain
};

class Broker {
 public:
  explicit Broker(Tool& tool) : tool_(tool) {}
  Options o;

  Result<int> show() {
    return each([&](const client::BrokerAt& at, client::Rpc& rpc, bool name_it) -> Result<void> {
      MQ_TRY(const auto info, client::runtime_info(rpc));
      print_table(tool_, "of", at.name, name_it, info);
      return {};
    });
  }

  Result<int> config() {
    MQ_TRY(const Settings settings, Settings::parse(o.settings));
    return each([&](const client::BrokerAt& at, client::Rpc& rpc, bool name_it) -> Result<void> {
      MQ_TRY(const auto current, client::broker_config(rpc));
      return settings.apply(tool_, at.name, name_it, current, [&](const wire::KvTable& changes) {
        return client::put_broker_config(rpc, changes);
      });
    });
  }

  // At every name server: clients that ask for routes from now on write elsewhere.
  Result<int> wipe_write() {
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    MQ_TRY(const client::BrokerAt at, cluster->broker(o.broker));
    const char* const now = o.undo ? "written again" : "not written";
    if (!tool_.is_real(fmt::format("topics at {}", at.name), "as they are", now))
      return cli::kExitOk;
    MQ_CHECK(wipe_at(*cluster, at));
    return cli::kExitOk;
  }

  Result<int> drain() {
    MQ_TRY(const std::int64_t within_ms, cli::parse_duration_ms(o.within));
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    MQ_TRY(const client::BrokerAt at, cluster->broker(o.broker));
    if (!tool_.is_real(fmt::format("topics at {}", at.name), "as they are",
                       "not written, and consumed to their ends"))
      return cli::kExitOk;
    MQ_CHECK(wipe_at(*cluster, at));
    const std::int64_t deadline_us = system_clock().monotonic_us() + within_ms * 1000;
    for (Left before{-1, "", 0};;) {
      MQ_TRY(client::Rpc* const rpc, cluster->rpc(at));
      MQ_TRY(const Left left, what_is_left(*rpc));
      // Twice without a message between them: those who write have heard of it.
      if (left.lag == 0 && left.written == before.written) return cli::kExitOk;
      before = left;
      if (system_clock().monotonic_us() >= deadline_us) {
        return Error{Errc::kTimeout,
                     left.lag == 0 ? fmt::format("{} is still being written", at.name)
                                   : fmt::format("group '{}' has {} messages to consume at {}",
                                                 left.group, left.lag, at.name)};
      }
      (void)poll(nullptr, 0, kAgainMs);
    }
  }

  Result<int> sync() {
    return each([&](const client::BrokerAt& at, client::Rpc& rpc, bool) -> Result<void> {
      MQ_TRY(const bool done, client::wait_until_on_disk(rpc, tool_.common().timeout_ms()));
      if (done) return {};
      return Error{Errc::kTimeout, fmt::format("{}: not all is on disk yet", at.name)};
    });
  }

  Result<int> expire() {
    return each([&](const client::BrokerAt& at, client::Rpc& rpc, bool) -> Result<void> {
      if (!tool_.is_real(fmt::format("expired files at {}", at.name), "kept", "deleted")) return {};
      return client::expire_now(rpc);
    });
  }

 private:
  static constexpr int kAgainMs = 1000;
  struct Left {
    std::int64_t written = 0;  // how long the log is
    std::string group;         // that has most to consume
    std::int64_t lag = 0;
  };

  using Visit = std::function<Result<void>(const client::BrokerAt&, client::Rpc&, bool name_it)>;
  Result<int> each(const Visit& visit) {
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    MQ_TRY(const auto brokers, cluster->brokers());
    const bool all = o.broker.empty();
    if (!all) MQ_CHECK(cluster->broker(o.broker));
    for (const client::BrokerAt& at : brokers) {
      if (!all && at.name != o.broker) continue;
      MQ_TRY(client::Rpc* const rpc, cluster->rpc(at));
      MQ_CHECK(visit(at, *rpc, all && brokers.size() > 1));
    }
    return cli::kExitOk;
  }

  Result<void> wipe_at(client::Cluster& cluster, const client::BrokerAt& at) {
    std::vector<net::Address> servers = cluster.name_servers();
    if (servers.empty()) servers.push_back(at.address);  // a broker that is its own
    for (const net::Address& server : servers) {
      MQ_TRY(client::Rpc* const rpc, cluster.rpc(server));
      MQ_TRY(const std::int32_t topics,
             o.undo ? client::restore_write(*rpc, at.name) : client::wipe_write(*rpc, at.name));
      if (!tool_.common().quiet)
        cli::say(fmt::format("name server {}: {} topics", net::to_string(server), topics));
    }
    return {};
  }

  static Result<Left> what_is_left(client::Rpc& rpc) {
    Left out;
    MQ_TRY(const auto info, client::runtime_info(rpc));
    const auto end = info.find("commitLogMaxOffset");
    if (end != info.end()) out.written = std::atoll(end->second.c_str());
    MQ_TRY(const auto table, client::group_table(rpc));
    for (const auto& [name, config] : table.groups) {
      if (client::is_own_group(name)) continue;
      MQ_TRY(const auto stats, client::consume_stats(rpc, name));
      std::int64_t lag = 0;
      for (const auto& [queue, at] : stats.queues)
        lag += std::max<std::int64_t>(0, at.broker_offset - at.consumer_offset);
      if (lag > out.lag) {
        out.lag = lag;
        out.group = name;
      }
    }
    return out;
  }

  Tool& tool_;
};

}  // namespace

void add_broker(Tool& tool) {
  auto broker = std::make_shared<Broker>(tool);
  const auto verb = [&](cli::Command* noun, const char* name, const char* what,
                        Result<int> (Broker::*work)()) {
    return tool.verb(noun, name, what, [broker, work] { return ((*broker).*work)(); });
  };
  const auto add_only = [&](cli::Command* command) {
    command->add_option("--only", broker->o.broker, "this broker of several")->type_name("BROKER");
  };
  cli::Command* noun = tool.noun("broker", "brokers at work");
  cli::Command* show = verb(noun, "show", "their figures", &Broker::show);
  add_only(show);
  tool.add_json(show);
  cli::Command* config =
      verb(noun, "config", "their settings, or a change of some", &Broker::config);
  config->add_option("settings", broker->o.settings, "KEY to show, KEY=VALUE to change")
      ->type_name("KEY[=VALUE]...");
  add_only(config);
  tool.add_json(config);
  tool.add_dry_run(config);
  const auto named = [&](cli::Command* command) {
    command->add_option("broker", broker->o.broker, "name of the broker")
        ->type_name("BROKER")
        ->required();
  };
  cli::Command* wipe =
      verb(noun, "wipe-write", "tell clients to write elsewhere", &Broker::wipe_write);
  named(wipe);
  wipe->add_flag("--undo", broker->o.undo, "tell them to write there again");
  tool.add_dry_run(wipe);
  cli::Command* drain =
      verb(noun, "drain", "wipe-write, and wait until all is consumed", &Broker::drain);
  named(drain);
  drain->add_option("--within", broker->o.within, "how long to wait")
      ->type_name("DURATION")
      ->capture_default_str()
      ->check(cli::is_duration());
  tool.add_dry_run(drain);

  cli::Command* store = tool.noun("store", "what brokers keep on disk");
  add_only(verb(store, "sync", "wait until all that was acknowledged is on disk", &Broker::sync));
  cli::Command* expire = verb(store, "expire", "delete expired files now", &Broker::expire);
  add_only(expire);
  tool.add_dry_run(expire);
}

}  // namespace mq::mqctl

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "cli/exit.h"
#include "cli/units.h"
#include "client/groups.h"
#include "format/names.h"
#include "views.h"

namespace mq::mqstat {
namespace {

std::string model_text(wire::MessageModel model) {
  return model == wire::MessageModel::kBroadcasting ? "broadcasting" : "clustering";
}

// How long ago, in seconds, the last consumed message of the slowest queue was stored.
std::int64_t behind_seconds(const client::GroupProgress& progress) {
  const std::int64_t since = progress.behind_since_ms();
  return since == 0 ? 0 : std::max<std::int64_t>(0, (system_clock().now_ms() - since) / 1000);
}

class Groups final : public View {
 public:
  explicit Groups(client::Cluster& cluster) : cluster_(cluster) {}

  Result<std::vector<Row>> look() override {
    std::vector<Row> rows;
    MQ_TRY(const auto groups, client::all_groups(cluster_));
    for (const auto& [name, config] : groups) {
      MQ_TRY(const auto progress, client::group_progress(cluster_, name));
      std::set<std::string> topics;
      for (const auto& [queue, at] : progress.queues)
        if (!queue.topic.starts_with(format::kRetryPrefix)) topics.insert(queue.topic);
      rows.push_back({{"group", name},
                      {"members", static_cast<std::int64_t>(progress.members.size())},
                      {"model", progress.members.empty() ? "-" : model_text(progress.model)},
                      {"topics", static_cast<std::int64_t>(topics.size())},
                      {"lag", progress.lag()},
                      {"behindSeconds", behind_seconds(progress)},
                      {"out/s", progress.consume_tps},
                      {"enabled", config.consume_enable ? "yes" : "no"}});
    }
    return rows;
  }

 private:
  client::Cluster& cluster_;
};

// One group, queue by queue.
class Group final : public View {
 public:
  Group(client::Cluster& cluster, const Options& options) : cluster_(cluster), o_(options) {}

  Result<std::vector<Row>> look() override {
    MQ_TRY(const auto progress, client::group_progress(cluster_, o_.argument, o_.topic));
    if (progress.is_unknown()) {
      MQ_TRY(const auto configs, client::group_configs(cluster_, o_.argument));
      if (configs.empty())
        return Error{Errc::kNotFound, "group '" + o_.argument + "' does not exist"};
    }
    for (const std::string& conflict : progress.conflicts) cli::say(conflict);
    std::vector<Row> rows;
    for (const auto& [queue, at] : progress.queues) {
      rows.push_back(
          {{"group", o_.argument},
           {"topic", queue.topic},
           {"broker", queue.broker_name},
           {"queue", queue.queue_id},
           {"max", at.broker_offset},
           {"committed", at.consumer_offset},
           {"lag", std::max<std::int64_t>(0, at.broker_offset - at.consumer_offset)},
           {"last", at.last_timestamp_ms > 0 ? cli::format_time_ms(at.last_timestamp_ms) : "-"}});
    }
    return rows;
  }

 private:
  client::Cluster& cluster_;
  const Options& o_;
};

// Everybody who is on line.
class Clients final : public View {
 public:
  explicit Clients(client::Cluster& cluster) : cluster_(cluster) {}

  Result<std::vector<Row>> look() override {
    std::vector<Row> rows;
    MQ_TRY(const auto groups, client::all_groups(cluster_));
    for (const auto& [name, config] : groups) {
      MQ_TRY(const auto progress, client::group_progress(cluster_, name));
      for (const wire::ClientConnection& member : progress.members)
        rows.push_back(row(name, "consumer", member));
    }
    MQ_TRY(const auto brokers, cluster_.brokers());
    std::set<std::pair<std::string, std::string>> seen;
    for (const client::BrokerAt& broker : brokers) {
      MQ_TRY(client::Rpc* const rpc, cluster_.rpc(broker));
      MQ_TRY(const auto producers, client::producer_table(*rpc));
      for (const auto& [name, list] : producers) {
        for (const wire::ProducerInfo& one : list)
          if (seen.emplace(name, one.connection.client_id).second)
            rows.push_back(row(name, "producer", one.connection));
      }
    }
    return rows;
  }

 private:
  static Row row(const std::string& group, const char* role, const wire::ClientConnection& c) {
    return {{"group", group},       {"role", role},           {"client", c.client_id},
            {"address", c.address}, {"language", c.language}, {"version", c.version}};
  }

  client::Cluster& cluster_;
};

}  // namespace

std::unique_ptr<View> make_group_view(client::Cluster& cluster, const Options& options) {
  if (options.view == "groups") return std::make_unique<Groups>(cluster);
  if (options.view == "group") return std::make_unique<Group>(cluster, options);
  if (options.view == "clients") return std::make_unique<Clients>(cluster);
  return nullptr;
}

}  // namespace mq::mqstat

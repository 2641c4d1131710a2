#include <algorithm>
#include <map>

#include "cli/units.h"
#include "client/admin.h"
#include "views.h"

namespace mq::mqstat {
namespace {

std::string time_text(std::int64_t ms) { return ms > 0 ? cli::format_time_ms(ms) : "-"; }

// All topics, each the sum of what the brokers have of it.
class Topics final : public View {
 public:
  Topics(client::Cluster& cluster, const Options& options) : cluster_(cluster), o_(options) {}

  Result<std::vector<Row>> look() override {
    std::map<std::string, Sum> sums;
    MQ_TRY(const auto brokers, cluster_.brokers());
    for (const client::BrokerAt& broker : brokers) {
      MQ_TRY(client::Rpc* const rpc, cluster_.rpc(broker));
      MQ_TRY(const auto table, client::topic_table(*rpc));
      MQ_TRY(const auto own, client::system_topics(*rpc));
      for (const auto& [name, config] : table.topics) {
        const bool system = std::find(own.begin(), own.end(), name) != own.end();
        if (system && !o_.common.verbose) continue;
        MQ_TRY(const auto stats, client::topic_stats(*rpc, name));
        sums[name].add(config, stats);
      }
    }
    std::vector<Row> rows;
    rows.reserve(sums.size());
    for (const auto& [name, sum] : sums) rows.push_back(sum.row(name));
    return rows;
  }

 private:
  struct Sum {
    std::int32_t read_queues = 0, write_queues = 0, perm = 0;
    std::int64_t messages = 0, last_ms = 0;
    double in_rate = 0;

    void add(const wire::TopicConfig& config, const wire::TopicStats& stats) {
      read_queues += config.read_queues;
      write_queues += config.write_queues;
      perm |= config.perm;
      in_rate += stats.put_tps;
      for (const auto& q : stats.queues) {
        messages += q.max_offset - q.min_offset;
        last_ms = std::max(last_ms, q.last_update_timestamp_ms);
      }
    }
    [[nodiscard]] Row row(const std::string& name) const {
      return {{"topic", name},
              {"readQueues", read_queues},
              {"writeQueues", write_queues},
              {"perm", perm},
              {"messages", messages},
              {"in/s", in_rate},
              {"last", time_text(last_ms)}};
    }
  };

  client::Cluster& cluster_;
  const Options& o_;
};

class Queues final : public View {
 public:
  Queues(client::Cluster& cluster, const Options& options) : cluster_(cluster), o_(options) {}

  Result<std::vector<Row>> look() override {
    std::vector<Row> rows;
    MQ_TRY(const auto route, cluster_.route(o_.argument));
    for (const client::TopicAt& at : route) {
      MQ_TRY(client::Rpc* const rpc, cluster_.rpc(at.broker));
      MQ_TRY(auto stats, client::topic_stats(*rpc, o_.argument));
      std::sort(stats.queues.begin(), stats.queues.end(),
                [](const auto& a, const auto& b) { return a.queue_id < b.queue_id; });
      for (const auto& q : stats.queues) {
        rows.push_back({{"topic", q.topic},
                        {"broker", at.broker.name},
                        {"queue", q.queue_id},
                        {"min", q.min_offset},
                        {"max", q.max_offset},
                        {"messages", q.max_offset - q.min_offset},
                        {"last", time_text(q.last_update_timestamp_ms)}});
      }
    }
    return rows;
  }

 private:
  client::Cluster& cluster_;
  const Options& o_;
};

}  // namespace

std::unique_ptr<View> make_topic_view(client::Cluster& cluster, const Options& options) {
  if (options.view == "topics") return std::make_unique<Topics>(cluster, options);
  if (options.view == "topic") return std::make_unique<Queues>(cluster, options);
  return nullptr;
}

}  // namespace mq::mqstat

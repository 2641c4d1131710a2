// Timed messages: how many wait for each topic, and whether the broker keeps up with them.
#include <fmt/format.h>

#include "base/json.h"
#include "runtime.h"
#include "views.h"

namespace mq::mqstat {
namespace {

// A line a broker, then one for each topic that messages wait for.
class Timers final : public View {
 public:
  explicit Timers(client::Cluster& cluster) : cluster_(cluster) {}

  Result<std::vector<Row>> look() override {
    std::vector<Row> rows;
    MQ_CHECK(for_each_broker(
        cluster_,
        [&](const auto& broker, client::Rpc& rpc, const wire::KvTable& figures) -> Result<void> {
          rows.push_back(row(broker.name, "(all)", number(figures, "timerCongestNum"),
                             number(figures, "timerReadBehind"),
                             number(figures, "timerOffsetBehind"), rate(figures, "timerEnqueueTps"),
                             rate(figures, "timerDequeueTps")));
          MQ_TRY(const client::Reply reply, rpc.ask(wire::kGetTimerMetrics));
          MQ_TRY(const json::value body, parse_json(reply.body()));
          const json::value* counts = member(body, "timingCount");
          if (counts == nullptr || !counts->is_object()) return {};
          for (const auto& [topic, count] : counts->get_object()) {
            rows.push_back(row(broker.name, std::string(topic.data(), topic.size()),
                               int_or(member(count, "count"), 0), 0, 0, 0, 0));
          }
          return {};
        }));
    return rows;
  }

 private:
  static Row row(const std::string& broker, std::string topic, std::int64_t pending,
                 std::int64_t late_s, std::int64_t behind, double in, double out) {
    return {{"broker", broker}, {"topic", std::move(topic)}, {"pending", pending},
            {"late_s", late_s}, {"behind", behind},          {"in/s", in},
            {"out/s", out}};
  }

  client::Cluster& cluster_;
};

}  // namespace

std::unique_ptr<View> make_timer_view(client::Cluster& cluster, const Options& options) {
  if (options.view != "timer") return nullptr;
  return std::make_unique<Timers>(cluster);
}

}  // namespace mq::mqstat

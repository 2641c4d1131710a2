#include <cstdlib>
#include <map>

#include "base/clock.h"
#include "cli/units.h"
#include "runtime.h"
#include "views.h"

namespace mq::mqstat {
namespace {

std::string state(const wire::KvTable& table) {
  const std::string reason = text(table, "notWritableReason");
  return reason.empty() ? "ok" : reason;
}

class Broker final : public View {
 public:
  explicit Broker(client::Cluster& cluster) : cluster_(cluster) {}

  Result<std::vector<Row>> look() override {
    std::vector<Row> rows;
    MQ_CHECK(for_each_broker(cluster_, [&](const auto& broker, auto&, const auto& figures) {
      rows.push_back(row(broker.name, figures));
      return Result<void>();
    }));
    return rows;
  }

 private:
  struct Last {
    std::int64_t us = 0, in = 0, out = 0;
  };

  Row row(const std::string& name, const wire::KvTable& t) {
    const std::int64_t now = system_clock().monotonic_us();
    const std::int64_t in = number(t, "msgPutTotalTodayNow");
    const std::int64_t out = number(t, "msgGetTotalTodayNow");
    // From the second look on, rates are ours, between two looks.
    double in_rate = rate(t, "putTps");
    double out_rate = rate(t, "getTransferredTps");
    Last& last = last_[name];
    if (last.us > 0) {
      const double seconds = static_cast<double>(now - last.us) / 1e6;
      in_rate = static_cast<double>(in - last.in) / seconds;
      out_rate = static_cast<double>(out - last.out) / seconds;
    }
    last = {now, in, out};
    return {{"broker", name},
            {"version", text(t, "brokerVersionDesc")},
            {"in/s", in_rate},
            {"out/s", out_rate},
            {"in", in},
            {"out", out},
            {"behind", number(t, "dispatchBacklogRecords")},
            {"unflushed", number(t, "commitLogMaxOffset") - number(t, "flushedOffset")},
            {"disk%", rate(t, "commitLogDiskRatio") * 100},
            {"conns", number(t, "connections")},
            {"heldPulls", number(t, "heldPulls")},
            {"anonKiB", number(t, "processRssAnonKb")},
            {"delayed", number(t, "backpressureDelaysTotal")},
            {"busy", number(t, "appendLockRefusalsTotal")},
            {"state", state(t)}};
  }

  client::Cluster& cluster_;
  std::map<std::string, Last> last_;
};

class Store final : public View {
 public:
  explicit Store(client::Cluster& cluster) : cluster_(cluster) {}

  Result<std::vector<Row>> look() override {
    std::vector<Row> rows;
    MQ_CHECK(for_each_broker(cluster_, [&](const auto& broker, auto&, const auto& figures) {
      rows.push_back(row(broker.name, figures));
      return Result<void>();
    }));
    return rows;
  }

 private:
  static Row row(const std::string& name, const wire::KvTable& t) {
    const std::int64_t oldest = number(t, "earliestMessageTimeStamp");
    return {{"broker", name},
            {"begin", number(t, "commitLogMinOffset")},
            {"flushed", number(t, "flushedOffset")},
            {"written", number(t, "commitLogMaxOffset")},
            {"dispatchBehind", number(t, "dispatchBehindBytes")},
            {"backlog", number(t, "dispatchBacklogRecords")},
            {"delayed", number(t, "backpressureDelaysTotal")},
            {"lockWaitMaxUs", number(t, "appendLockWaitMaxUs")},
            {"lockRefusals", number(t, "appendLockRefusalsTotal")},
            {"logFiles", number(t, "commitLogFiles")},
            {"indexFiles", number(t, "indexFiles")},
            {"queues", number(t, "queues")},
            {"syncs", number(t, "syncsTotal")},
            {"syncMaxUs", number(t, "syncMaxUs")},
            {"disk%", number(t, "diskUsedPercent")},
            {"freeBytes", number(t, "diskAvailableBytes")},
            {"oldest", oldest > 0 ? cli::format_time_ms(oldest) : "-"},
            {"flush", text(t, "flushDiskType")},
            {"state", state(t)}};
  }

  client::Cluster& cluster_;
};

}  // namespace

std::unique_ptr<View> make_broker_view(client::Cluster& cluster, const Options& options) {
  if (options.view == "broker") return std::make_unique<Broker>(cluster);
  if (options.view == "store") return std::make_unique<Store>(cluster);
  return nullptr;
}

}  // namespace mq::mqstat

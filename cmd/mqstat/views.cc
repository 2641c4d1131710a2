#include <algorithm>
#include <csignal>
#include <thread>

#include <fmt/format.h>

#include "base/clock.h"
#include "cli/inflate.h"
#include "cli/message_json.h"
#include "cli/units.h"
#include "client/admin.h"
#include "format/message_id.h"
#include "options.h"

namespace mq::mqstat {
namespace {

std::int64_t number(const wire::KvTable& table, const char* name) {
  const auto at = table.find(name);
  return at == table.end() ? 0 : std::atoll(at->second.c_str());
}
std::string text(const wire::KvTable& table, const char* name) {
  const auto at = table.find(name);
  return at == table.end() ? std::string() : at->second;
}
// The first of three rates: over the last ten seconds.
double rate(const wire::KvTable& table, const char* name) {
  return std::atof(text(table, name).c_str());
}

class Views {
 public:
  Views(const Options& options, cli::Connected connected)
      : o_(options), rpc_(std::move(connected.rpc)) {}

  Result<std::vector<Row>> look() {
    if (o_.view == "broker") return broker();
    if (o_.view == "store") return store();
    if (o_.view == "topics") return topics();
    return topic();
  }

  // Returns the exit status.
  Result<int> message(cli::Output& out) {
    std::vector<std::string> records;
    const auto take = [&](Result<client::Records> found) -> Result<void> {
      if (!found) {
        if (found.error().code() == Errc::kNotFound || found.error().code() == Errc::kRemote)
          return {};
        return std::move(found).error();
      }
      for (const Bytes record : found->records) records.emplace_back(as_text(record));
      return {};
    };
    const std::string& what = o_.key.empty() ? o_.argument : o_.key;
    if (!o_.topic.empty()) {
      MQ_CHECK(take(client::query_message(rpc_, {.topic = o_.topic,
                                                 .key = what,
                                                 .count_max = 64,
                                                 .begin_timestamp_ms = 0,
                                                 .end_timestamp_ms = INT64_MAX})));
    }
    if (records.empty() && o_.key.empty()) {
      if (auto id = format::parse_offset_message_id(what))
        MQ_CHECK(take(client::view_message(rpc_, id->offset.value())));
    }
    std::string inflated;
    for (const std::string& bytes : records) {
      MQ_TRY(const auto record, format::decode_record(as_bytes(bytes), format::CheckBody::kNo));
      const auto body = cli::message_body(record, inflated);
      cli::append_message_json(
          out.buffer(),
          {.record = &record, .body = body ? *body : record.body, .broker = {}, .number = 0}, {});
      out.buffer() += '\n';
    }
    if (!records.empty()) return static_cast<int>(cli::kExitOk);
    cli::say(o_.key.empty() && o_.topic.empty() ? "no such message; a unique id needs -t TOPIC"
                                                : "no such message");
    return static_cast<int>(cli::kExitNo);
  }

 private:
  Result<std::vector<Row>> broker() {
    MQ_TRY(const auto t, client::runtime_info(rpc_));
    const std::int64_t now = system_clock().monotonic_us();
    const std::int64_t in = number(t, "msgPutTotalTodayNow");
    const std::int64_t out = number(t, "msgGetTotalTodayNow");
    // From the second look on, rates are ours, between two looks.
    double in_rate = rate(t, "putTps");
    double out_rate = rate(t, "getTransferredTps");
    if (last_us_ > 0) {
      const double seconds = static_cast<double>(now - last_us_) / 1e6;
      in_rate = static_cast<double>(in - last_in_) / seconds;
      out_rate = static_cast<double>(out - last_out_) / seconds;
    }
    last_us_ = now, last_in_ = in, last_out_ = out;
    return std::vector<Row>{
        {{"version", text(t, "brokerVersionDesc")},
         {"in/s", in_rate},
         {"out/s", out_rate},
         {"in", in},
         {"out", out},
         {"behind", number(t, "dispatchBacklogRecords")},
         {"unflushed", number(t, "commitLogMaxOffset") - number(t, "flushedOffset")},
         {"disk%", std::atof(text(t, "commitLogDiskRatio").c_str()) * 100},
         {"conns", number(t, "connections")},
         {"heldPulls", number(t, "heldPulls")},
         {"anonKiB", number(t, "processRssAnonKb")},
         {"delayed", number(t, "backpressureDelaysTotal")},
         {"busy", number(t, "appendLockRefusalsTotal")},
         {"state", text(t, "notWritableReason").empty() ? "ok" : text(t, "notWritableReason")}}};
  }

  Result<std::vector<Row>> store() {
    MQ_TRY(const auto t, client::runtime_info(rpc_));
    return std::vector<Row>{
        {{"begin", number(t, "commitLogMinOffset")},
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
         {"oldest", number(t, "earliestMessageTimeStamp") > 0
                        ? cli::format_time_ms(number(t, "earliestMessageTimeStamp"))
                        : "-"},
         {"flush", text(t, "flushDiskType")},
         {"state", text(t, "notWritableReason").empty() ? "ok" : text(t, "notWritableReason")}}};
  }

  Result<std::vector<Row>> topics() {
    MQ_TRY(const auto table, client::topic_table(rpc_));
    MQ_TRY(const auto own, client::system_topics(rpc_));
    std::vector<Row> rows;
    for (const auto& [name, config] : table.topics) {
      const bool system = std::find(own.begin(), own.end(), name) != own.end();
      if (system && !o_.common.verbose) continue;
      MQ_TRY(const auto stats, client::topic_stats(rpc_, name));
      std::int64_t messages = 0;
      std::int64_t last = 0;
      for (const auto& q : stats.queues) {
        messages += q.max_offset - q.min_offset;
        last = std::max(last, q.last_update_timestamp_ms);
      }
      rows.push_back({{"topic", name},
                      {"readQueues", config.read_queues},
                      {"writeQueues", config.write_queues},
                      {"perm", config.perm},
                      {"messages", messages},
                      {"in/s", stats.put_tps},
                      {"last", last > 0 ? cli::format_time_ms(last) : "-"}});
    }
    return rows;
  }

  Result<std::vector<Row>> topic() {
    MQ_TRY(const auto stats, client::topic_stats(rpc_, o_.argument));
    std::vector<Row> rows;
    for (const auto& q : stats.queues) {
      rows.push_back(
          {{"topic", q.topic},
           {"broker", q.broker_name},
           {"queue", q.queue_id},
           {"min", q.min_offset},
           {"max", q.max_offset},
           {"messages", q.max_offset - q.min_offset},
           {"last", q.last_update_timestamp_ms > 0 ? cli::format_time_ms(q.last_update_timestamp_ms)
                                                   : "-"}});
    }
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      return std::pair(a[1].second.text, std::atoll(a[2].second.text.c_str())) <
             std::pair(b[1].second.text, std::atoll(b[2].second.text.c_str()));
    });
    return rows;
  }

  const Options& o_;
  client::Rpc rpc_;
  std::int64_t last_us_ = 0, last_in_ = 0, last_out_ = 0;
};

Result<int> work(const Options& o, cli::Output& out) {
  MQ_TRY(auto connected, cli::connect_broker(o.common));
  Views views(o, std::move(connected));
  if (o.view == "message") return views.message(out);
  Table table(o.form);
  for (std::int64_t i = 0; o.count < 0 || i < o.count; ++i) {
    if (i > 0) {
      // In small steps, so that a signal ends it at once.
      const std::int64_t until =
          system_clock().monotonic_us() + static_cast<std::int64_t>(o.interval_s * 1e6);
      while (system_clock().monotonic_us() < until && cli::stop_signal() == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }
    if (cli::stop_signal() != 0) break;
    MQ_TRY(const auto rows, views.look());
    table.print(rows, out);
    MQ_CHECK(out.flush());
  }
  return static_cast<int>(cli::kExitOk);
}

}  // namespace

int run(const Options& o) {
  cli::catch_signals();
  cli::Output out;
  auto status = work(o, out);
  Result<void> closed;
  if (status) {
    closed = out.close();
  } else if (status.error().code() != Errc::kClosed) {
    return cli::fail(status.error());
  } else {
    closed = std::move(status).error();
  }
  if (!closed && closed.error().code() == Errc::kClosed) cli::die_of(SIGPIPE);
  if (!closed) return cli::fail(closed.error());
  if (cli::stop_signal() != 0) cli::die_of(cli::stop_signal());
  return *status;
}

}  // namespace mq::mqstat

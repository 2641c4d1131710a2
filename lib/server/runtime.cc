// What the broker says of itself (R 28, 315) and retention on demand (R 329).

#include <cstdio>

#include <fmt/format.h>

#include "base/json.h"
#include "server/call.h"
#include "wire/codes.h"
#include "wire/topic_body.h"

namespace mq::server {
namespace {

std::string three(const std::array<double, 3>& rates) {
  return fmt::format("{:.4f} {:.4f} {:.4f}", rates[0], rates[1], rates[2]);
}

std::string duration_text(std::int64_t ms) {
  const std::int64_t s = ms / 1000;
  return fmt::format("[ {} days, {} hours, {} minutes, {} seconds ]", s / 86'400, s / 3600 % 24,
                     s / 60 % 60, s % 60);
}

// Resident anonymous memory of this process, from the kernel's own count.
std::int64_t anonymous_kb() {
  std::FILE* f = std::fopen("/proc/self/status", "re");
  if (f == nullptr) return 0;
  char line[256];
  long kb = 0;
  while (std::fgets(line, sizeof line, f) != nullptr) {
    if (std::sscanf(line, "RssAnon: %ld", &kb) == 1) break;
  }
  std::fclose(f);
  return kb;
}

void add_rates(const Call& call, wire::KvTable& out) {
  const auto rates = call.p.stats.rates();
  out["putTps"] = three(rates.put);
  out["getTotalTps"] = three(rates.get_total);
  out["getFoundTps"] = three(rates.get_found);
  out["getMissTps"] = three(rates.get_miss);
  out["getTransferredTps"] = three(rates.transferred);
  const auto days = call.p.stats.days();
  out["msgPutTotalTodayNow"] = std::to_string(days.put_today_now);
  out["msgPutTotalTodayMorning"] = std::to_string(days.put_today_morning);
  out["msgPutTotalYesterdayMorning"] = std::to_string(days.put_yesterday_morning);
  out["msgGetTotalTodayNow"] = std::to_string(days.get_today_now);
  out["msgGetTotalTodayMorning"] = std::to_string(days.get_today_morning);
  out["msgGetTotalYesterdayMorning"] = std::to_string(days.get_yesterday_morning);
  const auto& totals = call.p.stats.totals();
  const std::int64_t puts = totals.put_messages.load();
  out["putMessageTimesTotal"] = std::to_string(puts);
  out["putMessageSizeTotal"] = std::to_string(totals.put_bytes.load());
  out["putMessageFailedTimes"] = std::to_string(totals.put_failed.load());
  out["putMessageAverageSize"] = std::to_string(puts == 0 ? 0 : totals.put_bytes.load() / puts);
  const auto& put_times = call.p.stats.puts();
  out["putMessageEntireTimeMax"] = std::to_string(put_times.longest_ms());
  out["putMessageDistributeTime"] = put_times.distribution();
  out["putLatency99"] = fmt::format("{:.2f}", put_times.quantile_ms(0.99));
  out["putLatency999"] = fmt::format("{:.2f}", put_times.quantile_ms(0.999));
  out["getMessageEntireTimeMax"] = std::to_string(call.p.stats.gets().longest_ms());
  out["getMessageBytesTotal"] = std::to_string(totals.get_bytes.load());
}

void add_store(const Call& call, wire::KvTable& out) {
  const store::StoreStats s = call.p.store.stats();
  const auto ratio = [](std::int32_t percent) { return fmt::format("{:.2f}", percent / 100.0); };
  out["commitLogDiskRatio"] = ratio(s.disk.used_percent());
  out["consumeQueueDiskRatio"] = ratio(s.disk.used_percent());
  out["commitLogMinOffset"] = std::to_string(s.begin.value());
  out["commitLogMaxOffset"] = std::to_string(s.written.value());
  out["flushedOffset"] = std::to_string(s.flushed.value());
  out["dispatchBehindBytes"] = std::to_string(s.written - s.dispatched);
  out["dispatchMaxBuffer"] = "0";
  out["commitLogDirCapacity"] =
      fmt::format("Total : {} bytes, Free : {} bytes", s.disk.total_bytes, s.disk.available_bytes);
  out["remainHowManyDataToCommit"] = "0 B";
  out["remainHowManyDataToFlush"] = fmt::format("{} B", s.written - s.flushed);
  out["remainTransientStoreBufferNumbs"] = "0";
  out["earliestMessageTimeStamp"] = std::to_string(s.earliest_timestamp_ms);
  out["pageCacheLockTimeMills"] = std::to_string(call.p.store.held_up_ms());
  // Our own, for mqstat.
  out["dispatchBacklogRecords"] = std::to_string(s.dispatch_backlog_records);
  out["backpressureDelaysTotal"] = std::to_string(s.backpressure_delays_total);
  out["appendLockRefusalsTotal"] = std::to_string(s.append_lock_refusals_total);
  out["appendLockWaitMaxUs"] = std::to_string(s.append_lock_wait_max_us);
  out["syncsTotal"] = std::to_string(s.syncs_total);
  out["syncMaxUs"] = std::to_string(s.sync_max_us);
  out["groupCommitWaiters"] = std::to_string(s.group_commit_waiters);
  out["commitLogFiles"] = std::to_string(s.commit_log_files);
  out["indexFiles"] = std::to_string(s.index_files);
  out["queues"] = std::to_string(s.queues);
  out["diskUsedPercent"] = std::to_string(s.disk.used_percent());
  out["diskAvailableBytes"] = std::to_string(s.disk.available_bytes);
  out["diskWarningPercent"] = call.p.live.value("diskSpaceWarningLevelRatio");
  out["writable"] = s.writable ? "true" : "false";
  out["notWritableReason"] = s.not_writable_reason;
  out["storePath"] = call.p.config.store.root;
  out["flushDiskType"] =
      call.p.config.store.flush_mode == store::FlushMode::kSync ? "SYNC_FLUSH" : "ASYNC_FLUSH";
}

}  // namespace

void handle_runtime_info(const Call& call) {
  wire::KvTable out;
  add_rates(call, out);
  add_store(call, out);
  const std::int64_t now = call.p.clock.now_ms();
  out["brokerVersionDesc"] = "V5_3_3";
  out["brokerVersion"] = std::to_string(wire::kVersion);
  out["brokerActive"] = "true";
  out["brokerName"] = call.p.config.name;
  out["bootTimestamp"] = std::to_string(call.p.boot_ms);
  out["runtime"] = duration_text(now - call.p.boot_ms);
  out["startAcceptSendRequestTimeStamp"] = std::to_string(call.p.config.accept_sends_from_ms);
  // Requests are handled by the thread that reads them: there are no queues in front of the
  // handlers. Sends may wait behind them, for the disk.
  out["sendThreadPoolQueueSize"] = std::to_string(call.p.store.durable_waiters());
  out["sendThreadPoolQueueCapacity"] = std::to_string(call.p.config.sends_waiting_max);
  out["sendThreadPoolQueueHeadWaitTimeMills"] = std::to_string(call.p.store.durable_wait_ms());
  for (const char* pool : {"pull", "litePull", "query", "ack"}) {
    out[fmt::format("{}ThreadPoolQueueSize", pool)] = "0";
    out[fmt::format("{}ThreadPoolQueueCapacity", pool)] = "0";
    out[fmt::format("{}ThreadPoolQueueHeadWaitTimeMills", pool)] = "0";
  }
  out["EndTransactionQueueSize"] = "0";
  out["EndTransactionThreadPoolQueueCapacity"] = "0";
  const broker::Timer::State timer = call.p.timer.state();
  const auto timer_rates = call.p.stats.rates();
  const std::int64_t read_behind_s = timer.pending > 0 ? (now - timer.read_ms) / 1000 : 0;
  out["timerReadBehind"] = std::to_string(std::max<std::int64_t>(0, read_behind_s));
  out["timerOffsetBehind"] = std::to_string(timer.queue_behind);
  out["timerCongestNum"] = std::to_string(timer.pending);
  out["timerEnqueueTps"] = fmt::format("{:.4f}", timer_rates.timer_in);
  out["timerDequeueTps"] = fmt::format("{:.4f}", timer_rates.timer_out);
  out["heldPulls"] = std::to_string(call.p.polls.held());
  out["processRssAnonKb"] = std::to_string(anonymous_kb());
  if (call.p.net_stats) {
    const auto net = call.p.net_stats();
    out["connections"] = std::to_string(net.connections);
    out["connectionsAcceptedTotal"] = std::to_string(net.accepted_total);
    out["protocolErrorsTotal"] = std::to_string(net.protocol_errors_total);
    out["bytesInTotal"] = std::to_string(net.bytes_in_total);
    out["bytesOutTotal"] = std::to_string(net.bytes_out_total);
  }
  call.reply_body(wire::encode_kv_table(out));
}

void handle_stats_view(const Call& call) {
  const auto name = call.request.ext.find("statsName");
  const auto key = call.request.ext.find("statsKey");
  const auto view = name && key ? call.p.stats.view(*name, *key) : std::nullopt;
  if (!view) {
    return call.reply(wire::kSystemError, fmt::format("The stats <{}> <{}> not exist",
                                                      name.value_or(""), key.value_or("")));
  }
  const auto item = [](const broker::Stats::Item& i) {
    return json::object{{"avgpt", i.average}, {"sum", i.sum}, {"tps", i.tps}};
  };
  call.reply_body(to_json(json::object{{"statsDay", item(view->day)},
                                       {"statsHour", item(view->hour)},
                                       {"statsMinute", item(view->minute)}}));
}

// As a slave asks for it: the bytes of the file.
void handle_timer_check(const Call& call) {
  std::array<std::byte, format::TimerCheckpoint::kEncodedBytes> raw{};
  format::encode(call.p.timer.check(), raw);
  constexpr std::size_t kUsedBytes = 56;
  call.reply_body(as_text(Bytes(raw).first(kUsedBytes)));
}

void handle_timer_metrics(const Call& call) {
  call.reply_body(format::to_timer_metrics_json(call.p.timer.metrics()));
}

void handle_expire(const Call& call) {
  auto deleted = call.p.store.expire_now();
  if (!deleted) return call.reply_error(deleted.error());
  call.reply(wire::kSuccess, fmt::format("{} files deleted", *deleted));
}

}  // namespace mq::server

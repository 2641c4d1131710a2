#include "bench.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "cli/exit.h"
#include "cli/histogram.h"
#include "cli/output.h"
#include "cli/units.h"
#include "cli/where.h"
#include "record.h"
#include "sender.h"

namespace mq::mqsend {
namespace {

std::int64_t now_us() { return system_clock().monotonic_us(); }

// Text that no compressor makes nothing of.
std::string make_body(std::int64_t bytes) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  std::string out;
  std::uint64_t state = 0x9E3779B97F4A7C15;
  while (static_cast<std::int64_t>(out.size()) < bytes) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    out += kLetters[state >> 58];
  }
  return out;
}

struct Tally {
  std::int64_t messages = 0;
  std::int64_t failed = 0;
  cli::Histogram latency;
};

// One connection's share of the load, on a thread of its own.
class Client {
 public:
  Client(const Options& options, std::int64_t count) : o_(options), count_(count) {}

  // Errors: those of connecting.
  Result<void> open() {
    MQ_TRY(auto cluster, cli::open_cluster(o_.common));
    cluster_.emplace(std::move(cluster));
    targets_.emplace(*cluster_, o_);
    MQ_TRY(topic_, targets_->of(o_.topic));
    MQ_TRY(auto parser, RecordParser::create(o_));
    parser_.emplace(std::move(parser));
    sender_.emplace(o_, *targets_, [this](const Outcome& outcome) { note(outcome); });
    return sender_->reach(*topic_);
  }

  // Until `end_us`, or all messages; failures are counted.
  void work(std::int64_t end_us, const std::stop_token& stop) {
    if (auto done = send(end_us, stop); !done) {
      sender_->abandon(done.error().text());
      const MutexLock lock(mu_);
      reason_ = done.error().text();
    }
  }

  [[nodiscard]] Tally tally() const {
    const MutexLock lock(mu_);
    return tally_;
  }
  [[nodiscard]] std::string reason() const {
    const MutexLock lock(mu_);
    return reason_;
  }

 private:
  [[nodiscard]] bool is_over(std::int64_t sent, std::int64_t end_us,
                             const std::stop_token& stop) const {
    return stop.stop_requested() || sender_->has_given_up() ||
           (count_ >= 0 ? sent >= count_ : now_us() >= end_us);
  }
  Result<void> send(std::int64_t end_us, const std::stop_token& stop) {
    const std::int64_t begin_us = now_us();
    const std::string body = make_body(o_.bench_size);
    const double per_us = o_.rate / o_.bench_clients / 1e6;
    for (std::int64_t i = 0; !is_over(i, end_us, stop);) {
      // Latency counts from when a message was due, not from when there was room for it.
      const std::int64_t due =
          o_.rate > 0 ? begin_us + static_cast<std::int64_t>(static_cast<double>(i) / per_us)
                      : now_us();
      if (const std::int64_t left = due - now_us(); left > 0) {
        const std::int64_t linger = sender_->flush_due(o_.linger_ms * 1000);
        const std::int64_t wait = linger < 0 ? left : std::min(left, linger);
        MQ_CHECK(sender_->pump(-1, std::min<std::int64_t>(wait / 1000 + 1, 10)));
        continue;
      }
      MQ_TRY(const Outgoing message, parser_->parse(body, system_clock().now_ms()));
      while (!sender_->add(message, *topic_, {.number = i + 1, .due_us = due}, {}))
        MQ_CHECK(sender_->pump(-1, 100));
      ++i;
    }
    sender_->flush();
    while (!sender_->is_idle()) MQ_CHECK(sender_->pump(-1, 100));
    return {};
  }
  void note(const Outcome& outcome) {
    const std::int64_t now = now_us();
    const MutexLock lock(mu_);
    if (!outcome.delivered) {
      tally_.failed += static_cast<std::int64_t>(outcome.items->size());
      reason_ = outcome.reason;
      return;
    }
    tally_.messages += static_cast<std::int64_t>(outcome.items->size());
    for (const ItemInfo& item : *outcome.items) tally_.latency.add(now - item.due_us);
  }

  const Options& o_;
  const std::int64_t count_;  // -1: by time
  std::optional<client::Cluster> cluster_;
  std::optional<Targets> targets_;
  TopicTargets* topic_ = nullptr;
  std::optional<RecordParser> parser_;
  std::optional<Sender> sender_;
  mutable Mutex mu_;
  Tally tally_ MQ_GUARDED_BY(mu_);
  std::string reason_ MQ_GUARDED_BY(mu_);
};

class Bench {
 public:
  explicit Bench(const Options& options) : o_(options) {}

  int run() {
    cli::catch_signals();
    for (int i = 0; i < o_.bench_clients; ++i) {
      clients_.push_back(std::make_unique<Client>(o_, share(i)));
      if (auto done = clients_.back()->open(); !done) return cli::fail(done.error());
    }
    if (o_.csv) out_.buffer() += "seconds,messages,bytes,per_second,p50_us,p99_us,max_us\n";
    begin_us_ = now_us();
    const std::int64_t end_us = begin_us_ + o_.bench_duration_ms * 1000;
    std::vector<std::jthread> threads;
    std::atomic<int> working = o_.bench_clients;
    for (auto& client : clients_) {
      threads.push_back(start_thread("bench", [&, c = client.get()](const std::stop_token& stop) {
        c->work(end_us, stop);
        --working;
      }));
    }
    watch(working, threads);
    threads.clear();
    if (auto done = report(); !done) return cli::fail(done.error());
    if (const Tally all = total(); all.failed > 0) {
      cli::say(fmt::format("{} messages not delivered: {}", all.failed, reason()));
      return cli::kExitTemporary;
    }
    if (cli::stop_signal() != 0) cli::die_of(cli::stop_signal());
    return cli::kExitOk;
  }

 private:
  // Of -c, a part for each client.
  [[nodiscard]] std::int64_t share(int i) const {
    if (o_.count < 0) return -1;
    return o_.count / o_.bench_clients + (i < o_.count % o_.bench_clients ? 1 : 0);
  }

  void watch(const std::atomic<int>& working, std::vector<std::jthread>& threads) {
    std::int64_t next_us = begin_us_ + 1'000'000;
    while (working > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      if (cli::stop_signal() != 0)
        for (std::jthread& thread : threads) thread.request_stop();
      if (!o_.csv || now_us() < next_us) continue;
      next_us += 1'000'000;
      print_row(total());
      if (auto done = out_.flush(); !done)
        for (std::jthread& thread : threads) thread.request_stop();
    }
  }

  [[nodiscard]] Tally total() const {
    Tally all;
    for (const auto& client : clients_) {
      const Tally one = client->tally();
      all.messages += one.messages;
      all.failed += one.failed;
      all.latency.merge(one.latency);
    }
    return all;
  }
  [[nodiscard]] std::string reason() const {
    for (const auto& client : clients_)
      if (std::string text = client->reason(); !text.empty()) return text;
    return {};
  }

  // Of all since the beginning, the last row being that of the whole.
  void print_row(const Tally& all) {
    const double seconds = std::max(1e-6, static_cast<double>(now_us() - begin_us_) / 1e6);
    out_.buffer() +=
        fmt::format("{:.3f},{},{},{:.0f},{},{},{}\n", seconds, all.messages,
                    all.messages * o_.bench_size, static_cast<double>(all.messages) / seconds,
                    all.latency.quantile(0.5), all.latency.quantile(0.99), all.latency.max());
  }

  Result<void> report() {
    const Tally all = total();
    const double seconds = std::max(1e-6, static_cast<double>(now_us() - begin_us_) / 1e6);
    if (o_.csv) {
      print_row(all);
      return out_.close();
    }
    const double bytes = static_cast<double>(all.messages * o_.bench_size);
    out_.buffer() += fmt::format(
        "{} messages of {} by {} clients in {:.3f} s: {}/s, {}/s\n"
        "latency us: p50 {}  p90 {}  p99 {}  p99.9 {}  max {}\n",
        all.messages, cli::human_bytes(static_cast<double>(o_.bench_size)), o_.bench_clients,
        seconds, cli::human_count(static_cast<double>(all.messages) / seconds),
        cli::human_bytes(bytes / seconds), all.latency.quantile(0.5), all.latency.quantile(0.9),
        all.latency.quantile(0.99), all.latency.quantile(0.999), all.latency.max());
    return out_.close();
  }

  const Options& o_;
  std::vector<std::unique_ptr<Client>> clients_;
  cli::Output out_;
  std::int64_t begin_us_ = 0;
};

}  // namespace

int bench(const Options& options) { return Bench(options).run(); }

}  // namespace mq::mqsend

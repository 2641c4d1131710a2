// mqdump log: the commit log, a record a line.
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "base/clock.h"
#include "inspect/follow.h"
#include "inspect/log_reader.h"
#include "range.h"
#include "show.h"

namespace mq::mqdump {
namespace {

struct Options : ShowOptions, RunOptions {
  std::string range;
  std::int64_t count = -1;
  bool follow = false;
};

constexpr auto kLook = std::chrono::milliseconds(50);

class LogCommand {
 public:
  LogCommand(const Options& o, std::unique_ptr<inspect::LogReader> log, const LogRange& range,
             Show show)
      : o_(o), log_(std::move(log)), range_(range), show_(std::move(show)) {}

  int run() {
    auto end = walk();
    if (end && o_.follow && wants_more()) written_ = follow(*end);
    if (!end) {
      (void)show_.output().flush();
      return cli::fail(end.error());
    }
    return finish(written_, show_.output(),
                  damaged_ || show_.damaged() ? cli::kExitData : cli::kExitOk);
  }

 private:
  [[nodiscard]] bool wants_more() const {
    return written_ && (o_.count < 0 || show_.number() < o_.count) && cli::stop_signal() == 0;
  }
  bool visit(const format::Record& record) {
    if (range_.has(record.store_timestamp_ms)) written_ = show_.record(record);
    return wants_more();
  }
  void note(const inspect::Finding& finding) {
    if (!finding.damage) return;
    damaged_ = true;
    cli::say(fmt::format("{}: {}", log_->where(finding.at), finding.what));
  }

  Result<PhysicalOffset> walk() {
    Watch progress({.asked = o_.progress,
                    .quiet = *o_.quiet || o_.follow,
                    .bytes_total = range_.to - range_.from});
    return log_->walk(
        range_.from, range_.to,
        [&](const format::Record& record, Bytes) {
          progress.bytes += record.total_bytes;
          ++progress.count;
          return visit(record);
        },
        [&](const inspect::Finding& finding) { note(finding); });
  }

  Result<void> follow(PhysicalOffset from) {
    inspect::LogFollower follower(*log_, from);
    while (wants_more()) {
      MQ_CHECK(show_.output().flush());  // who reads along gets what there is
      MQ_TRY(const bool moved,
             follower.step(
                 system_clock().now_ms(),
                 [&](const format::Record& record, Bytes) { return visit(record); },
                 [&](const inspect::Finding& finding) { note(finding); }));
      if (!moved) std::this_thread::sleep_for(kLook);
    }
    return written_;
  }

  const Options& o_;
  std::unique_ptr<inspect::LogReader> log_;
  LogRange range_;
  Show show_;
  Result<void> written_;
  bool damaged_ = false;
};

int run(const Options& o) {
  auto log = inspect::LogReader::open(fs::posix(), o.directory, inspect::LogReader::Cache::kDrop);
  if (!log) return cli::fail(log.error());
  auto range = find_range(o.range, **log);
  if (!range) return cli::fail(range.error());
  auto show = Show::create(o);
  if (!show) return cli::fail(show.error());
  return LogCommand(o, *std::move(log), *range, *std::move(show)).run();
}

}  // namespace

void add_log(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* app =
      all.add("log", "the commit log, a record a line; DIR may be one commit log file", *o,
              [o] { return run(*o); });
  app->add_option("range", o->range,
                  "first, last, N, +N, -N, N:M, @T, @T1:@T2; N physical offsets, +N and -N records")
      ->type_name("RANGE");
  app->add_option("-o,--range", o->range, "the same, for one that begins with a minus sign")
      ->type_name("RANGE");
  app->add_option("-c,--count", o->count, "stop after N records")
      ->type_name("N")
      ->check(cli::is_positive());
  app->add_flag("-f,--follow", o->follow, "go on with what a broker adds");
  add_show_options(*app, *o);
  add_run_options(*app, *o, false);
}

}  // namespace mq::mqdump

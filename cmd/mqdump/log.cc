// mqdump log: the commit log, a record a line.
#include <charconv>

#include <fmt/format.h>

#include "base/clock.h"
#include "cli/units.h"
#include "inspect/log_reader.h"
#include "show.h"

namespace mq::mqdump {
namespace {

struct Options : ShowOptions {
  std::string range;
  std::int64_t count = -1;
};

struct Bounds {
  PhysicalOffset from{};
  PhysicalOffset to{};
  std::int64_t from_ms = 0;
  std::int64_t to_ms = INT64_MAX;
};

Result<void> set_bound(std::string_view text, PhysicalOffset& offset, std::int64_t& ms) {
  if (text.empty()) return {};
  if (text.starts_with('@')) {
    const std::int64_t now = system_clock().now_ms();
    auto time = cli::parse_time_ms(text, now);
    if (!time) time = cli::parse_time_ms(text.substr(1), now);
    if (!time) return std::move(time).error();
    ms = *time;
    return {};
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) {
    return Error{Errc::kInvalid, fmt::format("'{}' is neither a physical offset nor @TIME", text)};
  }
  offset = PhysicalOffset(value);
  return {};
}

Result<Bounds> parse_bounds(std::string_view text, const inspect::LogReader& log) {
  Bounds out{.from = log.begin(), .to = log.end_of_files()};
  const std::size_t split = text.starts_with('@') ? text.find(":@") : text.find(':');
  MQ_CHECK(set_bound(text.substr(0, split), out.from, out.from_ms));
  if (split != std::string_view::npos)
    MQ_CHECK(set_bound(text.substr(split + 1), out.to, out.to_ms));
  return out;
}

int run(const Options& o) {
  auto log = inspect::LogReader::open(fs::posix(), o.directory, inspect::LogReader::Cache::kDrop);
  if (!log) return cli::fail(log.error());
  auto bounds = parse_bounds(o.range, **log);
  if (!bounds) return cli::fail(bounds.error());
  auto show = Show::create(o);
  if (!show) return cli::fail(show.error());
  Result<void> written;
  bool damaged = false;
  auto walked = (*log)->walk(
      bounds->from, bounds->to,
      [&](const format::Record& record, Bytes) {
        if (record.store_timestamp_ms < bounds->from_ms ||
            record.store_timestamp_ms >= bounds->to_ms)
          return true;
        written = show->record(record);
        return written && (o.count < 0 || show->number() < o.count);
      },
      [&](const inspect::Finding& finding) {
        if (finding.damage) {
          damaged = true;
          cli::say(fmt::format("{}: {}", (*log)->where(finding.at), finding.what));
        }
      });
  if (!walked) return cli::fail(walked.error());
  return finish(written, show->output(),
                damaged || show->damaged() ? cli::kExitData : cli::kExitOk);
}

}  // namespace

void add_log(Commands& all) {
  auto o = std::make_shared<Options>();
  CLI::App* app = all.add("log", "the commit log, a record a line; DIR may be one commit log file",
                          *o, [o] { return run(*o); });
  app->add_option("range", o->range, "FROM:TO, physical offsets or @TIME")->type_name("RANGE");
  app->add_option("-c,--count", o->count, "stop after N records")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  add_show_options(*app, *o);
}

}  // namespace mq::mqdump

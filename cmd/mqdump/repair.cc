// mqdump repair: makes a damaged store one that a broker opens and goes on with.
#include "inspect/repair.h"

#include <charconv>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/units.h"
#include "mend.h"

namespace mq::mqdump {
namespace {

struct Options : MendOptions {
  std::string truncate_to = "auto";
};

Result<void> set_bound(const std::string& text, std::int64_t now_ms, inspect::RepairOptions& out) {
  if (text == "auto") return {};
  if (text.starts_with('@')) {
    auto time = cli::parse_time_ms(text, now_ms);
    if (!time) time = cli::parse_time_ms(text.substr(1), now_ms);
    if (!time) return std::move(time).error().within("--truncate-to " + text);
    out.to_ms = *time;
    return {};
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) {
    return Error{Errc::kInvalid,
                 fmt::format("--truncate-to {}: expected a physical offset, @TIME or auto", text)};
  }
  out.to = PhysicalOffset(value);
  return {};
}

void print(const Options& o, const inspect::RepairReport& report, std::string& out) {
  for (const inspect::RepairNote& note : report.notes) {
    if (o.json) {
      out += to_json(json::object{{"kind", name_of(note.kind)},
                                  {"file", note.file},
                                  {"what", note.what},
                                  {"action", note.action}});
    } else {
      fmt::format_to(std::back_inserter(out), "{:<6} {}{}{}{}{}", name_of(note.kind), note.file,
                     note.file.empty() ? "" : ": ", note.what, note.action.empty() ? "" : "; ",
                     note.action);
    }
    out += '\n';
  }
}

void sum_up(const Options& o, const inspect::RepairReport& report, const std::string& stamp) {
  if (report.was_unfinished) cli::say("a change that had been interrupted is complete now");
  for (const std::string& assumed : report.shape.assumed) {
    cli::say(fmt::format(
        "no file tells {}: taken as the broker's default; -c FILE or -o tell better", assumed));
  }
  if (!report.needs_change) {
    cli::say(fmt::format("{}: {} records, nothing to repair", o.directory, report.records));
  } else if (report.is_done) {
    cli::say(fmt::format("{}: repaired; {} records; what was replaced is kept as *.bak-{}",
                         o.directory, report.records, stamp));
  } else {
    cli::say(fmt::format("{}: nothing was changed; --write does it", o.directory));
  }
}

int run(const Options& o) {
  const std::int64_t now_ms = system_clock().now_ms();
  inspect::RepairOptions options{.write = o.write, .now_ms = now_ms, .stamp = stamp_of(now_ms)};
  if (auto bound = set_bound(o.truncate_to, now_ms, options); !bound)
    return cli::fail(bound.error());
  auto sizes = read_sizes(o);
  if (!sizes) return cli::fail(sizes.error());
  options.shape = sizes->shape;
  options.delay_levels = sizes->delay_levels;
  auto lock = lock_store(o);
  if (!lock) return cli::fail(lock.error());
  Result<inspect::RepairReport> report = [&] {
    const auto [begin, end] = log_range(o.directory);
    Watch progress(
        {.asked = o.progress, .quiet = *o.quiet, .bytes_total = end - begin, .unit = ""});
    options.progress = [&, begin = begin](std::string_view, PhysicalOffset at) {
      progress.reach(at.value() - begin);
    };
    return inspect::repair(fs::posix(), o.directory, options);
  }();
  if (!report) return cli::fail(report.error());
  cli::Output out;
  print(o, *report, out.buffer());
  sum_up(o, *report, options.stamp);
  return finish({}, out, report->is_damaged && !report->is_done ? cli::kExitData : cli::kExitOk);
}

}  // namespace

void add_repair(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* app =
      all.add("repair", "make a damaged store whole: the plan, or with --write the deed", *o,
              [o] { return run(*o); });
  app->add_option("--truncate-to", o->truncate_to,
                  "end the log there: a physical offset, @TIME, or auto for the last record that "
                  "can be read")
      ->type_name("PHYS|@TIME|auto")
      ->capture_default_str();
  add_mend_options(*app, *o);
}

}  // namespace mq::mqdump

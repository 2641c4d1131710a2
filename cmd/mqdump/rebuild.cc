// mqdump rebuild: consume queues and index from the commit log.
#include "inspect/rebuild.h"

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/clock.h"
#include "base/json.h"
#include "inspect/rebuild_check.h"
#include "inspect/repair_change.h"
#include "mend.h"

namespace mq::mqdump {
namespace {

struct Options : MendOptions {
  bool queues = false;
  bool index = false;
  std::string topic;
  std::string out;
};

// What makes the result incomplete, and what had to be assumed.
void say_about(const Options& o, const inspect::StoreShape& shape,
               const std::vector<inspect::Finding>& damage) {
  for (const std::string& assumed : shape.assumed) {
    cli::say(fmt::format(
        "no file tells {}: taken as the broker's default; -c FILE or -o tell better", assumed));
  }
  for (const inspect::Finding& finding : damage)
    cli::say(fmt::format("commit log at {}: {}", finding.at.value(), finding.what));
  if (!damage.empty()) {
    cli::say(fmt::format(
        "the log is damaged: records there are in no queue; see `mqdump repair {}`", o.directory));
  }
}

// What `run` gives, which is told how far it is as long as it takes.
template <typename Run>
auto with_progress(const Options& o, inspect::RebuildOptions options, Run&& run) {
  const auto [begin, end] = log_range(o.directory);
  Watch progress({.asked = o.progress, .quiet = *o.quiet, .bytes_total = end - begin, .unit = ""});
  options.progress = [&, begin = begin](PhysicalOffset at) { progress.reach(at.value() - begin); };
  return run(options);
}

int check(const Options& o, const inspect::RebuildOptions& options) {
  auto check = with_progress(o, options, [&o](const inspect::RebuildOptions& watched) {
    return inspect::check_rebuild(fs::posix(), o.directory, watched);
  });
  if (!check) return cli::fail(check.error());
  cli::Output out;
  for (const inspect::RebuildDifference& d : check->differences) {
    if (o.json) {
      out.buffer() += to_json(json::object{{"what", d.what}, {"lags", d.lags}}) + "\n";
    } else {
      out.buffer() += d.what + "\n";
    }
  }
  say_about(o, options.shape, check->damage);
  if (check->differences.empty()) {
    cli::say(fmt::format("{}: {} records, all is as the log says", o.directory, check->records));
  } else {
    cli::say(fmt::format("{}: nothing was written; --out DIR2 builds there, --write in place",
                         o.directory));
  }
  const bool is_fine = check->differences.empty() && check->damage.empty();
  return finish({}, out, is_fine ? cli::kExitOk : cli::kExitData);
}

// What is built takes the place of what is there.
Result<void> put_in_place(const Options& o, const inspect::RebuildReport& report,
                          inspect::StoreChange& change) {
  for (const auto& range : report.queues) change.replace("consumequeue/" + to_string(range.queue));
  if (o.index) change.replace("index");
  return change.commit();
}

Result<inspect::RebuildReport> build(const Options& o, const inspect::RebuildOptions& options,
                                     const std::string& stamp) {
  fs::Fs& fs = fs::posix();
  if (!o.write) return inspect::rebuild(fs, o.directory, o.out, options);
  MQ_TRY(const bool finished, inspect::StoreChange::finish(fs, o.directory));
  if (finished) cli::say("a change that had been interrupted is complete now");
  inspect::StoreChange change(fs, o.directory, stamp);
  MQ_TRY(auto report, inspect::rebuild(fs, o.directory, change.area(), options));
  MQ_CHECK(put_in_place(o, report, change));
  return report;
}

void print(const Options& o, const inspect::RebuildReport& report, std::string& out) {
  for (const auto& range : report.queues) {
    if (o.json) {
      out += to_json(json::object{{"topic", range.queue.topic},
                                  {"queue", range.queue.id},
                                  {"min", range.first},
                                  {"max", range.end}}) +
             "\n";
    } else {
      fmt::format_to(std::back_inserter(out), "{}: {} to {}\n", to_string(range.queue), range.first,
                     range.end);
    }
  }
  if (!o.index) return;
  if (o.json) {
    out += to_json(json::object{{"indexFiles", report.index_files}, {"keys", report.keys}}) + "\n";
  } else {
    fmt::format_to(std::back_inserter(out), "index: {} keys in {} files\n", report.keys,
                   report.index_files);
  }
}

int run(const Options& o) {
  if (o.write && !o.out.empty()) {
    cli::say("--write builds in place, --out elsewhere: one of them");
    return cli::kExitUsage;
  }
  auto sizes = read_sizes(o);
  if (!sizes) return cli::fail(sizes.error());
  auto lock = lock_store(o);
  if (!lock) return cli::fail(lock.error());
  auto shape = inspect::find_shape(fs::posix(), o.directory, sizes->shape);
  if (!shape) return cli::fail(shape.error());
  const std::int64_t now_ms = system_clock().now_ms();
  const inspect::RebuildOptions options{.queues = o.queues,
                                        .index = o.index,
                                        .topic = o.topic,
                                        .shape = *shape,
                                        .delay_levels = sizes->delay_levels,
                                        .now_ms = now_ms};
  if (!o.write && o.out.empty()) return check(o, options);
  auto report = with_progress(o, options, [&](const inspect::RebuildOptions& watched) {
    return build(o, watched, stamp_of(now_ms));
  });
  if (!report) return cli::fail(report.error());
  say_about(o, *shape, report->damage);
  for (const std::string& odd : report->odd) cli::say(odd);
  cli::say(o.write
               ? fmt::format("{}: rebuilt from {} records; what was replaced is kept as *.bak-{}",
                             o.directory, report->records, stamp_of(now_ms))
               : fmt::format("{}: built from {} records", o.out, report->records));
  cli::Output out;
  print(o, *report, out.buffer());
  return finish({}, out, report->damage.empty() ? cli::kExitOk : cli::kExitData);
}

void add(Commands& group, const char* name, const char* what, bool queues, bool index) {
  auto o = std::make_shared<Options>();
  o->queues = queues;
  o->index = index;
  cli::Command* app = group.add(name, what, *o, [o] { return run(*o); });
  if (queues && !index)
    app->add_option("--topic", o->topic, "the queues of this topic alone")->type_name("TOPIC");
  app->add_option("--out", o->out, "build in this directory instead of the store")
      ->type_name("DIR2");
  add_mend_options(*app, *o);
}

}  // namespace

void add_rebuild(Commands& all) {
  Commands group = all.group("rebuild", "consume queues and index from the commit log");
  add(group, "cq", "the consume queues", true, false);
  add(group, "index", "the index files", false, true);
  add(group, "all", "both", true, true);
}

}  // namespace mq::mqdump

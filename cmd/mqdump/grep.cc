// mqdump grep: the records that an expression describes.

#include <fmt/format.h>

#include "base/clock.h"
#include "cli/inflate.h"
#include "cli/units.h"
#include "inspect/expression.h"
#include "inspect/log_range.h"
#include "inspect/parallel_walk.h"
#include "show.h"

namespace mq::mqdump {
namespace {

struct Options : ShowOptions, RunOptions {
  std::vector<std::string> words;
  std::int64_t count = -1;
};

Result<std::int64_t> time_of(std::string_view text) {
  const std::int64_t now = system_clock().now_ms();
  auto time = cli::parse_time_ms(text, now);
  if (!time && text.starts_with('@')) time = cli::parse_time_ms(text.substr(1), now);
  return time;
}

// What cannot be inflated is looked at as it is.
Bytes body_of(const format::Record& record, std::string& buffer) {
  const auto body = cli::message_body(record, buffer);
  return body ? *body : record.body;
}

Result<inspect::Expression> compile(const Options& o) {
  std::string text;
  for (const std::string& word : o.words) text += (text.empty() ? "" : " ") + word;
  return inspect::Expression::parse(text, {.time_ms = time_of, .size = cli::parse_size});
}

// The part of the log that can match.
Result<inspect::WalkOptions> where_to_look(const Options& o, const inspect::Expression& expression,
                                           inspect::LogReader& log) {
  const inspect::Scan scan = expression.scan();
  inspect::WalkOptions out{.from = scan.from, .to = scan.to, .jobs = o.jobs};
  if (scan.from_ms != INT64_MIN) {
    MQ_TRY(const PhysicalOffset from, inspect::first_file_at(log, scan.from_ms));
    out.from = std::max(out.from, from);
  }
  if (scan.to_ms != INT64_MAX) {
    MQ_TRY(const PhysicalOffset to, inspect::first_file_behind(log, scan.to_ms));
    out.to = std::min(out.to, to);
  }
  return out;
}

int run(const Options& o) {
  auto expression = compile(o);
  if (!expression) return cli::fail(expression.error());
  auto log = inspect::LogReader::open(fs::posix(), o.directory, inspect::LogReader::Cache::kDrop);
  if (!log) return cli::fail(log.error());
  auto options = where_to_look(o, *expression, **log);
  if (!options) return cli::fail(options.error());
  auto show = Show::create(o);
  if (!show) return cli::fail(show.error());
  const PhysicalOffset end = std::min(options->to, (*log)->end_of_files());
  const PhysicalOffset begin = std::max(options->from, (*log)->begin());
  bool damaged = false;
  Result<void> written;
  Result<void> searched;
  {
    Watch progress({.asked = o.progress,
                    .quiet = *o.quiet,
                    .bytes_total = std::max<std::int64_t>(0, end - begin)});
    options->bytes_done = &progress.bytes;
    options->records_done = &progress.count;
    std::vector<std::string> buffers(static_cast<std::size_t>(o.jobs));
    searched = inspect::search_parallel(
        fs::posix(), o.directory, *options,
        [&](std::size_t worker, const format::Record& record) {
          return cli::stop_signal() != 0 || expression->matches(record, body_of, buffers[worker]);
        },
        [&](const format::Record& record, Bytes) {
          if (cli::stop_signal() != 0) return false;
          written = show->record(record);
          return written && show->number() != o.count;
        },
        [&](const inspect::Finding& finding) {
          if (!finding.damage) return;
          damaged = true;
          cli::say(fmt::format("{}: {}", (*log)->where(finding.at), finding.what));
        });
  }
  if (!searched) {
    (void)show->output().flush();
    return cli::fail(searched.error());
  }
  const int status = damaged || show->damaged() ? cli::kExitData
                     : show->number() == 0      ? cli::kExitNo
                                                : cli::kExitOk;
  return finish(written, show->output(), status);
}

}  // namespace

void add_grep(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* app =
      all.add("grep", "the records that an expression describes", *o, [o] { return run(*o); });
  app->add_option("expression", o->words,
                  "FIELD OP VALUE, joined by and, or, not, (): \"topic = orders and body ~ error\"")
      ->type_name("EXPR")
      ->required();
  app->add_option("-c,--count", o->count, "stop after N records")
      ->type_name("N")
      ->check(cli::is_positive());
  add_show_options(*app, *o);
  add_run_options(*app, *o);
}

}  // namespace mq::mqdump

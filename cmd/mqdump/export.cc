// mqdump export: a topic's messages, as mqsend takes them.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "cli/inflate.h"
#include "format/inner_batch.h"
#include "inspect/parallel_walk.h"
#include "show.h"

namespace mq::mqdump {
namespace {

struct Options : ShowOptions, RunOptions {
  std::vector<std::string> topics;
  bool all = false;
  bool raw = false;
  std::string delimiter = "\\n";
  bool nul = false;
  bool length_prefix = false;
  std::int32_t queue = -1;
};

class Export {
 public:
  Export(const Options& o, Show show, std::string delimiter)
      : o_(o),
        show_(std::move(show)),
        delimiter_(std::move(delimiter)),
        topics_(o.topics.begin(), o.topics.end()) {}

  [[nodiscard]] bool wants(const format::Record& record) const {
    const std::int32_t type = record.transaction_type();
    return (type == format::kTransactionNone || type == format::kTransactionCommit) &&
           (o_.all || topics_.contains(record.topic)) &&
           (o_.queue < 0 || record.queue_id == o_.queue);
  }
  bool message(const format::Record& record) {
    if (cli::stop_signal() != 0) return false;
    seen_.emplace(record.topic);
    const auto body = cli::message_body(record, inflated_);
    // Show says what is wrong with it.
    return format::for_each_message(record, body ? *body : record.body,
                                    [&](const format::Record& one) { return put(one); });
  }
  int end(bool damaged) {
    int status = damaged || show_.damaged() ? cli::kExitData : cli::kExitOk;
    for (const std::string& topic : topics_) {
      if (seen_.contains(topic) || cli::stop_signal() != 0) continue;
      cli::say(fmt::format("topic '{}': no message in {}", topic, o_.directory));
      status = cli::kExitNoInput;
    }
    return finish(written_, show_.output(), status);
  }

 private:
  bool put(const format::Record& record) {
    if (!o_.raw) {
      written_ = show_.record(record);
      return written_.has_value();
    }
    std::string scratch;
    const auto body = cli::message_body(record, scratch);
    if (!body) {
      show_.damaged_body(record, body.error());
      return true;
    }
    std::string& out = show_.output().buffer();
    if (o_.length_prefix) {
      std::array<std::byte, 4> prefix{};
      store_be(prefix.data(), static_cast<std::int32_t>(body->size()));
      out += as_text(prefix);
    }
    out += as_text(*body);
    if (!o_.length_prefix) out += delimiter_;
    written_ = show_.output().settle();
    return written_.has_value();
  }

  const Options& o_;
  Show show_;
  std::string delimiter_;
  std::set<std::string, std::less<>> topics_;
  std::set<std::string, std::less<>> seen_;
  std::string inflated_;
  Result<void> written_;
};

int run(Options& o) {
  if (o.topics.empty() != o.all) {
    cli::say(o.all ? "--all names no topics" : "which topics? name them, or --all");
    return cli::kExitUsage;
  }
  o.json = o.format.empty() && !o.raw;
  auto delimiter = o.nul ? Result<std::string>(std::string(1, '\0')) : cli::unescape(o.delimiter);
  if (!delimiter) return cli::fail(delimiter.error());
  auto show = Show::create(o);
  if (!show) return cli::fail(show.error());
  auto log = inspect::LogReader::open(fs::posix(), o.directory, inspect::LogReader::Cache::kDrop);
  if (!log) return cli::fail(log.error());
  Export out(o, *std::move(show), *std::move(delimiter));
  bool damaged = false;
  Result<void> walked;
  {
    Watch progress({.asked = o.progress,
                    .quiet = *o.quiet,
                    .bytes_total = (*log)->end_of_files() - (*log)->begin()});
    walked = inspect::search_parallel(
        fs::posix(), o.directory,
        {.jobs = o.jobs, .bytes_done = &progress.bytes, .records_done = &progress.count},
        [&](std::size_t, const format::Record& record) {
          return cli::stop_signal() != 0 || out.wants(record);
        },
        [&](const format::Record& record, Bytes) { return out.message(record); },
        [&](const inspect::Finding& finding) {
          if (!finding.damage) return;
          damaged = true;
          cli::say(fmt::format("{}: {}", (*log)->where(finding.at), finding.what));
        });
  }
  if (!walked) return cli::fail(walked.error());
  return out.end(damaged);
}

}  // namespace

void add_export(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* app = all.add("export", "messages out, as JSON that mqsend -J takes, or raw", *o,
                              [o] { return run(*o); });
  app->add_option("topic", o->topics, "the topics")->type_name("TOPIC");
  app->add_flag("--all", o->all, "every topic, the system's too");
  app->add_option("-p,--queue", o->queue, "only that queue")->type_name("QUEUE");
  app->add_flag("--raw", o->raw, "bodies alone, each with a newline behind");
  app->add_option("-D,--delimiter", o->delimiter, "with --raw: behind each body, instead")
      ->type_name("S");
  app->add_flag("-0,--null", o->nul, "with --raw: a zero byte behind each body");
  app->add_flag("-L,--length-prefix", o->length_prefix,
                "with --raw: 4 bytes of length before each body, nothing behind");
  add_show_options(*app, *o);
  add_run_options(*app, *o);
}

}  // namespace mq::mqdump

// mqdump get: one message, by any of its names.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/units.h"
#include "format/properties.h"
#include "hex_sheet.h"
#include "inspect/find_message.h"
#include "inspect/references.h"
#include "show.h"
#include "terminal.h"

namespace mq::mqdump {
namespace {

struct Options : ShowOptions, RunOptions {
  std::string what;
  bool hex = false;
};

// One piece of the sheet: the bytes, what they are, where they stand.
class Sheets {
 public:
  Sheets(const Options& o, std::string& out)
      : json_(o.json), colour_(!o.json && wants_colour()), out_(out) {}

  void line(const std::string& text) {
    if (!json_) out_ += safe(text) + "\n";
  }
  void piece(const inspect::Annotation& a, Bytes bytes, const std::string& where,
             std::string_view indent = {}) {
    if (json_) {
      append_sheet_json(out_, a, bytes, a.kind, where);
    } else {
      append_sheet(out_, a, bytes, colour_, indent);
    }
  }
  void group(const inspect::GroupReference& g, std::int64_t offset) {
    if (!json_) {
      return line(fmt::format("group {}: {} (it is at {} of this queue)", g.group,
                              g.next > offset ? "has consumed it" : "has not consumed it yet",
                              g.next));
    }
    out_ += R"({"of":"group","name":)";
    append_json_string(out_, g.group);
    fmt::format_to(std::back_inserter(out_), ",\"next\":{},\"consumed\":{}}}\n", g.next,
                   g.next > offset);
  }
  // A reference that is not there.
  void nothing(std::string_view of, const std::string& where, std::string_view why) {
    if (!json_) return line(fmt::format("{} {}: NOT: {}", of, where, why));
    out_ += fmt::format(R"({{"of":"{}","where":)", of);
    append_json_string(out_, where);
    out_ += R"(,"wrong":)";
    append_json_string(out_, why);
    out_ += "}\n";
  }

 private:
  bool json_;
  bool colour_;
  std::string& out_;
};

void add_references(Sheets& out, const inspect::References& all, const format::Record& record) {
  if (!all.expects_queue)
    out.line("no queue entry: a half message, or one that was rolled back, has none");
  for (const auto& q : all.queues) {
    const std::string entry = fmt::format("{}/{}/{}", q.topic, q.queue, q.offset);
    if (q.path.empty() || !q.wrong.empty()) {
      out.nothing("queue entry",
                  q.path.empty() ? entry : fmt::format("{} in {} at {}", entry, q.path, q.position),
                  q.wrong);
      continue;
    }
    out.line(fmt::format("referenced from queue {}: {} at {}", entry, q.path, q.position));
    const Bytes raw = as_bytes(q.bytes).first(20);
    const bool delayed = record.topic == "SCHEDULE_TOPIC_XXXX" &&
                         format::find_property(record.properties, format::kDelay).has_value();
    out.piece(inspect::annotate_queue_entry(raw, delayed, cli::format_time_ms), raw,
              fmt::format("{} at {}", q.path, q.position), "  ");
  }
  for (const auto& i : all.index) {
    const std::string where =
        fmt::format("{} entry {}, slot {}, at {}", i.path, i.number, i.slot, i.position);
    out.line(fmt::format("referenced from the index by key {}: {}", i.key, where));
    const Bytes raw = as_bytes(i.bytes);
    out.piece(inspect::annotate_index_entry(raw, i.begin_ms, cli::format_time_ms), raw, where,
              "  ");
  }
  for (const auto& g : all.groups) out.group(g, record.queue_offset.value());
  for (const std::string& damage : all.damage) cli::say(damage);
}

int show_hex(const Options& o, inspect::LogReader& log, PhysicalOffset at) {
  auto bytes = log.bytes_from(at);
  if (!bytes) return cli::fail(bytes.error());
  if (bytes->empty()) {
    cli::say(fmt::format("no record at {}: the commit log's files hold {} to {}", at.value(),
                         log.begin().value(), log.end_of_files().value()));
    return cli::kExitNo;
  }
  cli::Output output;
  Sheets out(o, output.buffer());
  const inspect::Annotation a = inspect::annotate_record(*bytes, at, cli::format_time_ms);
  const std::string where = log.where(at);
  if (a.kind == "nothing") {
    cli::say(fmt::format("{}: nothing was written there", where));
    return cli::kExitNo;
  }
  const auto size = load_be<std::int32_t>(bytes->data());
  out.line(a.kind == "noise" ? fmt::format("no record and no blank: {}", where)
                             : fmt::format("{} of {} bytes: {}", a.kind, size, where));
  out.piece(a, *bytes, where);
  auto record = inspect::good_record(*bytes, at);
  if (a.kind == "record" && !record) cli::say(fmt::format("{}: {}", where, record.error().text()));
  if (record) {
    auto all = inspect::find_references(fs::posix(), o.directory, *record);
    if (!all) return cli::fail(all.error());
    add_references(out, *all, *record);
  }
  const bool good = record ? a.sound() : a.kind == "blank" && a.sound();
  return finish({}, output, good ? cli::kExitOk : cli::kExitData);
}

int show_record(const Options& o, inspect::LogReader& log, PhysicalOffset at) {
  auto record = log.record_at(at);
  if (!record) {
    cli::fail(record.error());
    if (record.error().code() == Errc::kNotFound) return cli::kExitNo;  // no record starts there
    // A record that its file cuts short is damage, too.
    return record.error().code() == Errc::kShort ? cli::kExitData : cli::exit_for(record.error());
  }
  auto show = Show::create(o);
  if (!show) return cli::fail(show.error());
  const auto written = show->record(*record);
  return finish(written, show->output(), show->damaged() ? cli::kExitData : cli::kExitOk);
}

int run(const Options& o) {
  auto log = inspect::LogReader::open(fs::posix(), o.directory);
  if (!log) return cli::fail(log.error());
  const auto total = static_cast<std::int64_t>((*log)->end_of_files() - (*log)->begin());
  auto at = [&] {
    Watch progress({.asked = o.progress, .quiet = *o.quiet, .bytes_total = total});
    return inspect::find_message(
        fs::posix(), **log, o.directory, o.what,
        {.jobs = o.jobs, .bytes_done = &progress.bytes, .records_done = &progress.count});
  }();
  if (!at) {
    cli::fail(at.error());
    return at.error().code() == Errc::kNotFound ? cli::kExitNo : cli::exit_for(at.error());
  }
  return o.hex ? show_hex(o, **log, *at) : show_record(o, **log, *at);
}

}  // namespace

void add_get(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* app =
      all.add("get", "one message; DIR may be one commit log file", *o, [o] { return run(*o); });
  app->add_option("what", o->what, "@PHYSICAL, an id, or TOPIC/QUEUE/OFFSET")
      ->type_name("WHAT")
      ->required();
  app->add_flag("--hex", o->hex, "every field, its bytes, its meaning, and what leads to it");
  add_show_options(*app, *o);
  add_run_options(*app, *o);
}

}  // namespace mq::mqdump

// mqdump diff: whether two stores mean the same.
#include <memory>

#include <fmt/format.h>

#include "base/json.h"
#include "cli/inflate.h"
#include "commands.h"
#include "inspect/store_diff.h"
#include "terminal.h"

namespace mq::mqdump {
namespace {

using inspect::Difference;

struct Options : StoreOptions, RunOptions {
  std::string other;
  std::vector<std::string> topics;
  std::vector<std::string> ignore;
  bool strict = false;
  bool messages_only = false;
};

Bytes body_of(const format::Record& record, std::string& buffer) {
  const auto body = cli::message_body(record, buffer);
  return body ? *body : record.body;
}

std::string parts_text(const std::vector<inspect::MessagePart>& parts, std::string_view between) {
  std::string out;
  for (const inspect::MessagePart part : parts)
    out.append(out.empty() ? "" : between).append(inspect::name_of(part));
  return out;
}

class Printer {
 public:
  explicit Printer(const Options& o) : o_(o) {}

  void add(const Difference& d) {
    if (*o_.quiet || !written_) return;
    if (o_.json) {
      add_json(d);
    } else {
      add_text(d);
    }
    written_ = out_.settle();
  }
  int end(int status) { return finish(written_, out_, status); }

 private:
  static std::string range(const Difference& d) {
    return d.from == d.to ? fmt::format("{}/{}/{}", safe(d.topic), d.queue, d.from)
                          : fmt::format("{}/{}/{} to {}", safe(d.topic), d.queue, d.from, d.to);
  }
  void add_text(const Difference& d) {
    std::string& out = out_.buffer();
    const auto value = [](const std::string& text) { return text.empty() ? "(none)" : safe(text); };
    switch (d.kind) {
      case Difference::Kind::kOnlyFirst:
        out += fmt::format("{}: only in {}\n", range(d), o_.directory);
        return;
      case Difference::Kind::kOnlySecond:
        out += fmt::format("{}: only in {}\n", range(d), o_.other);
        return;
      case Difference::Kind::kMessage:
        out += fmt::format("{}: differs in {}\n", range(d), parts_text(d.parts, ", "));
        return;
      case Difference::Kind::kMore:
        out += fmt::format("{}: more differences among these\n", range(d));
        return;
      case Difference::Kind::kState:
        out += fmt::format("config/{} {}: {} against {}\n", d.topic, safe(d.name), value(d.first),
                           value(d.second));
        return;
    }
  }
  void add_json(const Difference& d) {
    std::string& out = out_.buffer();
    const auto text = [&](std::string_view name, std::string_view value) {
      fmt::format_to(std::back_inserter(out), ",\"{}\":", name);
      append_json_string(out, value);
    };
    static constexpr std::array<const char*, 5> kKinds = {"onlyFirst", "onlySecond", "message",
                                                          "more", "state"};
    fmt::format_to(std::back_inserter(out), R"({{"kind":"{}")",
                   kKinds[static_cast<std::size_t>(d.kind)]);
    if (d.kind == Difference::Kind::kState) {
      text("file", d.topic);
      text("name", d.name);
      if (!d.first.empty()) text("first", d.first);
      if (!d.second.empty()) text("second", d.second);
    } else {
      text("topic", d.topic);
      fmt::format_to(std::back_inserter(out), ",\"queue\":{},\"from\":{},\"to\":{}", d.queue,
                     d.from, d.to);
      if (!d.parts.empty()) text("parts", parts_text(d.parts, ","));
    }
    out += "}\n";
  }

  const Options& o_;
  cli::Output out_;
  Result<void> written_;
};

Result<inspect::PartSet> parts_of(const Options& o) {
  inspect::PartSet out = o.strict ? inspect::PartSet::all() : inspect::PartSet::meaning();
  for (const std::string& name : o.ignore) {
    const auto part = inspect::part_of(name);
    if (!part) return Error{Errc::kInvalid, fmt::format("--ignore: no part '{}'", name)};
    out.remove(*part);
  }
  return out;
}

Result<std::int64_t> bytes_of(const std::string& store) {
  MQ_TRY(const auto log, inspect::LogReader::open(fs::posix(), store));
  std::int64_t out = 0;
  for (const auto& file : log->files()) {
    const auto stat = fs::posix().stat(file.path);
    out += stat ? std::min(stat->bytes, stat->allocated_bytes) : 0;
  }
  return out;
}

int run(const Options& o) {
  auto parts = parts_of(o);
  if (!parts) return cli::fail(parts.error());
  auto first = bytes_of(o.directory);
  if (!first) return cli::fail(first.error());
  auto second = bytes_of(o.other);
  if (!second) return cli::fail(second.error());
  bool damaged = false;
  Printer printer(o);
  Result<std::int64_t> messages = 0;
  {
    Watch progress({.asked = o.progress, .quiet = *o.quiet, .bytes_total = *first + *second});
    inspect::DigestOptions options{
        .parts = *parts,
        .topics = {o.topics.begin(), o.topics.end()},
        .body = body_of,
        .jobs = o.jobs,
        .bytes_done = &progress.bytes,
        .records_done = &progress.count,
        .goes_on = [] { return cli::stop_signal() == 0; },
        .note =
            [&](const inspect::Finding& finding) {
              if (!finding.damage) return;
              damaged = true;
              cli::say(fmt::format("damage at {}: {}", finding.at.value(), finding.what));
            }};
    messages = inspect::diff_messages(fs::posix(), o.directory, o.other, options,
                                      [&](const Difference& d) {
                                        if (cli::stop_signal() == 0) printer.add(d);
                                      });
  }
  if (!messages) return cli::fail(messages.error());
  Result<std::int64_t> state = 0;
  if (!o.messages_only && o.topics.empty() && cli::stop_signal() == 0)
    state = inspect::diff_state(fs::posix(), o.directory, o.other,
                                [&](const Difference& d) { printer.add(d); });
  if (!state) {
    cli::say(state.error().text());
    damaged = true;
    state = 0;
  }
  return printer.end(*messages + *state > 0 ? cli::kExitNo
                     : damaged              ? cli::kExitData
                                            : cli::kExitOk);
}

}  // namespace

void add_diff(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* app = all.add("diff", "whether two stores hold the same messages and state", *o,
                              [o] { return run(*o); });
  app->add_option("other", o->other, "the other store")->type_name("DIR2")->required();
  app->add_option("topic", o->topics, "only the messages of these topics")->type_name("TOPIC");
  app->add_option("--ignore", o->ignore,
                  "do not compare: body properties id flag born reconsumed transaction")
      ->type_name("PART[,PART...]")
      ->delimiter(',')
      ->allow_extra_args(false);
  app->add_flag("--strict", o->strict, "compare stored (time), place and compression, too");
  app->add_flag("--messages", o->messages_only, "not the state files");
  add_run_options(*app, *o);
}

}  // namespace mq::mqdump

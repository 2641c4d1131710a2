#include "options.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "cli/tool.h"
#include "cli/units.h"

namespace mq::mqstat {
namespace {

struct ViewName {
  std::string_view name;
  bool takes_name;
};
constexpr std::array kViews = {ViewName{"broker", false}, ViewName{"topics", false},
                               ViewName{"topic", true},   ViewName{"groups", false},
                               ViewName{"group", true},   ViewName{"clients", false},
                               ViewName{"store", false},  ViewName{"cluster", false},
                               ViewName{"message", true}, ViewName{"timer", false}};

bool is_number(const std::string& word) {
  return !word.empty() && std::isdigit(static_cast<unsigned char>(word[0])) != 0 &&
         word.find_first_not_of("0123456789.hms") == std::string::npos;
}

// VIEW [NAME] [INTERVAL [COUNT]], each of which may be missing.
Result<void> take_words(std::span<const std::string> words, Options& o) {
  while (!words.empty() && words.back().empty()) words = words.first(words.size() - 1);
  std::size_t at = 0;
  if (at < words.size() && !is_number(words[at])) o.view = words[at++];
  const auto view = std::find_if(kViews.begin(), kViews.end(),
                                 [&](const ViewName& v) { return v.name == o.view; });
  if (view == kViews.end()) return Error{Errc::kInvalid, fmt::format("no view '{}'", o.view)};
  if (view->takes_name && !(o.view == "message" && !o.key.empty())) {
    if (at == words.size()) return Error{Errc::kInvalid, fmt::format("{}: which one?", o.view)};
    o.argument = words[at++];
  }
  if (at < words.size()) {
    MQ_TRY(o.interval_ms, cli::parse_duration_ms(words[at++]));
    if (o.interval_ms <= 0) return Error{Errc::kInvalid, "the interval is not above 0"};
    o.count = -1;
  }
  if (at < words.size()) {
    o.count = std::atoll(words[at++].c_str());
    if (o.count <= 0) return Error{Errc::kInvalid, "the count is not a positive number"};
  }
  if (at < words.size())
    return Error{Errc::kInvalid, fmt::format("'{}' is one word too many", words[at])};
  return {};
}

Result<void> settle(bool json, bool csv, Options& o) {
  if (json && csv) return Error{Errc::kInvalid, "-J and --csv exclude each other"};
  o.form = json ? Form::kJson : csv ? Form::kCsv : Form::kColumns;
  if (o.view == "message" && !o.key.empty() && o.topic.empty())
    return Error{Errc::kInvalid, "-k needs -t TOPIC"};
  if (!o.check.empty() && !o.wait.empty())
    return Error{Errc::kInvalid, "--check and --wait exclude each other"};
  if (!o.check.empty() && (o.warn < 0 || o.critical < 0))
    return Error{Errc::kInvalid, "--check needs --warn and --crit"};
  if (!o.top) return {};
  if (json || csv) return Error{Errc::kInvalid, "--top is for people: neither -J nor --csv"};
  if (o.view == "message") return Error{Errc::kInvalid, "--top: a message does not change"};
  if (o.interval_ms == 0) o.interval_ms = 2000;
  if (o.count == 1) o.count = -1;
  return {};
}

}  // namespace

std::optional<int> parse_options(int argc, char** argv, Options& o) {
  bool json = false;
  bool csv = false;
  std::array<std::string, 4> words;
  cli::Command app(
      "Looks at brokers: broker (default), topics, topic T, groups, group G, clients, store, "
      "cluster, timer, message ID, message -k KEY -t TOPIC.",
      "mqstat");
  cli::add_common(app, o.common);
  app.add_option("view", words[0], "what to look at")
      ->type_name("broker|topics|topic|groups|group|clients|store|cluster|timer|message");
  app.add_option("name", words[1], "of the topic or group, or a message's id")
      ->type_name("TOPIC|GROUP|MSGID");
  app.add_option("interval", words[2], "look again after so long")->type_name("INTERVAL");
  app.add_option("count", words[3], "that often")->type_name("COUNT");
  app.add_flag("-J,--json", json, "a JSON object a line");
  app.add_flag("--csv", csv, "comma-separated values");
  app.add_flag("--top", o.top, "full screen, again and again; q ends it");
  app.add_option("-k,--key", o.key, "message: by key")->type_name("KEY");
  app.add_option("-t,--topic", o.topic, "message: the topic of the key or id; group: this alone")
      ->type_name("TOPIC");
  app.add_option("-g,--group", o.group, "the group that --check or --wait lag is about")
      ->type_name("GROUP");
  app.add_option("--check", o.check,
                 "compare a figure with --warn and --crit, as Nagios plugins do")
      ->type_name("lag|disk|behind|unflushed");
  app.add_option("--warn", o.warn, "with --check: above it the answer is 1")->type_name("N");
  app.add_option("--crit", o.critical, "with --check: above it the answer is 2")->type_name("N");
  app.add_option("--wait", o.wait, "until it is true: lag=0, disk<80; exit 1 after --timeout")
      ->type_name("CONDITION");
  if (auto exit = cli::parse(app, o.common, argc, argv)) return exit;
  // Of an answer it has a default; of waiting it has none.
  if (app.count("--timeout") > 0) o.wait_ms = o.common.timeout_ms();
  auto taken = take_words(words, o);
  if (taken) taken = settle(json, csv, o);
  if (taken) return std::nullopt;
  cli::say(taken.error().text() + " (mqstat --help)");
  return cli::kExitUsage;
}

}  // namespace mq::mqstat

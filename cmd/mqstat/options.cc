#include "options.h"

#include <fmt/format.h>

#include "cli/units.h"

namespace mq::mqstat {

std::optional<int> parse_options(int argc, char** argv, Options& o) {
  bool json = false;
  bool csv = false;
  std::vector<std::string> words;
  CLI::App app(
      "Looks at a broker: broker (default), topics, topic T, store, message ID, message -k KEY -t "
      "TOPIC.",
      "mqstat");
  cli::add_common(app, o.common);
  app.add_option("view", words, "VIEW [NAME] [INTERVAL [COUNT]]")->type_name("...");
  app.add_flag("-J,--json", json, "a JSON object a line");
  app.add_flag("--csv", csv, "comma-separated values");
  app.add_option("-k,--key", o.key, "message: by key")->type_name("KEY");
  app.add_option("-t,--topic", o.topic, "message: the topic of the key or id")->type_name("TOPIC");
  if (auto exit = cli::parse(app, o.common, argc, argv)) return exit;
  const auto usage = [](const std::string& text) {
    cli::say(text + " (mqstat --help)");
    return cli::kExitUsage;
  };
  if (json && csv) return usage("-J and --csv exclude each other");
  o.form = json ? Form::kJson : csv ? Form::kCsv : Form::kColumns;
  std::size_t at = 0;
  const auto is_number = [](const std::string& w) {
    return !w.empty() && w.find_first_not_of("0123456789.ms") == std::string::npos &&
           std::isdigit(static_cast<unsigned char>(w[0])) != 0;
  };
  if (at < words.size() && !is_number(words[at])) o.view = words[at++];
  const bool named = o.view == "topic" || (o.view == "message" && o.key.empty());
  if (named) {
    if (at == words.size()) return usage(fmt::format("{}: which one?", o.view));
    o.argument = words[at++];
  }
  if (o.view != "broker" && o.view != "topics" && o.view != "topic" && o.view != "store" &&
      o.view != "message") {
    return usage(fmt::format("no view '{}'", o.view));
  }
  if (o.view == "message" && !o.key.empty() && o.topic.empty()) return usage("-k needs -t TOPIC");
  if (at < words.size()) {
    auto interval = cli::parse_duration_ms(words[at++]);
    if (!interval || *interval <= 0) return usage("the interval is not a duration");
    o.interval_s = static_cast<double>(*interval) / 1000;
    o.count = -1;
  }
  if (at < words.size()) {
    o.count = std::atoll(words[at++].c_str());
    if (o.count <= 0) return usage("the count is not a positive number");
  }
  if (at < words.size()) return usage(fmt::format("'{}' is one word too many", words[at]));
  return std::nullopt;
}

}  // namespace mq::mqstat

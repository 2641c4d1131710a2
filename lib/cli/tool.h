// What all tools share on their command line: options with environment and profile, and the checks
// of their values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "cli/exit.h"

namespace mq::cli {

struct CommonOptions {
  std::string broker;   // -b; empty when -n comes from nearer by
  std::string namesrv;  // -n
  std::string profile = "default";
  bool quiet = false;
  bool verbose = false;
  bool print_config = false;
  std::string timeout = "15s";
  std::string drain = "5s";
  bool progress = false;
  [[nodiscard]] std::int64_t timeout_ms() const;  // checked by then
  [[nodiscard]] std::int64_t drain_ms() const;
};
// Without `with_timeout` the tool has a --timeout of its own meaning.
void add_common(CLI::App& app, CommonOptions& common, bool with_timeout = true);
// Of the tools that move messages: --drain and --progress.
void add_moving(CLI::App& app, CommonOptions& common);

// Parses; every long flag may come from MQ_FOO_BAR and the profile, too. Returns the exit code if
// the tool is to end here (help, version, print-config, completion, a wrong command line).
std::optional<int> parse(CLI::App& app, CommonOptions& common, int argc, char** argv);

// Checks of a value, named in the error.
[[nodiscard]] CLI::Validator is_duration();
[[nodiscard]] CLI::Validator is_size();
[[nodiscard]] CLI::Validator at_least(std::int64_t least);
[[nodiscard]] CLI::Validator above_zero();  // fractions, too

}  // namespace mq::cli

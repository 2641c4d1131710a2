// What the command lines of the daemons have in common: options, and what their values lead to.
// One thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "net/address.h"

namespace mq::daemon {

struct ConfigOptions {
  std::optional<std::string> file;
  std::vector<std::string> settings;  // KEY=VALUE
};
// --config and --option; `what` the file is.
void add_config(cli::Command& command, ConfigOptions& config, const std::string& what);
// The text of the file, which was given. Errors: kInvalid.
Result<std::string> config_text(const ConfigOptions& config);
// The settings, in order. Errors: kUnsupported (no KEY=VALUE).
Result<std::vector<std::pair<std::string, std::string>>> key_values(const ConfigOptions& config);

// --listen; the values replace `what`.
void add_listen(cli::Command& command, std::vector<std::string>& listen, const std::string& what);
// Errors: kUnsupported (not an address), kInvalid (open to the network, and not `may_be_open`;
// `advice` says what would allow it).
Result<std::vector<net::Address>> listeners(const std::vector<std::string>& listen,
                                            bool may_be_open, std::string_view advice);

struct RunOptions {
  int ready_fd = -1;
  bool quiet = false;
  bool verbose = false;
};
// --ready-fd, --quiet, --verbose, --version.
void add_run(cli::Command& command, RunOptions& run, bool& version);
void set_log_level(const RunOptions& run);
void tell_ready(const RunOptions& run);  // closes the descriptor, if there is one

// systemd's StateDirectory first, then a user's own place for `program`, then the system's.
[[nodiscard]] std::string state_directory(const std::string& program);

}  // namespace mq::daemon

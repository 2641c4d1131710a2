// The command line of mqnamesrv and what it leads to.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/command_line.h"
#include "net/address.h"
#include "route/name_settings.h"

namespace mq::mqnamesrv {

struct Options {
  enum class Action { kServe, kHelp, kVersion, kPrintConfig };
  Action action = Action::kServe;
  std::string help;                                           // what to print for kHelp
  std::vector<std::pair<std::string, std::string>> settings;  // of the file, then of the line
  std::string config_file;
  std::string config_text;
  std::string state_directory;
  std::vector<std::string> listen;  // empty: what bindAddress and listenPort say
  bool insecure = false;
  daemon::RunOptions run;
};

// Errors: kUnsupported for a wrong command line (exit 64), kInvalid for a file that cannot be read.
Result<Options> parse_options(int argc, char** argv);

// Takes file, state and command line, in that order. Errors: kInvalid, kIo.
Result<void> read_settings(const Options& options, route::NameSettings& settings);
// Where the files of the state are, by the keys or by default. Errors: none.
[[nodiscard]] std::string kv_path(const Options& options, const route::NameConfig& config);
// Errors: kUnsupported (not an address), kInvalid (open to the network).
Result<std::vector<net::Address>> listeners(const Options& options,
                                            const route::NameConfig& config);

}  // namespace mq::mqnamesrv

// The command line of mqd and what it leads to: settings, listeners, what to do.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "broker/config.h"
#include "daemon/command_line.h"
#include "net/address.h"

namespace mq::mqd {

struct Options {
  enum class Action { kServe, kHelp, kVersion, kCheck, kPrintConfig, kPrintChanged, kRecoverOnly };
  Action action = Action::kServe;
  std::string help;  // what to print for kHelp
  broker::Settings settings;
  std::vector<std::string> adopted;  // file sizes taken from the store
  std::vector<net::Address> listeners;
  std::vector<net::Address> name_servers;  // to register with
  std::string advertise_host;              // "" = brokerIP1
  int advertise_port = 0;                  // 0 = the first TCP listener's, as bound
  daemon::RunOptions run;
  bool ephemeral = false;  // the store is temporary: settings say where, remove it at the end
};

// Errors: kUnsupported for a wrong command line (exit 64), kInvalid for a wrong configuration (exit
// 78), kIo.
Result<Options> parse_options(int argc, char** argv);

}  // namespace mq::mqd

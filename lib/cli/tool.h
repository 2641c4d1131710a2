// What a program does with its command line.
#pragma once

#include <optional>

#include "base/result.h"
#include "cli/common_options.h"
#include "cli/exit.h"
#include "cli/options.h"

namespace mq::cli {

// Parses; every long flag may come from MQ_FOO_BAR and the profile, too. Returns the exit code if
// the tool is to end here (help, version, print-config, completion, a wrong command line).
std::optional<int> parse(Command& command, CommonOptions& common, int argc, char** argv);

}  // namespace mq::cli

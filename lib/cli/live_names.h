// Names of topics and groups as the brokers have them now, for completions: silence rather than a
// wait or an error.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"

namespace mq::cli {

enum class Names { kTopics, kGroups };
// Sorted; without the brokers' own. Empty when nobody answers within a second.
[[nodiscard]] std::vector<std::string> live_names(const Glance& seen, Names which);

}  // namespace mq::cli

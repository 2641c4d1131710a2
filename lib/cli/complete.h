// What could stand next on a command line, for the shells' completions.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace mq::cli {

// Prints a candidate a line, `word` TAB `what it is`; `words` are those behind the tool's name, the
// last one the (perhaps empty) beginning that is to be completed. Names of topics and groups come
// from the broker that the words, the environment or the profile name, if it answers at once. A
// place where a file belongs has no candidates: shells know files better. Returns the exit status.
int complete(CLI::App& app, const std::vector<std::string>& words);

}  // namespace mq::cli

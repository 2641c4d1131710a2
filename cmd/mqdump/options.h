// The command line of mqdump.
#pragma once

#include <optional>
#include <string>

#include "cli/tool.h"

namespace mq::mqdump {

struct Options {
  std::string command;
  std::string directory;
  std::string argument;  // RANGE, TOPIC[/QUEUE], or what to get
  bool json = false;
  std::string format;
  bool hex = false;
  std::string key;
  std::int64_t count = -1;
  bool all_properties = false;
  bool quiet = false;
};

std::optional<int> parse_options(int argc, char** argv, Options& options);

// One function a command; each returns the exit status.
int info(const Options& options);
int log(const Options& options);
int queue(const Options& options);
int index(const Options& options);
int checkpoint(const Options& options);
int config(const Options& options);
int get(const Options& options);

}  // namespace mq::mqdump

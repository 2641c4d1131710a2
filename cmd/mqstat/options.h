// The command line of mqstat.
#pragma once

#include <optional>
#include <string>

#include "cli/common_options.h"
#include "table.h"

namespace mq::mqstat {

struct Options {
  cli::CommonOptions common;
  std::string view = "broker";
  std::string argument;  // a topic, a group or a message id
  std::string key;
  std::string topic;
  std::string group;
  Form form = Form::kColumns;
  bool top = false;
  std::int64_t interval_ms = 0;
  std::int64_t count = 1;  // of looks; -1: until interrupted

  std::string check;  // a figure's name
  double warn = -1, critical = -1;
  std::string wait;           // a condition
  std::int64_t wait_ms = -1;  // --timeout, when it was given
};

std::optional<int> parse_options(int argc, char** argv, Options& options);

}  // namespace mq::mqstat

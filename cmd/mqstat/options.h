// The command line of mqstat.
#pragma once

#include <optional>
#include <string>

#include "cli/tool.h"
#include "table.h"

namespace mq::mqstat {

struct Options {
  cli::CommonOptions common;
  std::string view = "broker";
  std::string argument;  // a topic or a message id
  std::string key;
  std::string topic;
  Form form = Form::kColumns;
  double interval_s = 0;
  std::int64_t count = 1;
};

std::optional<int> parse_options(int argc, char** argv, Options& options);
// Looks once or again and again; returns the exit status.
int run(const Options& options);

}  // namespace mq::mqstat

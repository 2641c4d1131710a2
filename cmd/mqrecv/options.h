// The command line of mqrecv.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/common_options.h"
#include "range.h"

namespace mq::mqrecv {

struct Options {
  cli::CommonOptions common;
  std::vector<std::string> topics;
  std::string store;  // --store: from files

  bool follow = false;
  std::int64_t tail = -1;
  Range range;
  bool range_given = false;
  int queue = -1;
  std::optional<std::int64_t> since_ms, until_ms;
  bool by_born = false;
  std::string key;
  std::string id;
  bool sort = false;
  std::int64_t count = -1;
  std::int64_t idle_ms = -1;
  std::int64_t timeout_ms = -1;
  bool exit_empty = false;

  std::string group;
  bool broadcast = false;
  bool orderly = false;
  std::string exec;
  int jobs = 1;
  bool pop = false;
  std::int64_t invisible_ms = 30'000;

  std::string cursor_file;
  std::string directory;  // --dir
  std::int64_t rotate_bytes = 0;
  bool gzip = false;
  bool sync = false;

  std::string tags;  // "A||B"
  std::string sql;
  std::string grep;

  bool json = false;
  bool length_prefix = false;
  std::string delimiter = "\n";
  std::string format;
  bool headers_only = false;
  bool all_properties = false;
  bool raw = false;  // -a
};

std::optional<int> parse_options(int argc, char** argv, Options& options);

}  // namespace mq::mqrecv

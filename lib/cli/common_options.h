// The options that all tools have.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace mq::cli {

class Command;

struct CommonOptions {
  std::string broker;   // -b; empty when -n comes from nearer by
  std::string namesrv;  // -n
  std::string profile = "default";
  std::string access_key;   // empty: requests are not signed
  std::string secret_file;  // empty: $MQ_SECRET_KEY
  bool quiet = false;
  bool verbose = false;
  bool print_config = false;
  std::string timeout = "15s";
  std::string drain = "5s";
  bool progress = false;
  [[nodiscard]] std::int64_t timeout_ms() const;  // checked by then
  [[nodiscard]] std::int64_t drain_ms() const;
};
// Without `with_timeout` the tool has a --timeout of its own meaning.
void add_common(Command& command, CommonOptions& common, bool with_timeout = true);
// Of the tools that move messages: --drain and --progress.
void add_moving(Command& command, CommonOptions& common);
// The first line of that file: where tools take secrets from. Errors: those of reading it.
Result<std::string> read_secret(const std::string& path);

}  // namespace mq::cli

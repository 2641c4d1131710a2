// What the commands have in common that build and write: the sizes that a store was written with,
// and its lock.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "commands.h"
#include "fs/fs.h"
#include "inspect/rebuild_rules.h"
#include "inspect/rebuild_shape.h"

namespace mq::mqdump {

struct MendOptions : StoreOptions, RunOptions {
  std::string config_file;            // -c
  std::vector<std::string> settings;  // -o KEY=VALUE
  bool write = false;
};
void add_mend_options(cli::Command& command, MendOptions& options);

struct Sizes {
  inspect::StoreShape shape;  // what is known; the rest is 0
  std::string delay_levels{inspect::DispatchRules::kDelayLevels};
};
// From the broker's configuration file and the settings. Errors: kInvalid, kNotFound, kIo.
Result<Sizes> read_sizes(const MendOptions& options);

// Refuses a directory that is no store. With `write` the store's lock is held as long as the
// result; without, it is only looked at. Errors: kNotFound, kBusy (a broker runs on it), kIo.
Result<std::unique_ptr<fs::Lock>> lock_store(const MendOptions& options);

// "20260214103000", UTC.
[[nodiscard]] std::string stamp_of(std::int64_t now_ms);

// First byte of the log and its files' end; zeros if there is no log.
[[nodiscard]] std::pair<std::int64_t, std::int64_t> log_range(const std::string& store);

}  // namespace mq::mqdump

// What is wrong with the queues and the index of a store, going by its log alone. Writes nothing.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "inspect/rebuild.h"

namespace mq::inspect {

struct RebuildDifference {
  std::string what;   // file, position, what is there and what should be
  bool lags = false;  // all that is there is right, and the rest is missing
};
struct RebuildCheck {
  std::int64_t records = 0;
  std::vector<RebuildDifference> differences;
  std::vector<Finding> damage;  // of the log
};
Result<RebuildCheck> check_rebuild(fs::Fs& fs, const std::string& store,
                                   const RebuildOptions& options);

}  // namespace mq::inspect

// What a store is, at a glance and by reading all of its log.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "inspect/parallel_walk.h"
#include "inspect/reach.h"

namespace mq::inspect {

// How the store was left, and by what kind of broker.
struct StoreState {
  bool abort = false;                  // not closed properly, or in use
  std::optional<std::int64_t> holder;  // the process that has it open
  bool rocksdb = false;                // queues in RocksDB: other tools' business
};
[[nodiscard]] StoreState read_state(fs::Fs& fs, const std::string& store);

// Files of one kind: "commitlog", "consumequeue", ... by the name under the store's directory.
struct FileSum {
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::int64_t allocated_bytes = 0;  // what they take on the disk
};
Result<std::map<std::string, FileSum>> sum_files(fs::Fs& fs, const std::string& store);

struct QueueSum {
  std::int64_t min = 0;  // queue offsets of the records in the log
  std::int64_t max = 0;  // behind the last
  std::int64_t messages = 0;
};
struct TopicSum {
  std::int64_t messages = 0;
  std::int64_t bytes = 0;
  std::map<std::int32_t, QueueSum> queues;
};
struct LogSum {
  std::map<std::string, TopicSum, std::less<>> topics;
  std::int64_t records = 0;
  std::int64_t v2 = 0;  // of layout V2
  std::int64_t bytes = 0;
  std::int64_t body_bytes = 0;
  std::int64_t first_ms = -1;
  std::int64_t last_ms = -1;
  PhysicalOffset end{};  // behind the last good record
  SpaceMap map;
  std::vector<Finding> damage;  // the first kDamageMax
  std::int64_t damages = 0;
  static constexpr std::size_t kDamageMax = 1000;
};
// Reads all of the log. `goes_on` is asked now and then; false ends it with what there is.
// `columns`: of the map.
Result<LogSum> sum_log(fs::Fs& fs, const std::string& store, const Reach& reach,
                       const WalkOptions& options, std::size_t columns,
                       const std::function<bool()>& goes_on);

}  // namespace mq::inspect

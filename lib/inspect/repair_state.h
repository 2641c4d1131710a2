// The small files of a store: which of them a broker could not use, or would use wrongly, and what
// they are to be (store-format.md 6, 9.6). One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/checkpoint.h"
#include "fs/fs.h"
#include "inspect/rebuild_queues.h"
#include "inspect/repair_change.h"

namespace mq::inspect {

// Numbers [first, end) that a queue has once all is done.
using QueueRanges = std::map<QueueKey, std::pair<std::int64_t, std::int64_t>>;

// The highest offset that any group has committed in each queue of a topic that there is; for
// queues that are known from nowhere else.
[[nodiscard]] std::map<QueueKey, std::int64_t> highest_committed(fs::Fs& fs,
                                                                 const std::string& store);

struct StateWork {
  enum class Kind : std::uint8_t { kReplace, kPutAside };
  Kind kind = Kind::kReplace;
  std::string path;          // below the store
  std::string content = {};  // kReplace
  std::string what;
  bool is_damage = true;
  bool is_loss = false;
};

// State files that cannot be read are taken from their .bak; topics.json, if that is no better, is
// made from the queues. Offsets of consumers and delay levels come to lie within their queues.
Result<std::vector<StateWork>> state_work(fs::Fs& fs, const std::string& store,
                                          const QueueRanges& queues, std::int64_t now_ms);

// What a store has that is whole up to its end.
struct Vouched {
  PhysicalOffset last_record{-1};
  std::int64_t last_store_timestamp_ms = 0;
  std::int64_t index_sealed_ms = 0;
  PhysicalOffset end{};
};
// `checkpoint` and `abort`; `is_changed`: the store is not as the last broker left it.
Result<std::vector<StateWork>> mark_work(fs::Fs& fs, const std::string& store,
                                         const Vouched& vouched, bool is_changed);

Result<void> write_state(fs::Fs& fs, const std::vector<StateWork>& work, StoreChange& change);

}  // namespace mq::inspect

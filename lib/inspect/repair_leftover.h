// Queues of which the log has no record: whether what is there can stay, and if not, what is left
// of their numbering. And files in queue directories that are none of a queue's. Reads only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "fs/fs.h"
#include "inspect/rebuild_queues.h"
#include "inspect/store_files.h"

namespace mq::inspect {

struct LastEntry {
  QueueKey queue;
  std::int64_t number = 0;
  format::ConsumeQueueEntry entry{};
};
struct Leftover {
  std::string what;               // why it cannot stay as it is; "" if it can
  std::optional<LastEntry> last;  // its last entry of a deleted record; `queue` is not set
};
Result<Leftover> examine_leftover(fs::Fs& fs, const QueueDirectory& queue, std::int64_t file_bytes,
                                  PhysicalOffset log_begin);

// Paths below the store of plain files in queue directories that a broker would choke on.
Result<std::vector<std::string>> stray_queue_files(fs::Fs& fs, const std::string& store,
                                                   std::int64_t file_bytes);

}  // namespace mq::inspect

// The other files of a store as they are: queues, index, checkpoint, state files. Reads only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/checkpoint.h"
#include "format/consume_queue_entry.h"
#include "format/index_file.h"
#include "fs/fs.h"

namespace mq::inspect {

struct QueueFile {
  std::string path;
  std::int64_t start = 0;  // in bytes of the queue's stream
  std::int64_t bytes = 0;
};
struct QueueDirectory {
  std::string topic;
  std::int32_t queue = 0;
  std::vector<QueueFile> files;
};
// Topics that topics.json need not name: those that every broker makes itself at each start, and
// light queues.
[[nodiscard]] bool is_system_topic(std::string_view topic);

// Every queue under consumequeue/ (or batchconsumequeue/), sorted. None is no error.
Result<std::vector<QueueDirectory>> list_queues(fs::Fs& fs, const std::string& store,
                                                std::string_view kind = "consumequeue");
// One of them, without files if it is not there. `kind`: "consumequeue", "batchconsumequeue".
Result<QueueDirectory> list_queue(fs::Fs& fs, const std::string& store, std::string_view kind,
                                  std::string_view topic, std::int32_t queue);
// The entry of a queue offset, read where it must be, and where that is. Errors: kNotFound when no
// file reaches there or nothing was written there, kCorrupt.
struct QueueEntryAt {
  std::string path;
  std::int64_t position = 0;
  format::ConsumeQueueEntry entry;
};
Result<QueueEntryAt> read_queue_entry(fs::Fs& fs, const QueueDirectory& queue, std::int64_t offset);
// Queue offsets of the first entry that is no filler and of the one behind the last. Reads little:
// entries have no gaps, so the last is found by halving. Equal for an empty queue.
struct QueueBounds {
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::int64_t first_at = 0;  // where the record of entry `min` starts in the commit log
  std::int64_t last_end = 0;  // where that of the last entry ends
};
Result<QueueBounds> queue_bounds(fs::Fs& fs, const QueueDirectory& queue);
// Told file, position and what is wrong there.
using DamageNote = std::function<void(const std::string&)>;
// Calls visit(queue offset, entry) for each entry in order until the first that was never written,
// or until it says false. `note` (may be empty) is told of entries that cannot be, which are passed
// over, of bytes that are no whole entry, and of missing files.
Result<void> walk_queue(
    fs::Fs& fs, const QueueDirectory& queue,
    const std::function<bool(std::int64_t, const format::ConsumeQueueEntry&)>& visit,
    const DamageNote& note = {});

struct IndexInfo {
  std::string path;
  std::int64_t bytes = 0;
  format::IndexHeader header;
  format::IndexShape shape;  // guessed from length and chains
  std::string damage;        // why nothing in it can be read; else empty
};
Result<std::vector<IndexInfo>> list_index(fs::Fs& fs, const std::string& store);
// One of them. Errors: kNotFound, kIo; what is wrong in it is in `damage`.
Result<IndexInfo> read_index(fs::Fs& fs, const std::string& path);
// Entries that cannot be are passed over and noted.
Result<void> walk_index(
    fs::Fs& fs, const IndexInfo& index,
    const std::function<bool(std::int32_t number, const format::IndexEntry&)>& visit,
    const DamageNote& note = {});

// Errors: kNotFound, kCorrupt (too short).
Result<format::Checkpoint> read_checkpoint(fs::Fs& fs, const std::string& store);
// Names and text of the JSON files in config/: *.json, timermetrics, transactionMetrics.
struct StateFile {
  std::string name;
  std::string text;
};
Result<std::vector<StateFile>> read_state_files(fs::Fs& fs, const std::string& store);

}  // namespace mq::inspect

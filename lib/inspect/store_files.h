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
// Every queue under consumequeue/ (or batchconsumequeue/), sorted. None is no error.
Result<std::vector<QueueDirectory>> list_queues(fs::Fs& fs, const std::string& store,
                                                std::string_view kind = "consumequeue");
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
// Entries that cannot be are passed over and noted.
Result<void> walk_index(
    fs::Fs& fs, const IndexInfo& index,
    const std::function<bool(std::int32_t number, const format::IndexEntry&)>& visit,
    const DamageNote& note = {});

// Errors: kNotFound.
Result<format::Checkpoint> read_checkpoint(fs::Fs& fs, const std::string& store);
// Names and text of config/*.json and the like.
struct StateFile {
  std::string name;
  std::string text;
};
Result<std::vector<StateFile>> read_state_files(fs::Fs& fs, const std::string& store);

}  // namespace mq::inspect

// A copy of a store that a broker opens as if it had been closed at one moment, also while another
// broker works on the original.
//
// A store that nobody has open is copied file by file as it is, traces of a crash included. Of one
// in use the copy ends at a record boundary E that the log had reached, synced to the original's
// disk, and dispatched to its queues when the copying began: log, queues and index are cut there,
// topics and groups are those of a moment behind E, offsets and timers those of a moment before,
// and the checkpoint says that it was closed. Holes stay holes; modification times, which retention
// goes by, are kept; what is copied leaves the page cache as it was.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "fs/fs.h"

namespace mq::inspect {

struct CopyOptions {
  Clock& clock;  // for waiting until the queues have caught up
  std::atomic<std::int64_t>* bytes_done = nullptr;
  std::atomic<std::int64_t>* files_done = nullptr;
  std::function<bool()> goes_on{};                 // asked now and then; false ends it
  std::function<void(const std::string&)> note{};  // what the copy lacks
};
struct CopyResult {
  bool live = false;
  PhysicalOffset begin{};
  PhysicalOffset end{};  // of a live one: E
  std::int64_t files = 0;
  std::int64_t bytes = 0;  // that were not in holes
};
// `to` must not exist, or be an empty directory; the copy grows under `to`.part and gets its name
// when it is complete and synced. Errors: kExists, kNotFound (no store), kUnsupported (queues in
// RocksDB), kBusy (the original was opened or left meanwhile: try again), kUnavailable (told to
// end), kNoSpace, kIo. After an error nothing is left of it.
Result<CopyResult> copy_store(fs::Fs& fs, const std::string& from, const std::string& to,
                              const CopyOptions& options);

}  // namespace mq::inspect

// Files and directories from one store into another. Private to inspect.
#pragma once

#include <string>
#include <vector>

#include "inspect/copy_store.h"

namespace mq::inspect {

// What the parts of one copy share.
class CopyRun {
 public:
  CopyRun(fs::Fs& filesystem, const CopyOptions& copy_options)
      : fs(filesystem), options(copy_options) {}

  fs::Fs& fs;
  const CopyOptions& options;
  std::int64_t files = 0;
  std::int64_t bytes = 0;

  void note(const std::string& text) const {
    if (options.note) options.note(text);
  }
  // kUnavailable when the caller wants an end.
  Result<void> check() const;
  // Counts what was written.
  void wrote(std::int64_t count);

  // The first `take` bytes of a file (all if negative) into a new one of the same length, zeros
  // left out; with the original's modification time. False if the original is gone.
  Result<bool> copy_file(const std::string& from, const std::string& to, std::int64_t take = -1);
  // A new file of these bytes.
  Result<void> write_file(const std::string& to, std::string_view content, std::int64_t mtime_ms);
  // Everything below a directory.
  Result<void> copy_tree(const std::string& from, const std::string& to, int depth = 0);
  // Ends a file that was written piece by piece.
  Result<void> close(fs::File& out, const std::string& to, std::int64_t bytes,
                     std::int64_t mtime_ms);
  // Writes what is not zeros.
  Result<void> write_sparse(fs::File& out, std::int64_t at, Bytes bytes);
};

// Queue files whose entries have `entry_bytes` and begin with offset and size: entries of records
// that end at or before `end`. A file without a real entry is left out: brokers take an empty last
// one for something else.
Result<void> copy_queue(CopyRun& run, const std::string& from, const std::string& to,
                        std::int64_t entry_bytes, PhysicalOffset end);

// An index file with the entries of records before `end`; `store`: for their times. Left out when
// there is none.
Result<void> copy_index(CopyRun& run, const std::string& store, const std::string& from,
                        const std::string& to, PhysicalOffset end);

// Where a live log may be cut: behind the last record that is whole, synced, and in its queue.
Result<PhysicalOffset> find_cut(CopyRun& run, const std::string& store);

}  // namespace mq::inspect

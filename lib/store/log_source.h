// What the files derived from the commit log (consume queues, index), reads and retention need of
// it: a seam between them and the commit log, so that tests can put a few records in memory behind
// it. CommitLogSource (commit_log_source.h) is the real one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "store/types.h"

namespace mq::store {

class LogSource {
 public:
  virtual ~LogSource() = default;

  // The first byte that is still there: start of the oldest file; 0 for an empty log. Only grows.
  [[nodiscard]] virtual PhysicalOffset begin() const noexcept = 0;
  // Behind the last byte that may be dispatched and served (written, or flushed with SYNC_FLUSH).
  // Only grows; a record boundary. While recovery runs: the end that it found.
  [[nodiscard]] virtual PhysicalOffset readable() const noexcept = 0;
  // Size of one file: a record never crosses a multiple of it.
  [[nodiscard]] virtual std::int64_t file_bytes() const noexcept = 0;
  // Start of the file behind at's: where the log goes on after a blank.
  [[nodiscard]] PhysicalOffset next_file(PhysicalOffset at) const noexcept {
    return PhysicalOffset((at.value() / file_bytes() + 1) * file_bytes());
  }
  // The bytes from `at` to readable() or to the end of at's file, whichever is nearer; none when
  // `at` was deleted or is not readable yet. Any thread; waits for nothing.
  [[nodiscard]] virtual SegmentView view_from(PhysicalOffset at) const = 0;
  // Start of the first good record at or behind `at`, where none could be decoded; readable() when
  // there is none. Slow; for damage alone.
  [[nodiscard]] virtual PhysicalOffset next_good(PhysicalOffset at) const = 0;
};

// What retention needs on top. Called by one thread at a time.
class ExpirableLog : public LogSource {
 public:
  struct File {
    PhysicalOffset start{};
    std::int64_t mtime_ms = 0;  // of the last write: the clock of retention (trap 20)
    std::string path;
  };
  // Oldest first. Files made ahead of the writer are not in it; the one being written is the last.
  [[nodiscard]] virtual std::vector<File> files() = 0;
  // Takes the oldest file out of the log (begin() moves on at once) and unlinks it; readers that
  // hold a view keep its memory. Errors: kInvalid (only one file is left), kIo (the name could not
  // be removed; it is out of the log all the same).
  virtual Result<void> remove_oldest() = 0;
};

}  // namespace mq::store

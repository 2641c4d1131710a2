// The timer log: the units of all slots in the order in which they were written, as a stream of
// files of one size (store-format.md 11.3). A unit is found by its position and leads to the one
// before it in its slot.
//
// append() costs memory alone; write_out() brings it to the files, sync() to the disk. Files are
// sparse: they take space as they fill. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/timer_files.h"
#include "fs/fs.h"

namespace mq::broker {

class TimerLog {
 public:
  struct Options {
    fs::Fs& fs;                             // borrowed
    std::string directory;                  // <store>/timerlog; made with the first unit
    std::int64_t file_bytes = 104'857'600;  // mappedFileSizeTimerLog
  };
  explicit TimerLog(Options options);

  // Finds the files; the end is then behind the last of them, until recover(). Errors: kInvalid
  // (a file of another size: says which), kCorrupt (a hole between two files, a foreign name), kIo.
  Result<void> open();
  // Reads units from the start of the file of `from` (not before the first) to the last good one
  // that `visit` takes (true); what follows is cut off and overwritten with zeros, so that it
  // cannot come back. Errors: kIo, kNoSpace.
  Result<void> recover(
      std::int64_t from,
      const std::function<bool(std::int64_t position, const format::TimerUnit&)>& visit);

  [[nodiscard]] std::int64_t begin() const noexcept;  // of the first file
  [[nodiscard]] std::int64_t end() const noexcept { return end_; }
  [[nodiscard]] bool is_empty() const noexcept { return end_ == begin(); }

  // The position that it got. In memory until write_out().
  std::int64_t append(const format::TimerUnit& unit);
  // Errors: kNotFound (deleted, or behind the end), kCorrupt.
  [[nodiscard]] Result<format::TimerUnit> read(std::int64_t position) const;
  // Errors: kNoSpace, kIo; what is not written stays in memory.
  Result<void> write_out();
  // write_out(), then syncs. A failed sync is final for the caller. Errors: as write_out.
  Result<void> sync();
  [[nodiscard]] std::int64_t synced() const noexcept { return synced_; }
  [[nodiscard]] std::size_t in_memory() const noexcept { return tail_.size(); }

  // Deletes the oldest files (never the last) whose last unit's message lies before `log_begin` in
  // the commit log. Returns how many.
  Result<int> expire(PhysicalOffset log_begin);

 private:
  struct File {
    std::int64_t start = 0;
    std::unique_ptr<fs::File> file;
    std::unique_ptr<fs::Mapping> mapping;  // read-only
    bool is_synced = true;
  };
  [[nodiscard]] const File* file_of(std::int64_t position) const noexcept;
  [[nodiscard]] std::string path_of(std::int64_t start) const;
  // Bytes from `position` on in its file; empty when there is none.
  [[nodiscard]] Bytes bytes_at(std::int64_t position) const noexcept;
  Result<void> add_file(std::int64_t start, fs::OpenMode mode);
  Result<void> cut(std::int64_t end);

  const Options options_;
  std::deque<File> files_;
  std::vector<std::byte> tail_;  // [written_, end_) of the stream, end marks included
  std::int64_t written_ = 0;
  std::int64_t end_ = 0;
  std::int64_t synced_ = 0;
};

}  // namespace mq::broker

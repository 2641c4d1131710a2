// One file of the commit log: `bytes` long, named after the log position of its first byte, mapped
// as a whole. Whoever holds the shared_ptr keeps the mapping; the file itself may be unlinked
// meanwhile.
//
// The file has its full length from the start but blocks only for [0, allocated()): nothing is
// written through the mapping behind that, as a write into a hole could meet a full disk.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "fs/fs.h"

namespace mq::store {

class Segment {
 public:
  // An existing file of exactly `bytes` bytes. `allocated` counts as 0: what is to be written is
  // reserved anew.
  static Result<std::shared_ptr<Segment>> open(fs::Fs& fs, const std::string& path,
                                               PhysicalOffset start, std::int64_t bytes);
  // A new file, all zeros, durable in its directory on return. What an earlier failure left under
  // that name is replaced.
  static Result<std::shared_ptr<Segment>> create(fs::Fs& fs, const std::string& path,
                                                 PhysicalOffset start, std::int64_t bytes);

  [[nodiscard]] PhysicalOffset start() const noexcept { return start_; }
  [[nodiscard]] PhysicalOffset end() const noexcept { return start_ + bytes_; }
  [[nodiscard]] std::int64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  // The mapping from its start; what it means up to where is the commit log's business.
  [[nodiscard]] Bytes data() const noexcept { return memory_; }
  [[nodiscard]] std::byte* writable() noexcept { return memory_.data(); }
  [[nodiscard]] bool faulted() const noexcept { return mapping_->faulted(); }

  [[nodiscard]] fs::File& file() noexcept { return *file_; }
  [[nodiscard]] fs::Mapping& mapping() noexcept { return *mapping_; }

  [[nodiscard]] std::int64_t allocated() const noexcept {
    return allocated_.load(std::memory_order_acquire);
  }
  // The allocate thread (and recovery before it runs) reserved blocks up to there.
  void set_allocated(std::int64_t bytes) noexcept {
    allocated_.store(bytes, std::memory_order_release);
  }

 private:
  Segment(std::string path, PhysicalOffset start, std::int64_t bytes,
          std::unique_ptr<fs::File> file, std::unique_ptr<fs::Mapping> mapping);
  static Result<std::shared_ptr<Segment>> map(std::unique_ptr<fs::File> file,
                                              const std::string& path, PhysicalOffset start,
                                              std::int64_t bytes);

  const std::string path_;
  const PhysicalOffset start_;
  const std::int64_t bytes_;
  std::unique_ptr<fs::File> file_;
  std::unique_ptr<fs::Mapping> mapping_;
  MutableBytes memory_;
  std::atomic<std::int64_t> allocated_{0};
};

}  // namespace mq::store

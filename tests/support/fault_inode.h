// One file of FaultFs: what programs see of it, and what of that is on the device. Not locked;
// FaultFs does.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "base/bytes.h"

namespace mq::test {

class FaultInode {
 public:
  static constexpr std::int64_t kPageBytes = 4096;
  static constexpr std::int64_t kSectorBytes = 512;
  using Page = std::array<std::byte, kPageBytes>;

  FaultInode();  // empty, on the device as well
  ~FaultInode();
  FaultInode(const FaultInode&) = delete;
  FaultInode& operator=(const FaultInode&) = delete;

  [[nodiscard]] int memory() const noexcept { return fd_; }  // the memfd
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }
  [[nodiscard]] std::int64_t reserved_bytes() const noexcept {
    return static_cast<std::int64_t>(reserved_.size()) * kPageBytes;
  }
  // How many bytes of blocks a reservation of that range would take.
  [[nodiscard]] std::int64_t missing_bytes(std::int64_t offset, std::int64_t bytes) const;
  void reserve(std::int64_t offset, std::int64_t bytes);  // does not change the size
  void resize(std::int64_t bytes);
  [[nodiscard]] std::size_t read(std::int64_t offset, MutableBytes out) const;
  void write(std::int64_t offset, Bytes bytes);

  // True if a size is not on the device yet.
  [[nodiscard]] bool has_new_size() const noexcept { return !sizes_.empty(); }
  // In bytes; rounded outwards to whole pages.
  struct Range {
    std::int64_t begin = 0;
    std::int64_t end = INT64_MAX;
  };
  // The pages of the range are on the device, and the size. Returns how many pages were written
  // without having been reserved.
  std::int64_t sync(const Range& range);
  // As Linux after a failed write-back: what was to be written counts as clean, stays readable, and
  // never gets to the device unless it is written again.
  void fail_sync(const Range& range);

  // What a device holds after a power cut now.
  [[nodiscard]] std::shared_ptr<FaultInode> after_power_cut(std::mt19937_64& random) const;

  std::int64_t mtime_ms = 0;
  std::atomic<bool> mappings_fail{false};

 private:
  using Pages = std::map<std::int64_t, Page>;  // by number; a page that is not there is zeros
  // The pages of the live content that may differ from zeros.
  [[nodiscard]] Pages live_pages() const;
  static const Page& page_of(const Pages& pages, std::int64_t number);
  // The pages of the range that differ from what the device holds, but for those that were given
  // up.
  [[nodiscard]] std::vector<std::int64_t> dirty(const Pages& live, const Range& range) const;

  int fd_;
  std::int64_t size_ = 0;
  std::set<std::int64_t> reserved_;  // page numbers
  Pages durable_;
  std::int64_t durable_size_ = 0;
  std::vector<std::int64_t> sizes_;  // since the last sync
  Pages lost_;                       // given up by a failed sync, as they were
};

}  // namespace mq::test

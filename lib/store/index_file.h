// One index file, mapped: header, slots, entries (format/index_file.h has the layout). The dispatch
// thread writes, anybody reads at the same time: entries are published by their slot, counts by an
// atomic. Private to the index.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "format/index_file.h"
#include "fs/fs.h"

namespace mq::store {

class IndexFile {
 public:
  // A new one, durable in its directory; begins where `before` ends (may be null).
  static Result<std::shared_ptr<IndexFile>> create(fs::Fs& fs, const std::string& directory,
                                                   const std::string& name,
                                                   const format::IndexShape& shape,
                                                   const IndexFile* before);
  // One that is there, of exactly shape.file_bytes(). Errors: kCorrupt (another size, a header that
  // cannot be).
  static Result<std::shared_ptr<IndexFile>> open(fs::Fs& fs, const std::string& directory,
                                                 const std::string& name,
                                                 const format::IndexShape& shape);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::int32_t count() const noexcept {
    return count_.load(std::memory_order_acquire);
  }  // next free entry
  [[nodiscard]] bool is_full() const noexcept { return count() >= shape_.entries; }
  [[nodiscard]] bool is_empty() const noexcept { return count() <= 1; }
  [[nodiscard]] PhysicalOffset begin_offset() const noexcept {
    return PhysicalOffset(begin_offset_.load());
  }
  [[nodiscard]] PhysicalOffset end_offset() const noexcept {
    return PhysicalOffset(end_offset_.load());
  }
  [[nodiscard]] std::int64_t begin_ms() const noexcept { return begin_ms_.load(); }
  [[nodiscard]] std::int64_t end_ms() const noexcept { return end_ms_.load(); }

  // --- the dispatch thread ---
  // Room for one more entry, reserved on disk. Errors: kNoSpace, kIo.
  Result<void> reserve_one();
  void put(std::int32_t hash, PhysicalOffset at, std::int64_t store_ms) noexcept;
  void prefetch(std::int32_t hash) const noexcept;
  void write_header() noexcept;  // after some puts

  // --- queries ---
  // Entries with that hash in [begin, end], newest first, while `take` says so.
  void find(std::int32_t hash, std::int64_t begin_ms, std::int64_t end_ms,
            const std::function<bool(PhysicalOffset)>& take) const;

  // --- recovery ---
  // Keeps entries [1, count) and hangs them into empty slots anew; `end_ms` of the last kept.
  Result<void> rebuild(std::int32_t count, std::int64_t end_ms);
  [[nodiscard]] format::IndexEntry entry(std::int32_t number) const noexcept;
  // Do the slots and chains of the last `some` entries hold?
  [[nodiscard]] bool chains_hold(std::int32_t some) const noexcept;

  Result<void> sync();
  [[nodiscard]] bool is_dirty() const noexcept { return dirty_.load(); }

 private:
  IndexFile(std::string name, const format::IndexShape& shape, std::unique_ptr<fs::File> file,
            std::unique_ptr<fs::Mapping> mapping);
  void load_header(const format::IndexHeader& header) noexcept;
  [[nodiscard]] std::int32_t load32(std::int64_t at) const noexcept;
  void store32(std::int64_t at, std::int32_t value) noexcept;
  [[nodiscard]] std::int64_t slot_at(std::int32_t hash) const noexcept {
    return shape_.slot_at(hash % shape_.slots);
  }

  const std::string name_;
  const format::IndexShape shape_;
  std::unique_ptr<fs::File> file_;
  std::unique_ptr<fs::Mapping> mapping_;
  std::byte* data_;
  std::int64_t reserved_ = 0;  // bytes of the file with blocks behind them
  std::int32_t slot_count_ = 0;
  std::atomic<std::int32_t> count_{1};
  std::atomic<std::int64_t> begin_ms_{0}, end_ms_{0}, begin_offset_{0}, end_offset_{0};
  std::atomic<bool> dirty_{false};
};

}  // namespace mq::store

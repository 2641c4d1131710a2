// Holds the index files of a store against the keys that its log gives: every key of the log in
// order, each in its chain. Keys of records before the log's beginning may be there or not, as may
// a record's keys a second time (a crash repeats the last). Writes nothing. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "fs/fs.h"
#include "inspect/rebuild_index.h"

namespace mq::inspect {

class IndexCompare final : public KeySink {
 public:
  IndexCompare(fs::Fs& fs, const std::string& store, const format::IndexShape& shape,
               PhysicalOffset log_begin);

  Result<void> add(std::int32_t hash, PhysicalOffset at, std::int64_t store_timestamp_ms) override;
  Result<void> finish() override;

  // "" if all is as it should be.
  [[nodiscard]] const std::string& what() const noexcept { return what_; }
  // All that is there is right, the rest is missing.
  [[nodiscard]] bool lags() const noexcept { return lags_; }
  [[nodiscard]] std::int64_t missing() const noexcept { return missing_; }
  [[nodiscard]] PhysicalOffset missing_from() const noexcept { return missing_from_; }
  // End of the last full file.
  [[nodiscard]] std::int64_t sealed_timestamp_ms() const noexcept { return sealed_ms_; }

 private:
  struct Key {
    std::int32_t hash = 0;
    PhysicalOffset at{};
    friend bool operator==(const Key&, const Key&) = default;
  };
  void differ(std::string what);
  Result<void> load();
  Result<bool> open_next();  // false: there is no further file
  Result<std::optional<format::IndexEntry>> next_entry();
  Result<void> close_file();
  [[nodiscard]] std::string where() const;

  fs::Fs& fs_;
  const std::string directory_;
  const format::IndexShape shape_;
  const PhysicalOffset log_begin_;
  bool loaded_ = false;
  std::vector<std::string> names_;
  std::size_t file_number_ = 0;  // of the next file
  std::unique_ptr<fs::File> file_;
  format::IndexHeader header_;
  format::IndexHeader before_;  // of the file before; index_count 1 if there is none
  std::vector<std::int32_t> slots_;
  std::int32_t number_ = 0;  // of the entry that comes next
  std::vector<std::byte> block_;
  std::size_t block_at_ = 0;
  PhysicalOffset last_at_{-1};       // of the entry before
  std::int64_t last_ms_ = 0;         // store time of the key before
  std::vector<Key> of_last_record_;  // its keys
  std::string what_;
  bool lags_ = false;
  std::int64_t missing_ = 0;
  PhysicalOffset missing_from_{};
  std::int64_t sealed_ms_ = 0;
};

}  // namespace mq::inspect

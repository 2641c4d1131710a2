// Writes index files (store-format.md 5) from keys in log order. The slots of the file being built
// are in memory (20 MB with the usual sizes), its entries go out in order, in large pieces: no page
// of a file is read or mapped. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "format/index_file.h"
#include "fs/fs.h"

namespace mq::inspect {

// Where keys go, in log order.
class KeySink {
 public:
  virtual ~KeySink() = default;
  // A key of the record at `at`.
  virtual Result<void> add(std::int32_t hash, PhysicalOffset at,
                           std::int64_t store_timestamp_ms) = 0;
  // Nothing more comes.
  virtual Result<void> finish() = 0;
};

class IndexBuilder final : public KeySink {
 public:
  // Files are made in `directory`, which must be there. Their names are the store time of their
  // first key but not later than `now_ms`, each later than the one before.
  IndexBuilder(fs::Fs& fs, std::string directory, const format::IndexShape& shape,
               std::int64_t now_ms);

  Result<void> add(std::int32_t hash, PhysicalOffset at, std::int64_t store_timestamp_ms) override;
  // Completes the last file. Everything is durable afterwards.
  Result<void> finish() override;

  [[nodiscard]] std::int64_t files() const noexcept { return files_; }
  [[nodiscard]] std::int64_t keys() const noexcept { return keys_; }
  // End of the last full file, what the checkpoint's third stamp says; 0 while there is none.
  [[nodiscard]] std::int64_t sealed_timestamp_ms() const noexcept { return sealed_ms_; }

 private:
  Result<void> open_file(std::int64_t store_timestamp_ms);
  Result<void> write_entries();
  Result<void> close_file();

  fs::Fs& fs_;
  const std::string directory_;
  const format::IndexShape shape_;
  const std::int64_t now_ms_;
  std::string name_;                // of the newest file
  std::unique_ptr<fs::File> file_;  // null between files
  format::IndexHeader header_;
  std::vector<std::int32_t> slots_;
  std::vector<std::byte> entries_;  // not written yet, the last of them number index_count - 1
  std::int64_t files_ = 0;
  std::int64_t keys_ = 0;
  std::int64_t sealed_ms_ = 0;
};

// |Java's hash| of topic#key when `prefix` is the hash of "topic#" (format::index_key_hash without
// hashing the topic again).
[[nodiscard]] std::int32_t index_hash_prefix(std::string_view topic) noexcept;
[[nodiscard]] std::int32_t index_hash(std::int32_t prefix, std::string_view key) noexcept;

}  // namespace mq::inspect

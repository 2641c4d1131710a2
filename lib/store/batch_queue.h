// The entries of one queue of batches: batchconsumequeue/<topic>/<queueId>/<20 digits>
// (store-format.md 4.7). An entry stands for a record of one or many messages; entries are packed,
// and found by halving on the number of their first message.
//
// Threads: append() and write_out() by one thread at a time; everything else any. One lock, held
// over the reads of files too: whoever reads takes many messages an entry.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "format/batch_queue_entry.h"
#include "fs/fs.h"

namespace mq::store {

class BatchQueue {
 public:
  using Entry = format::BatchQueueEntry;

  // `file_bytes`: mapperFileSizeBatchConsumeQueue, a multiple of 46.
  BatchQueue(fs::Fs& fs, std::string directory, std::int64_t file_bytes)
      : fs_(fs), directory_(std::move(directory)), file_bytes_(file_bytes) {}

  // --- opening ---

  // Finds the files and how many entries stand at the front of each. Errors: kIo.
  Result<void> load() MQ_EXCLUDES(mu_);
  // End of the newest record with an entry that ends before `log_end`; -1 without any.
  [[nodiscard]] Result<std::int64_t> max_physical(std::int64_t log_end) MQ_EXCLUDES(mu_);
  // Keeps the entries of records that begin before `limit`, and of them drops those at the end for
  // which `is_borne_out` says no. True if it said so.
  Result<bool> cut(std::int64_t limit, const std::function<bool(const Entry&)>& is_borne_out)
      MQ_EXCLUDES(mu_);

  // --- dispatch ---

  void append(const Entry& entry) MQ_EXCLUDES(mu_);
  // Entries in memory alone.
  [[nodiscard]] std::size_t pending() const MQ_EXCLUDES(mu_);
  // Errors: kNoSpace, kIo; what is not written stays in memory.
  Result<void> write_out() MQ_EXCLUDES(mu_);
  // After write_out(): what has been written is on disk. Errors: kIo, final for the caller.
  Result<void> sync() MQ_EXCLUDES(mu_);

  // --- reads ---

  // The entry of the message `at` and those behind it. Returns how many; 0 when the queue does not
  // have the message. Errors: kIo.
  Result<std::size_t> read(std::int64_t at, std::span<Entry> out) MQ_EXCLUDES(mu_);

  // Drops files of which every record lies before `log_begin`, never the last. `min`: the first
  // message of the first entry that is left of the log, or of none. Returns files deleted.
  Result<std::int32_t> expire(std::int64_t log_begin, std::int64_t& min) MQ_EXCLUDES(mu_);
  // No entries, no files.
  Result<void> clear() MQ_EXCLUDES(mu_);

  // Number of the first message, and behind the last; end of the last record. 0, 0, -1 when empty.
  struct Ends {
    std::int64_t first = 0, next = 0, max_physical = -1;
  };
  [[nodiscard]] Result<Ends> ends() MQ_EXCLUDES(mu_);

 private:
  struct File {
    std::int64_t start = 0;            // as in its name
    std::int64_t count = 0;            // entries in it
    std::shared_ptr<fs::File> file{};  // null: not open
  };
  [[nodiscard]] std::int64_t per_file() const { return file_bytes_ / kBytes; }
  [[nodiscard]] std::string path(std::int64_t start) const;
  Result<std::shared_ptr<fs::File>> open(File& file) MQ_REQUIRES(mu_);
  Result<File*> file_for_next() MQ_REQUIRES(mu_);
  [[nodiscard]] std::int64_t written() const MQ_REQUIRES(mu_);
  [[nodiscard]] std::int64_t count() const MQ_REQUIRES(mu_) {
    return written() + static_cast<std::int64_t>(tail_.size());
  }
  // Entries n and behind, as many as its file has.
  Result<std::size_t> entries(std::int64_t n, std::span<Entry> out) MQ_REQUIRES(mu_);
  Result<Entry> entry(std::int64_t n) MQ_REQUIRES(mu_);
  // The first entry for which `is_behind` holds; all before it have it not.
  Result<std::int64_t> first_where(const std::function<bool(const Entry&)>& is_behind)
      MQ_REQUIRES(mu_);
  Result<std::int64_t> good_entries(File& file, std::int64_t bytes) MQ_REQUIRES(mu_);
  Result<void> keep(std::int64_t entries) MQ_REQUIRES(mu_);

  static constexpr std::int64_t kClean = INT64_MAX;
  static constexpr auto kBytes = static_cast<std::int64_t>(Entry::kEncodedBytes);

  fs::Fs& fs_;
  const std::string directory_;
  const std::int64_t file_bytes_;
  mutable Mutex mu_;
  std::vector<File> files_ MQ_GUARDED_BY(mu_);
  std::vector<Entry> tail_ MQ_GUARDED_BY(mu_);
  std::int64_t hint_ MQ_GUARDED_BY(mu_) = 0;  // the entry behind those read last
  // Start of the oldest file written to since the last sync.
  std::int64_t dirty_from_ MQ_GUARDED_BY(mu_) = kClean;
  bool has_new_file_ MQ_GUARDED_BY(mu_) = false;
};

}  // namespace mq::store

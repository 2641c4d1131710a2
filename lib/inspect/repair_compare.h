// Holds the queues and index files that a store has against those that its log gives, without
// writing anything: sinks that compare what the builders hand them with what is there
// (store-format.md 9.7). One thread.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "fs/fs.h"
#include "inspect/rebuild_index.h"
#include "inspect/rebuild_queues.h"
#include "inspect/store_files.h"

namespace mq::inspect {

// The consume queues that are there, entry by entry; keeps a few files open.
class QueuesThere {
 public:
  // Errors: kIo.
  static Result<QueuesThere> open(fs::Fs& fs, const std::string& store, std::int64_t file_bytes);

  [[nodiscard]] const std::map<QueueKey, QueueDirectory>& all() const noexcept { return queues_; }
  [[nodiscard]] const QueueDirectory* find(const QueueKey& queue) const;
  // What stands at that number; nothing where no file has it, or nothing that could be an entry.
  [[nodiscard]] std::optional<format::ConsumeQueueEntry> entry(const QueueKey& queue,
                                                               std::int64_t number);
  // Bytes of the queue's stream from `position` on; fewer where files end or are missing.
  Result<std::size_t> read(const QueueDirectory& queue, std::int64_t position, MutableBytes out);
  // Number of the entry of the record at `at`, looking backwards from the queue's last.
  [[nodiscard]] std::optional<std::int64_t> number_of(const QueueKey& queue, PhysicalOffset at);
  // Number behind the last entry that could be one, with all before it.
  Result<std::int64_t> end(const QueueDirectory& queue);

 private:
  struct Open {
    std::string path;
    std::unique_ptr<fs::File> file;
  };
  QueuesThere(fs::Fs& fs, std::int64_t file_bytes) : fs_(&fs), file_bytes_(file_bytes) {}
  Result<fs::File*> open_file(const std::string& path);

  fs::Fs* fs_;
  std::int64_t file_bytes_;
  std::map<QueueKey, QueueDirectory> queues_;
  std::list<Open> open_;  // most recently used first
};

class QueueCompare final : public QueueSink {
 public:
  struct Difference {
    QueueKey queue;
    std::string what;
    // All that is there is right, the rest is missing: as after a crash.
    bool lags = false;
    std::int64_t missing = 0;       // entries, if it lags
    PhysicalOffset missing_from{};  // record of the first of them
    bool is_there = true;
  };
  QueueCompare(fs::Fs& fs, std::string store, QueuesThere& there, std::int64_t file_bytes,
               PhysicalOffset log_begin);

  Result<void> start(const QueueKey& queue, std::int64_t number) override;
  Result<void> write(const QueueKey& queue, std::int64_t number, Bytes entries) override;
  Result<void> finish() override;

  // After finish(): sorted by queue. Queues that nothing was written of are not among them.
  [[nodiscard]] const std::vector<Difference>& differences() const noexcept { return out_; }
  [[nodiscard]] bool was_written(const QueueKey& queue) const { return states_.contains(queue); }

 private:
  struct State {
    std::int64_t end = 0;       // number behind the last entry written
    std::int64_t lag = -1;      // first number that is not there
    PhysicalOffset lag_at{-1};  // its record
    std::string what;           // first difference
  };
  void differ(State& state, const QueueDirectory* queue, std::int64_t number,
              const std::string& what);
  void check_files(State& state, const QueueKey& key);
  Result<void> check_before(State& state, const QueueDirectory& queue, std::int64_t number);
  Result<void> check_behind(State& state, const QueueDirectory& queue);

  fs::Fs& fs_;
  const std::string store_;
  QueuesThere& there_;
  const std::int64_t file_bytes_;
  const PhysicalOffset log_begin_;
  std::map<QueueKey, State> states_;
  std::vector<Difference> out_;
  std::vector<std::byte> block_;
};

// The same for the index: every key of the log in order, each in its chain. Keys of records before
// the log's beginning may be there or not, as may a record's keys a second time (a crash repeats
// the last).
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

// Holds the queues that a store has against those that its log gives, without writing anything: a
// sink that compares what the builder hands it with what is there (store-format.md 9.7). One
// thread.
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

}  // namespace mq::inspect

// Finds where each consume queue ends after a restart, and cuts what the log does not bear out
// (store-format.md 9.2, 9.4). Lives between ConsumeQueueSet::load() and recover(); one thread.
//
// A queue may lack a suffix, never a middle part: so what is kept is always a prefix of valid
// entries whose last one has been held against its record, and dispatch adds the rest again. Where
// files are missing, empty or short, as after a power cut that came before a sync, that prefix ends
// there: what lies behind is dropped, newest first, so that the next power cut finds the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/consume_queue_entry.h"
#include "format/record.h"
#include "store/consume_queue_set.h"
#include "store/log_source.h"

namespace mq::store {

// The record that an entry is about, if the log has one of that length there. Its views point into
// the log.
[[nodiscard]] std::optional<format::Record> record_of(PhysicalOffset at, std::int32_t bytes,
                                                      const LogSource& log);

class QueueRecovery {
 public:
  QueueRecovery(ConsumeQueueSet& set, bool clean_exit) : set_(set), clean_exit_(clean_exit) {}

  Result<void> load();
  [[nodiscard]] PhysicalOffset max_physical(PhysicalOffset log_end_max) const;
  Result<ConsumeQueueSet::Recovered> recover(const LogSource& log, PhysicalOffset safe_from);

 private:
  struct File {
    std::int64_t start = 0;  // position in the queue's stream
    std::int64_t bytes = 0;
  };
  // Files that follow each other, all whole but the last; or one of no length.
  struct Run {
    std::int64_t first_file = 0;
    std::int64_t last_file = 0;
    bool is_empty = false;
  };
  struct Found {
    ConsumeQueue* queue = nullptr;
    std::vector<File> files;      // in order
    std::vector<Run> runs;        // of all files; the queue is one of them, the members below
    std::int64_t first_file = 0;  // position in the queue's stream
    std::int64_t last_file = 0;
    std::int64_t end = 0;  // queue offset behind the last entry that looks valid
    format::ConsumeQueueEntry last{};
    bool has_last = false;
    bool lacks_front = false;        // files before first_file are missing
    std::vector<std::string> stray;  // what is no file of a queue
    // A directory without files.
    [[nodiscard]] bool is_bare() const noexcept { return files.empty() && stray.empty(); }
  };

  static constexpr auto kEntryBytes =
      static_cast<std::int64_t>(format::ConsumeQueueEntry::kEncodedBytes);

  Result<void> load_queue(ConsumeQueue& queue);
  [[nodiscard]] std::vector<Run> runs_of(const std::vector<File>& files) const;
  void use(Found& found, const Run& run) const;
  void choose(Found& found, PhysicalOffset log_begin) const;
  void find_lost_fronts(const LogSource& log);
  [[nodiscard]] PhysicalOffset suspected_before(const Found& found, const LogSource& log) const;
  [[nodiscard]] bool is_odd(const Found& found) const;
  Result<format::ConsumeQueueEntry> entry(const Found& found, std::int64_t at) const;
  [[nodiscard]] std::int64_t first_real(const Found& found) const;
  [[nodiscard]] bool looks_valid(const Found& found, std::int64_t at) const;
  [[nodiscard]] std::int64_t end_within_file(const Found& found, std::int64_t start) const;

  [[nodiscard]] bool is_before(const Found& found, std::int64_t at, std::int64_t begin,
                               std::int64_t limit, const LogSource& log) const;
  [[nodiscard]] bool is_borne_out(const Found& found, std::int64_t at, const LogSource& log) const;
  // Queue offset behind the last entry to keep.
  [[nodiscard]] std::int64_t settle(const Found& found, const LogSource& log, std::int64_t limit,
                                    bool& damaged) const;
  Result<void> drop_bare();
  Result<void> mend_files(Found& found);
  Result<void> cut(Found& found, std::int64_t end);
  Result<void> adopt(Found& found, std::int64_t end, const LogSource& log);

  ConsumeQueueSet& set_;
  const bool clean_exit_;
  std::vector<Found> found_;
};

}  // namespace mq::store

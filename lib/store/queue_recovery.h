// Finds where each consume queue ends after a restart, and cuts what the log does not bear out
// (store-format.md 9.2, 9.4). Lives between ConsumeQueueSet::load() and recover(); one thread.
//
// A queue may lack a suffix, never a middle part: so what is kept is always a prefix of valid
// entries whose last one has been held against its record, and dispatch adds the rest again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/consume_queue_entry.h"
#include "store/consume_queue_set.h"
#include "store/log_source.h"

namespace mq::store {

class QueueRecovery {
 public:
  QueueRecovery(ConsumeQueueSet& set, bool clean_exit) : set_(set), clean_exit_(clean_exit) {}

  Result<void> load();
  [[nodiscard]] PhysicalOffset max_physical(PhysicalOffset log_end_max) const;
  Result<ConsumeQueueSet::Recovered> recover(const LogSource& log, PhysicalOffset safe_from);

 private:
  struct Found {
    ConsumeQueue* queue = nullptr;
    std::int64_t first_file = 0;  // position in the queue's stream
    std::int64_t last_file = 0;
    std::int64_t end = 0;  // queue offset behind the last entry that looks valid
    format::ConsumeQueueEntry last{};
    bool has_last = false;
    std::vector<std::string> stray;         // files that belong to no run of files
    std::vector<std::int64_t> short_files;  // of a wrong length
  };

  Result<void> load_queue(ConsumeQueue& queue);
  Result<format::ConsumeQueueEntry> entry(const Found& found, std::int64_t at) const;
  [[nodiscard]] bool looks_valid(const Found& found, std::int64_t at) const;
  [[nodiscard]] std::int64_t end_within_file(const Found& found, std::int64_t start) const;

  [[nodiscard]] bool is_borne_out(const Found& found, std::int64_t at, const LogSource& log) const;
  // Queue offset behind the last entry to keep.
  [[nodiscard]] std::int64_t settle(const Found& found, const LogSource& log, std::int64_t limit,
                                    bool& damaged) const;
  Result<void> mend_files(Found& found);
  Result<void> cut(Found& found, std::int64_t end);
  Result<void> adopt(Found& found, std::int64_t end, const LogSource& log);

  ConsumeQueueSet& set_;
  const bool clean_exit_;
  std::vector<Found> found_;
};

}  // namespace mq::store

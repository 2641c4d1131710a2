// Queues of batches under verify (batchconsumequeue/, store-format.md 4.7): as for consume queues,
// but entries are packed, and one stands for a record with several messages.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "format/batch_queue_entry.h"
#include "fs/fs.h"
#include "inspect/store_files.h"
#include "inspect/verify_facts.h"

namespace mq::inspect {

class VerifyBatch {
 public:
  VerifyBatch(fs::Fs& fs, VerifyFacts& facts, VerifyReport& report)
      : fs_(fs), facts_(facts), report_(report) {}

  // Errors: kIo.
  Result<void> open();
  // Has the topic such queues?
  [[nodiscard]] bool has(std::string_view topic) const { return queues_.contains(topic); }
  // In log order; the entry that the record should have.
  void record(std::string_view topic, QueueId id, const format::BatchQueueEntry& expected);
  void finish();

  [[nodiscard]] std::int64_t count() const noexcept { return count_; }
  [[nodiscard]] std::int64_t entries() const noexcept { return entries_; }

 private:
  struct Queue {
    std::string path;
    std::vector<QueueFile> files;
    std::size_t file = 0;  // the one that is read
    std::int64_t at = 0;   // of the next entry, in the file
    std::vector<std::byte> buffer;
    std::int64_t buffer_at = 0;
    std::int64_t missing = 0;
    PhysicalOffset missing_at{};
    std::int64_t next_base = -1;
  };

  // The next entry; nothing at the end of what was written. Tells of what is none.
  bool peek(Queue& queue, format::BatchQueueEntry& entry);
  void bad(const Queue& queue, std::string what, std::string expected, std::string found);
  void flush_missing(Queue& queue, bool at_end);

  fs::Fs& fs_;
  VerifyFacts& facts_;
  VerifyReport& report_;
  std::map<std::string, std::map<QueueId, Queue>, std::less<>> queues_;
  std::int64_t count_ = 0;
  std::int64_t entries_ = 0;
};

}  // namespace mq::inspect

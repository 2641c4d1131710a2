// Reads through the consume queues and the index: the part of MessageStore's contract that needs
// neither puts nor the flush. Any thread; holds no lock while it reads.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/consume_queue_set.h"
#include "store/index.h"
#include "store/log_source.h"
#include "store/types.h"

namespace mq::store {

// The record at `at` alone, of what follows from there on. Errors: kNotFound.
[[nodiscard]] Result<SegmentView> only_record(SegmentView following, PhysicalOffset at);

class Reader {
 public:
  struct Options {
    std::int32_t transfer_count_memory_max = 32;
    std::int64_t transfer_bytes_memory_max = 262'144;
    std::int32_t transfer_count_disk_max = 8;
    std::int64_t transfer_bytes_disk_max = 65'536;
    std::int64_t filter_bytes_max = 16'000;
    // How far behind the log's end a record still counts as in memory.
    std::int64_t memory_bytes = std::int64_t{8} << 30;
  };
  // All borrowed; `index` null without one.
  Reader(const LogSource& log, ConsumeQueueSet& queues, const IndexSet* index,
         const Options& options) noexcept
      : log_(log), queues_(queues), index_(index), options_(options) {}

  // These are MessageStore's functions of the same names.
  [[nodiscard]] GetResult get(const GetRequest& request);
  [[nodiscard]] Result<std::size_t> entries(std::string_view topic, QueueId queue, QueueOffset from,
                                            std::span<format::ConsumeQueueEntry> out);
  [[nodiscard]] Result<SegmentView> get_record(PhysicalOffset at) const;
  [[nodiscard]] Result<std::vector<SegmentView>> query(std::string_view topic, std::string_view key,
                                                       std::int32_t count_max,
                                                       std::int64_t begin_ms, std::int64_t end_ms);
  [[nodiscard]] QueueOffset min_offset(std::string_view topic, QueueId queue) const;
  [[nodiscard]] QueueOffset max_offset(std::string_view topic, QueueId queue) const;
  [[nodiscard]] QueueOffset offset_by_time(std::string_view topic, QueueId queue,
                                           std::int64_t timestamp_ms, Boundary boundary);
  [[nodiscard]] std::int64_t store_time(std::string_view topic, QueueId queue, QueueOffset offset);
  [[nodiscard]] bool is_in_memory(std::string_view topic, QueueId queue, QueueOffset offset);

  struct Stats {
    std::int64_t gets_total = 0, messages_total = 0, bytes_total = 0, misses_total = 0;
    std::int64_t damaged_entries_total = 0;  // entries that pointed at no such record; passed over
  };
  [[nodiscard]] Stats stats() const noexcept;

 private:
  class Scan;
  [[nodiscard]] GetStatus status_of(const Scan& scan, GetResult& out, bool has_entries) const;
  [[nodiscard]] QueueOffset scan_batches(ConsumeQueue& queue, const GetRequest& request,
                                         Scan& scan);
  [[nodiscard]] Result<format::ConsumeQueueEntry> entry_at(ConsumeQueue& queue, QueueOffset at);
  [[nodiscard]] std::int64_t time_at(ConsumeQueue& queue, QueueOffset at);
  [[nodiscard]] bool is_near(PhysicalOffset at) const noexcept {
    return log_.readable() - at <= options_.memory_bytes;
  }

  const LogSource& log_;
  ConsumeQueueSet& queues_;
  const IndexSet* const index_;
  const Options options_;
  std::atomic<std::int64_t> gets_{0}, messages_{0}, bytes_{0}, misses_{0}, damaged_{0};
};

// Bytes that count as "in memory": `percent` of the machine's memory.
[[nodiscard]] std::int64_t memory_bytes(std::int32_t percent);

}  // namespace mq::store

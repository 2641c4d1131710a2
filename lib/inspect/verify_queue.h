// One consume queue under verify: its files as one row of slots, read forward in small pieces, and
// how far its entries have been matched with records.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "format/consume_queue_entry.h"
#include "fs/fs.h"
#include "inspect/cache_keeper.h"
#include "inspect/store_files.h"

namespace mq::inspect {

// What stands where entry `number` should stand.
struct QueueSlot {
  enum class Kind : std::uint8_t {
    kEntry,
    kEmpty,   // zeros
    kBroken,  // neither
    kNone,    // no file has it
  };
  Kind kind = Kind::kNone;
  format::ConsumeQueueEntry entry{};
};

class VerifyQueue {
 public:
  static constexpr std::int64_t kEntryBytes = format::ConsumeQueueEntry::kEncodedBytes;
  static constexpr std::int64_t kNumberMax = INT64_MAX / kEntryBytes - 1;

  // `directory` as list_queues gives it, without files if there is no such queue.
  VerifyQueue(fs::Fs& fs, QueueDirectory directory);
  ~VerifyQueue() { close(); }
  VerifyQueue(const VerifyQueue&) = delete;
  VerifyQueue& operator=(const VerifyQueue&) = delete;

  [[nodiscard]] const std::string& topic() const noexcept { return directory_.topic; }
  [[nodiscard]] QueueId id() const noexcept { return directory_.queue; }
  [[nodiscard]] std::string name() const;  // "topic/3"
  // Hash of "topic#", which every key of its records has in front in the index.
  [[nodiscard]] std::int32_t key_prefix() const noexcept { return key_prefix_; }
  [[nodiscard]] bool is_delayed() const noexcept { return is_delayed_; }  // SCHEDULE_TOPIC_XXXX
  [[nodiscard]] const std::vector<QueueFile>& files() const noexcept { return directory_.files; }
  // Numbers of the first slot and behind the last.
  [[nodiscard]] std::int64_t first_slot() const noexcept;
  [[nodiscard]] std::int64_t end_slot() const noexcept;
  [[nodiscard]] bool has_slot(std::int64_t number) const { return file_of(number) != nullptr; }

  // Any number; cheap when numbers go up. A file that cannot be read counts as not there, and
  // failed() says so.
  QueueSlot slot(std::int64_t number, std::size_t buffer_bytes);
  // The number of the first slot at or behind `number` that is not empty; end_slot() if none.
  std::int64_t next_used(std::int64_t number, std::size_t buffer_bytes);
  // File and position of a slot; of one that no file has, the nearest file.
  struct Place {
    std::string file;
    std::int64_t at = 0;
  };
  [[nodiscard]] Place place(std::int64_t number) const;
  [[nodiscard]] const std::string& failed() const noexcept { return failed_; }

  // Gives up the buffer and the open file.
  void close();
  [[nodiscard]] bool is_open() const noexcept { return file_ != nullptr || !buffer_.empty(); }

  // --- how far it has been matched; kept by VerifyQueues

  // Slots in a row that do not fit, up to `to`.
  struct Run {
    std::int64_t from = -1;
    std::int64_t to = -1;
    std::string what{};
    std::string expected{};
    std::string found{};
  };
  struct Missing {
    std::int64_t from = -1;  // number of the first record without an entry
    std::int64_t to = -1;    // behind the last
    PhysicalOffset at{};     // of the first
    std::int64_t stored_ms = 0;
    std::int64_t count = 0;
  };

  std::int64_t next = 0;           // number of the next slot to look at
  PhysicalOffset last_offset{-1};  // of the last entry that was looked at, fillers aside
  bool has_matched = false;
  std::int64_t record_next = -1;   // number that the next record should have; -1: no record yet
  PhysicalOffset record_end{};     // behind its last record
  std::int64_t expected_gap = -1;  // a number that was refused once; twice it is believed
  PhysicalOffset earlier_until{};  // records before are of an earlier queue of that name
  std::int64_t earlier_records = 0;
  std::int64_t before_files = 0;  // records whose entries were in files that are gone
  PhysicalOffset before_files_at{};
  Run bad{};
  Missing missing{};

 private:
  const QueueFile* file_of(std::int64_t number) const;
  bool load(std::int64_t number, std::size_t buffer_bytes);

  fs::Fs& fs_;
  const QueueDirectory directory_;
  const std::int32_t key_prefix_;
  const bool is_delayed_;
  std::unique_ptr<fs::File> file_;
  CacheKeeper cache_;
  const QueueFile* open_ = nullptr;
  std::vector<std::byte> buffer_;
  std::int64_t buffer_first_ = 0;  // number of its first slot
  std::int64_t buffer_end_ = 0;
  std::string failed_;
};

}  // namespace mq::inspect

// What goes into the engine and what comes out: requests, statuses, answers. Values only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "format/record.h"

namespace mq::store {

// store-format.md section 13. "Stored" means in the log, and dispatched sooner or later.
enum class PutStatus : std::uint8_t {
  kOk,                      // stored
  kFlushDiskTimeout,        // stored; not known to be on disk in time
  kFlushSlaveTimeout,       // stored; replicas not confirmed in time
  kSlaveNotAvailable,       // stored; no replica
  kServiceNotAvailable,     // not stored: stopped, read-only, disk full, failed device;
                            // PutResult::reason says which
  kCreateMappedFileFailed,  // not stored: the next file could not be had in time
  kMessageIllegal,          // not stored: a limit of 2.2
  kPropertiesSizeExceeded,  // not stored
  kOsPageCacheBusy,         // not stored: the append lock has been held too long
  kUnknownError,            // not stored
};
[[nodiscard]] constexpr bool is_stored(PutStatus s) noexcept {
  return s <= PutStatus::kSlaveNotAvailable;
}

// What all messages of one put share. Views belong to the caller and are not kept.
struct PutCommon {
  std::string_view topic;
  QueueId queue_id = 0;
  std::int32_t sys_flag = 0;
  std::int64_t born_timestamp_ms = 0;
  format::Host born_host{};
  format::Host store_host{};
  std::int32_t reconsume_times = 0;
  PhysicalOffset prepared_transaction_offset{};
  // A copy of a record that is in the log already: maxMessageSize may have been lowered since.
  bool accepted_before = false;
  // when_durable follows at once: the put itself wakes nobody to sync.
  bool waits = false;
  // The one message of the put is a batch that stays closed, of so many (its body is the batch's as
  // sent; store-format.md 2.8): it takes that many numbers. 0: a message like any other.
  std::int32_t inner_messages = 0;
};
struct PutMessage {
  std::int32_t flag = 0;
  Bytes body{};
  std::string_view properties{};  // as they are to be stored
};

struct PutResult {
  PutStatus status = PutStatus::kUnknownError;
  QueueOffset queue_offset{};        // of the first message
  PhysicalOffset physical_offset{};  // of the first record
  PhysicalOffset end{};  // behind the last record; durable once flushed() has reached it
  std::int64_t store_timestamp_ms = 0;
  std::int64_t waited_us = 0;  // for the append lock and for room in the log, stored or not
  // Static text that says why, when not stored; or the owner's current reason (disk full …).
  std::string reason;
};

// A piece of the log in memory, kept alive by `hold`: its segment is not unmapped before the view
// goes away.
struct SegmentView {
  Bytes bytes;
  std::shared_ptr<const void> hold;
};

enum class GetStatus : std::uint8_t {
  kFound,
  kNoMatchedMessage,
  kMessageWasRemoving,
  kOffsetFoundNull,
  kOffsetOverflowBadly,
  kOffsetOverflowOne,
  kOffsetTooSmall,
  kNoMatchedLogicQueue,
  kNoMessageInQueue,
};
[[nodiscard]] const char* name_of(
    GetStatus status) noexcept;  // "FOUND", "NO_MATCHED_MESSAGE", … as the reference says

// Decides by tag code alone. `codes` sorted; empty with `all` false matches nothing.
struct TagFilter {
  bool all = true;
  std::span<const std::int32_t> codes{};
  [[nodiscard]] bool matches(std::int64_t tag_code) const noexcept;
};

// A second look, at the record itself. Called on the reading thread, and on the dispatch thread for
// those who wait.
class RecordFilter {
 public:
  virtual ~RecordFilter() = default;
  [[nodiscard]] virtual bool wants(std::string_view properties) const = 0;
};

struct GetRequest {
  std::string_view topic;
  QueueId queue_id = 0;
  QueueOffset offset{};
  std::int32_t count_max = 32;
  std::int64_t bytes_max = 1 << 30;
  // The reference's transfer limits (32 messages / 256 KiB in memory, 8 / 64 KiB on disk) apply
  // unless this is set.
  bool ignore_transfer_limits = false;
  TagFilter filter{};
  // What `filter` lets through must also be wanted by it; null: all of that. Borrowed for the call.
  const RecordFilter* record_filter = nullptr;
};
struct GetResult {
  GetStatus status = GetStatus::kNoMatchedLogicQueue;
  QueueOffset next{};
  QueueOffset min{};
  QueueOffset max{};
  // The records back to back, neighbours in the log as one span; in queue order.
  std::vector<SegmentView> spans;
  std::int64_t bytes = 0;
  std::int32_t count = 0;
  bool suggest_slave = false;  // what was read lies further back than 40 % of memory
};

enum class Boundary : std::uint8_t { kLower, kUpper };

// A record was dispatched: its queue entry can be read. Called on the dispatch thread, in log
// order; must not block.
struct Arrival {
  std::string_view topic;
  QueueId queue_id = 0;
  QueueOffset next{};  // queue offset behind the record
  std::int64_t tag_code = 0;
  std::int64_t store_timestamp_ms = 0;
  std::string_view properties{};  // the record's, valid during the call
};

}  // namespace mq::store

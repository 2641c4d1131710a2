// One entry of a queue of batches, batchconsumequeue/ (store-format.md 4.7): of topics whose
// attribute queue.type is BatchCQ. Entries are packed from the start of the first file; an entry's
// place says nothing about its number.
//
//   at  bytes  field
//    0      8  commitlog_offset
//    8      4  record_bytes
//   12      8  tag_code            as in a consume queue, never an ext address
//   20      8  store_timestamp     ms
//   28      8  base                queue offset of the first message: INNER_BASE, or the record's
//   36      2  count               messages: INNER_NUM, or 1
//   38      4  compacted           -1
//   42      4  reserved            0
//
// All fields signed, big-endian; 46 bytes.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace mq::format {

struct BatchQueueEntry {
  static constexpr std::size_t kEncodedBytes = 46;
  PhysicalOffset commitlog_offset{};
  std::int32_t record_bytes = 0;
  std::int64_t tag_code = 0;
  std::int64_t store_timestamp_ms = 0;
  QueueOffset base{};
  std::int16_t count = 1;
  std::int32_t compacted = -1;
  std::int32_t reserved = 0;
  friend bool operator==(const BatchQueueEntry&, const BatchQueueEntry&) = default;
};

void encode(const BatchQueueEntry& entry,
            std::span<std::byte, BatchQueueEntry::kEncodedBytes> out) noexcept;
// Errors: kShort, kNotFound (never written), kCorrupt (negative offset or base, size or count not
// positive).
Result<BatchQueueEntry> decode_batch_queue_entry(Bytes in);

}  // namespace mq::format

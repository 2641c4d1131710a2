// One entry of a consume queue file (store-format.md 4.1).
//
//   at  bytes  field             meaning
//    0      8  commitlog_offset  where the record starts in the commit log
//    8      4  record_bytes      size of that whole record, not of its body
//   12      8  tag_code          hash of the tag; due time (ms) in a delay queue
//
// All fields signed, big-endian; 20 bytes, no checksum. Files are full of zeros at first, so
// record_bytes == 0 means "not written yet". A filler (4.3) stands where a queue's first entries
// are gone: offset 0, size 2^31-1, code 0.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace mq::format {

struct ConsumeQueueEntry {
  static constexpr std::size_t kEncodedBytes = 8 + 4 + 8;
  PhysicalOffset commitlog_offset{};
  std::int32_t record_bytes = 0;
  std::int64_t tag_code = 0;

  static ConsumeQueueEntry filler() noexcept { return {PhysicalOffset(0), 0x7FFFFFFF, 0}; }
  [[nodiscard]] bool is_filler() const noexcept { return *this == filler(); }
  [[nodiscard]] PhysicalOffset end() const noexcept { return commitlog_offset + record_bytes; }
  friend bool operator==(const ConsumeQueueEntry&, const ConsumeQueueEntry&) = default;
};

// Cannot fail: the size is in the type.
void encode(const ConsumeQueueEntry& entry,
            std::span<std::byte, ConsumeQueueEntry::kEncodedBytes> out) noexcept;

// Errors: kShort (under 20 bytes), kNotFound (slot never written), kCorrupt (negative offset, size
// not positive).
Result<ConsumeQueueEntry> decode_consume_queue_entry(Bytes in);

}  // namespace mq::format

#include "format/batch_queue_entry.h"

#include <fmt/format.h>

namespace mq::format {

void encode(const BatchQueueEntry& entry,
            std::span<std::byte, BatchQueueEntry::kEncodedBytes> out) noexcept {
  BigEndianWriter w(out);
  w.put(entry.commitlog_offset.value());
  w.put(entry.record_bytes);
  w.put(entry.tag_code);
  w.put(entry.store_timestamp_ms);
  w.put(entry.base.value());
  w.put(entry.count);
  w.put(entry.compacted);
  w.put(entry.reserved);
}

Result<BatchQueueEntry> decode_batch_queue_entry(Bytes in) {
  BigEndianReader r(in);
  BatchQueueEntry entry;
  entry.commitlog_offset = PhysicalOffset(r.take<std::int64_t>());
  entry.record_bytes = r.take<std::int32_t>();
  entry.tag_code = r.take<std::int64_t>();
  entry.store_timestamp_ms = r.take<std::int64_t>();
  entry.base = QueueOffset(r.take<std::int64_t>());
  entry.count = r.take<std::int16_t>();
  entry.compacted = r.take<std::int32_t>();
  entry.reserved = r.take<std::int32_t>();
  if (!r.ok()) {
    return Error{Errc::kShort, fmt::format("entry of a batch in {} bytes, expected {}", in.size(),
                                           BatchQueueEntry::kEncodedBytes)};
  }
  const Bytes raw = in.first(BatchQueueEntry::kEncodedBytes);
  if (is_zero(raw)) return Error{Errc::kNotFound};
  if (entry.commitlog_offset < PhysicalOffset(0) || entry.record_bytes <= 0 ||
      entry.base < QueueOffset(0) || entry.count <= 0) {
    return Error{Errc::kCorrupt, fmt::format("entry of a batch: offset {} size {} base {} count {}",
                                             entry.commitlog_offset.value(), entry.record_bytes,
                                             entry.base.value(), entry.count)};
  }
  return entry;
}

}  // namespace mq::format

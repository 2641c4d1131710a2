#include "format/consume_queue_entry.h"

#include <limits>

#include <fmt/format.h>

namespace mq::format {

void encode(const ConsumeQueueEntry& entry,
            std::span<std::byte, ConsumeQueueEntry::kEncodedBytes> out) noexcept {
  store_be(out.data(), entry.commitlog_offset.value());
  store_be(out.data() + 8, entry.record_bytes);
  store_be(out.data() + 12, entry.tag_code);
}

Result<ConsumeQueueEntry> decode_consume_queue_entry(Bytes in) {
  if (in.size() < ConsumeQueueEntry::kEncodedBytes) return Error{Errc::kShort};
  const ConsumeQueueEntry entry{PhysicalOffset(load_be<std::int64_t>(in.data())),
                                load_be<std::int32_t>(in.data() + 8),
                                load_be<std::int64_t>(in.data() + 12)};
  if (entry == ConsumeQueueEntry{}) return Error{Errc::kNotFound};
  // The upper bound keeps end() from overflowing; no log ever gets there.
  if (entry.commitlog_offset.value() < 0 || entry.record_bytes <= 0 ||
      entry.commitlog_offset.value() >
          std::numeric_limits<std::int64_t>::max() - entry.record_bytes) [[unlikely]] {
    return Error{Errc::kCorrupt, fmt::format("queue entry with offset {} and size {}",
                                             entry.commitlog_offset.value(), entry.record_bytes)};
  }
  return entry;
}

}  // namespace mq::format

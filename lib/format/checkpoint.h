// The file `checkpoint` (store-format.md 6.1): up to when each kind of file is known to be on disk.
// 4096 bytes, the rest zeros; a missing file counts as all zeros.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace mq::format {

struct Checkpoint {
  static constexpr std::size_t kEncodedBytes = 4096;
  std::int64_t physic_timestamp_ms = 0;  // storeTimestamp up to which the commit log is flushed
  std::int64_t logics_timestamp_ms = 0;  // of the consume queues
  std::int64_t index_timestamp_ms = 0;   // endTimestamp of the last full index file flushed
  PhysicalOffset master_flushed_offset{};
  PhysicalOffset confirm_offset{};
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

void encode(const Checkpoint& checkpoint,
            std::span<std::byte, Checkpoint::kEncodedBytes> out) noexcept;
// Reads the first 40 bytes. Errors: kShort.
Result<Checkpoint> decode_checkpoint(Bytes in);

}  // namespace mq::format

#include "format/checkpoint.h"

#include <algorithm>

#include <fmt/format.h>

namespace mq::format {
namespace {

constexpr std::size_t kUsedBytes = 5 * sizeof(std::int64_t);

}  // namespace

void encode(const Checkpoint& checkpoint,
            std::span<std::byte, Checkpoint::kEncodedBytes> out) noexcept {
  std::ranges::fill(out, std::byte{0});
  BigEndianWriter w{out};
  w.put(checkpoint.physic_timestamp_ms);
  w.put(checkpoint.logics_timestamp_ms);
  w.put(checkpoint.index_timestamp_ms);
  w.put(checkpoint.master_flushed_offset.value());
  w.put(checkpoint.confirm_offset.value());
}

Result<Checkpoint> decode_checkpoint(Bytes in) {
  if (in.size() < kUsedBytes) {
    return Error{Errc::kShort,
                 fmt::format("checkpoint of {} bytes, expected {} or more", in.size(), kUsedBytes)};
  }
  BigEndianReader r{in};
  Checkpoint checkpoint;
  checkpoint.physic_timestamp_ms = r.take<std::int64_t>();
  checkpoint.logics_timestamp_ms = r.take<std::int64_t>();
  checkpoint.index_timestamp_ms = r.take<std::int64_t>();
  checkpoint.master_flushed_offset = PhysicalOffset(r.take<std::int64_t>());
  checkpoint.confirm_offset = PhysicalOffset(r.take<std::int64_t>());
  return checkpoint;
}

}  // namespace mq::format

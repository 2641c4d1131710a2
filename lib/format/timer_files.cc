#include "format/timer_files.h"

#include <fmt/format.h>

#include "format/record.h"

namespace mq::format {
namespace {

constexpr std::int32_t kUnitBytes = TimerUnit::kEncodedBytes;
constexpr std::size_t kBlankMagicAt = 12;

Error too_short(const char* what, std::size_t bytes, std::size_t expected) {
  return Error{Errc::kShort,
               fmt::format("{} of {} bytes, expected {} or more", what, bytes, expected)};
}

}  // namespace

void encode(const TimerSlot& slot, std::span<std::byte, TimerSlot::kEncodedBytes> out) noexcept {
  BigEndianWriter w(out);
  w.put(slot.time);
  w.put(slot.first);
  w.put(slot.last);
  w.put(slot.count);
  w.put(slot.magic);
}

Result<TimerSlot> decode_timer_slot(Bytes in) {
  BigEndianReader r(in);
  TimerSlot slot;
  slot.time = r.take<std::int64_t>();
  slot.first = r.take<std::int64_t>();
  slot.last = r.take<std::int64_t>();
  slot.count = r.take<std::int32_t>();
  slot.magic = r.take<std::int32_t>();
  if (!r.ok()) return too_short("timer slot", in.size(), TimerSlot::kEncodedBytes);
  return slot;
}

void encode(const TimerUnit& unit, std::span<std::byte, TimerUnit::kEncodedBytes> out) noexcept {
  BigEndianWriter w(out);
  w.put(kUnitBytes);
  w.put(unit.previous);
  w.put(unit.magic);
  w.put(unit.write_time_ms);
  w.put(unit.delay_ms);
  w.put(unit.commitlog_offset.value());
  w.put(unit.record_bytes);
  w.put(unit.topic_hash);
  w.put(unit.reserved);
}

Result<TimerUnit> decode_timer_unit(Bytes in) {
  BigEndianReader r(in);
  const auto size = r.take<std::int32_t>();
  TimerUnit unit;
  unit.previous = r.take<std::int64_t>();
  unit.magic = r.take<std::int32_t>();
  unit.write_time_ms = r.take<std::int64_t>();
  unit.delay_ms = r.take<std::int32_t>();
  unit.commitlog_offset = PhysicalOffset(r.take<std::int64_t>());
  unit.record_bytes = r.take<std::int32_t>();
  unit.topic_hash = r.take<std::int32_t>();
  unit.reserved = r.take<std::int64_t>();
  if (!r.ok()) return too_short("timer unit", in.size(), TimerUnit::kEncodedBytes);
  if (is_timer_blank(in) || is_zero(in.first(TimerUnit::kEncodedBytes)))
    return Error{Errc::kNotFound};
  if (size != kUnitBytes || unit.magic < 0 || unit.magic > TimerUnit::kMagicMax) {
    return Error{Errc::kCorrupt,
                 fmt::format("timer unit of {} bytes with magic {}, expected {} and "
                             "0 to {}",
                             size, unit.magic, kUnitBytes, TimerUnit::kMagicMax)};
  }
  return unit;
}

void encode_timer_blank(std::int32_t rest_of_file,
                        std::span<std::byte, TimerUnit::kBlankBytes> out) noexcept {
  BigEndianWriter w(out);
  w.put(rest_of_file);
  w.put(std::int64_t{0});
  w.put(kMagicBlank);
}

bool is_timer_blank(Bytes in) noexcept {
  return in.size() >= TimerUnit::kBlankBytes &&
         load_be<std::int32_t>(in.data() + kBlankMagicAt) == kMagicBlank;
}

void encode(const TimerCheckpoint& checkpoint,
            std::span<std::byte, TimerCheckpoint::kEncodedBytes> out) noexcept {
  std::fill(out.begin(), out.end(), std::byte{0});
  BigEndianWriter w(out);
  w.put(checkpoint.last_read_time_ms);
  w.put(checkpoint.last_log_flush_position);
  w.put(checkpoint.last_queue_offset.value());
  w.put(checkpoint.master_queue_offset.value());
  w.put(checkpoint.state_version);
  w.put(checkpoint.version_timestamp_ms);
  w.put(checkpoint.version_counter);
}

Result<TimerCheckpoint> decode_timer_checkpoint(Bytes in) {
  BigEndianReader r(in);
  TimerCheckpoint checkpoint;
  checkpoint.last_read_time_ms = r.take<std::int64_t>();
  checkpoint.last_log_flush_position = r.take<std::int64_t>();
  checkpoint.last_queue_offset = QueueOffset(r.take<std::int64_t>());
  checkpoint.master_queue_offset = QueueOffset(r.take<std::int64_t>());
  checkpoint.state_version = r.take<std::int64_t>();
  checkpoint.version_timestamp_ms = r.take<std::int64_t>();
  checkpoint.version_counter = r.take<std::int64_t>();
  if (!r.ok()) return too_short("timer checkpoint", in.size(), 56);
  return checkpoint;
}

}  // namespace mq::format

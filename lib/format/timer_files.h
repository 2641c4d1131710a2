// The files of messages with a due time of their own (store-format.md 11): the wheel, whose slots
// name the newest unit of each second, the log of units, and the timer's checkpoint.
//
//   slot of `timerwheel`, 32 bytes, 1 209 600 of them
//    0  8  time        due time / precision (seconds by default); the slot is that % slots
//    8  8  first       position of its oldest unit in the timer log
//   16  8  last        of its newest
//   24  4  count       messages that wait; delete markers subtract
//   28  4  magic       unused
//
//   unit of `timerlog/<20 digits>`, 52 bytes
//    0  4  size        52
//    4  8  previous    position of the unit before it in its slot, -1 = none
//   12  4  magic       bits: 1 always, 2 goes round once more, 4 delete marker; ours: 8 done
//   16  8  write_time  ms
//   24  4  delay       ms from there to the slot's time
//   28  8  offset      of the message in the commit log
//   36  4  bytes       of that record
//   40  4  topic hash  Java's hash of the real topic, 0 if none
//   44  8  reserved    0
//
// A file ends with `i32 rest of the file, i64 0, i32 CBD43194` where a unit and 16 bytes no longer
// fit.
//
//   `config/timercheck`, 4096 bytes: lastReadTimeMs, lastTimerLogFlushPos, lastTimerQueueOffset,
//   masterTimerQueueOffset, then dataVersion: stateVersion, timestamp, counter; 8 bytes each.
//
// All integers signed, big-endian.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace mq::format {

struct TimerSlot {
  static constexpr std::size_t kEncodedBytes = 32;
  static constexpr std::int64_t kCount = 7LL * 86'400 * 2;
  static constexpr std::int64_t kFileBytes = kCount * static_cast<std::int64_t>(kEncodedBytes);
  std::int64_t time = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int32_t count = 0;
  std::int32_t magic = 0;
  // The chain of no message: a slot that is not in use is all zeros, or another time's.
  [[nodiscard]] bool is_empty() const noexcept { return time <= 0 || last < 0 || first > last; }
  friend bool operator==(const TimerSlot&, const TimerSlot&) = default;
};

struct TimerUnit {
  static constexpr std::size_t kEncodedBytes = 52;
  static constexpr std::int32_t kMagicMax = 15;
  static constexpr std::int32_t kMagicDefault = 1;
  static constexpr std::int32_t kMagicRoll = 2;
  static constexpr std::int32_t kMagicDelete = 4;
  // Ours: delivered at once and in no slot; tells how far the queue has been read.
  static constexpr std::int32_t kMagicDone = 8;
  static constexpr std::size_t kBlankBytes = 16;  // what must be left behind a unit
  std::int64_t previous = -1;
  std::int32_t magic = 1;
  std::int64_t write_time_ms = 0;
  std::int32_t delay_ms = 0;
  PhysicalOffset commitlog_offset{};
  std::int32_t record_bytes = 0;
  std::int32_t topic_hash = 0;
  std::int64_t reserved = 0;

  // The slot that it belongs to.
  [[nodiscard]] std::int64_t due_ms() const noexcept { return write_time_ms + delay_ms; }
  [[nodiscard]] bool is_roll() const noexcept { return (magic & kMagicRoll) != 0; }
  [[nodiscard]] bool is_delete() const noexcept { return (magic & kMagicDelete) != 0; }
  [[nodiscard]] bool is_done() const noexcept { return (magic & kMagicDone) != 0; }
  friend bool operator==(const TimerUnit&, const TimerUnit&) = default;
};

struct TimerCheckpoint {
  static constexpr std::size_t kEncodedBytes = 4096;
  std::int64_t last_read_time_ms = 0;
  std::int64_t last_log_flush_position = 0;
  QueueOffset last_queue_offset{};
  QueueOffset master_queue_offset{};
  std::int64_t state_version = 0;
  std::int64_t version_timestamp_ms = 0;
  std::int64_t version_counter = 0;
  friend bool operator==(const TimerCheckpoint&, const TimerCheckpoint&) = default;
};

void encode(const TimerSlot& slot, std::span<std::byte, TimerSlot::kEncodedBytes> out) noexcept;
// Errors: kShort.
Result<TimerSlot> decode_timer_slot(Bytes in);

void encode(const TimerUnit& unit, std::span<std::byte, TimerUnit::kEncodedBytes> out) noexcept;
// Errors: kShort, kNotFound (zeros, or the end of a file), kCorrupt (another size or magic).
Result<TimerUnit> decode_timer_unit(Bytes in);
// Does another unit fit at `position` of a file of that size?
[[nodiscard]] constexpr bool timer_unit_fits(std::int64_t file_bytes,
                                             std::int64_t position) noexcept {
  return file_bytes - position >=
         static_cast<std::int64_t>(TimerUnit::kEncodedBytes + TimerUnit::kBlankBytes);
}
void encode_timer_blank(std::int32_t rest_of_file,
                        std::span<std::byte, TimerUnit::kBlankBytes> out) noexcept;
// Is it what stands where a file has no more units?
[[nodiscard]] bool is_timer_blank(Bytes in) noexcept;

void encode(const TimerCheckpoint& checkpoint,
            std::span<std::byte, TimerCheckpoint::kEncodedBytes> out) noexcept;
// Reads the first 56 bytes. Errors: kShort.
Result<TimerCheckpoint> decode_timer_checkpoint(Bytes in);

}  // namespace mq::format

// The timer's files: bytes that the reference wrote, every truncation, every bit that says what a
// unit is.
#include "format/timer_files.h"

#include <gtest/gtest.h>

#include "support/hex.h"

namespace mq::format {
namespace {

using mq::test::from_hex;
using mq::test::to_hex;

template <typename Value>
std::string encoded(const Value& value) {
  std::array<std::byte, Value::kEncodedBytes> out{};
  encode(value, out);
  return to_hex(out);
}

constexpr const char* kUnitHex =
    "00000034"
    "0000000000000034"
    "00000001"
    "000001a1fb832b80"
    "000007d0"
    "0000000000027c49"
    "000001a0"
    "8e061e0a"
    "0000000000000000";
const TimerUnit kUnit{.previous = 52,
                      .magic = 1,
                      .write_time_ms = 1795221040000,
                      .delay_ms = 2000,
                      .commitlog_offset = PhysicalOffset(162889),
                      .record_bytes = 416,
                      .topic_hash = static_cast<std::int32_t>(0x8e061e0aU)};

TEST(TimerUnit, DecodesAndEncodesTheBytesOfTheReference) {
  const auto got = decode_timer_unit(from_hex(kUnitHex));
  ASSERT_TRUE(got) << got.error();
  EXPECT_EQ(*got, kUnit);
  EXPECT_EQ(encoded(kUnit), kUnitHex);
}

TEST(TimerUnit, EveryTruncationIsShort) {
  const auto raw = from_hex(kUnitHex);
  for (std::size_t n = 0; n < raw.size(); ++n)
    EXPECT_EQ(decode_timer_unit(Bytes(raw).first(n)).error().code(), Errc::kShort) << n;
}

TEST(TimerUnit, HasOneSizeAndFewMagics) {
  auto raw = from_hex(kUnitHex);
  raw[3] = std::byte{53};
  EXPECT_EQ(decode_timer_unit(raw).error().code(), Errc::kCorrupt);
  raw[3] = std::byte{52};
  raw[15] = std::byte{15};
  EXPECT_TRUE(decode_timer_unit(raw));
  raw[15] = std::byte{16};
  EXPECT_EQ(decode_timer_unit(raw).error().code(), Errc::kCorrupt);
}

TEST(TimerUnit, EndsAFileWithABlankAndThatWhichIsWrittenWithZeros) {
  std::vector<std::byte> raw(TimerUnit::kEncodedBytes);
  EXPECT_EQ(decode_timer_unit(raw).error().code(), Errc::kNotFound);
  const auto blank = from_hex(
      "00000020"
      "0000000000000000"
      "cbd43194");
  std::copy(blank.begin(), blank.end(), raw.begin());
  EXPECT_EQ(decode_timer_unit(raw).error().code(), Errc::kNotFound);
  EXPECT_TRUE(is_timer_blank(blank));
  EXPECT_FALSE(is_timer_blank(Bytes(blank).first(15)));
  EXPECT_FALSE(is_timer_blank(from_hex(kUnitHex)));
}

TEST(TimerSlot, DecodesAndEncodesTheBytesOfTheReference) {
  const std::string hex =
      "000000006553f1640000000000000034000000000000006800000003"
      "00000000";
  const TimerSlot slot{.time = 1700000100, .first = 52, .last = 104, .count = 3};
  const auto got = decode_timer_slot(from_hex(hex));
  ASSERT_TRUE(got) << got.error();
  EXPECT_EQ(*got, slot);
  EXPECT_EQ(encoded(slot), hex);
  const auto raw = from_hex(hex);
  EXPECT_EQ(decode_timer_slot(Bytes(raw).first(31)).error().code(), Errc::kShort);
  EXPECT_EQ(TimerSlot::kFileBytes, 38'707'200);
}

TEST(TimerCheckpoint, DecodesAndEncodesTheBytesOfTheReference) {
  const std::string hex =
      "000001a1fb84f0a0"
      "0000000000000270"
      "000000000000000c"
      "000000000000000c"
      "0000000000000000"
      "000001a1fb84f14d"
      "0000000000000066";
  const auto got = decode_timer_checkpoint(from_hex(hex));
  ASSERT_TRUE(got) << got.error();
  EXPECT_EQ(got->last_read_time_ms, 1795221156000);
  EXPECT_EQ(got->last_log_flush_position, 624);
  EXPECT_EQ(got->last_queue_offset, QueueOffset(12));
  EXPECT_EQ(got->master_queue_offset, QueueOffset(12));
  EXPECT_EQ(got->version_counter, 102);
  EXPECT_EQ(encoded(*got), hex + std::string(2 * (4096 - 56), '0'));
  const auto raw = from_hex(hex);
  EXPECT_EQ(decode_timer_checkpoint(Bytes(raw).first(55)).error().code(), Errc::kShort);
}

}  // namespace
}  // namespace mq::format

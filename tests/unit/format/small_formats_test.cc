// Queue entries, index files and the checkpoint.
#include <gtest/gtest.h>

#include "format/checkpoint.h"
#include "format/consume_queue_entry.h"
#include "format/index_file.h"
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

TEST(ConsumeQueueEntry, DecodesAndEncodesTheBytesOfTheReference) {
  const std::vector<std::pair<std::string, ConsumeQueueEntry>> all{
      {"00000000000000"
       "00000000b6"
       "000000000027a807",
       {PhysicalOffset(0), 182, 2598919}},
      {"00000000000000b6"
       "000000c6"
       "00000000000d1457",
       {PhysicalOffset(182), 198, 857175}},
      {"000000000000017c"
       "00000126"
       "000000000027a807",
       {PhysicalOffset(380), 294, 2598919}},
      {"0000000000000000"
       "7fffffff"
       "0000000000000000",
       ConsumeQueueEntry::filler()},
      {"0000000000000001"
       "00000001"
       "ffffffffc847df78",
       {PhysicalOffset(1), 1, -934813832}},
  };
  for (const auto& [hex, entry] : all) {
    const auto got = decode_consume_queue_entry(from_hex(hex));
    ASSERT_TRUE(got) << got.error();
    EXPECT_EQ(*got, entry);
    EXPECT_EQ(encoded(entry), hex);
  }
  EXPECT_TRUE(ConsumeQueueEntry::filler().is_filler());
}

TEST(ConsumeQueueEntry, EveryTruncationIsShortAndNeverAGuess) {
  const auto raw = from_hex("00000000000000b6000000c600000000000d1457");
  for (std::size_t n = 0; n < raw.size(); ++n) {
    const std::vector<std::byte> cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(n));
    ASSERT_EQ(decode_consume_queue_entry(cut).error().code(), Errc::kShort) << n;
  }
}

TEST(ConsumeQueueEntry, AnUnwrittenSlotIsNotFoundAndNonsenseIsCorrupt) {
  const auto code_of = [](std::string_view hex) {
    return decode_consume_queue_entry(from_hex(hex)).error().code();
  };
  EXPECT_EQ(code_of("0000000000000000000000000000000000000000"), Errc::kNotFound);
  EXPECT_EQ(code_of("0000000000000005000000000000000000000000"), Errc::kCorrupt);
  EXPECT_EQ(code_of("8000000000000005000000c60000000000000000"), Errc::kCorrupt);
  EXPECT_EQ(code_of("0000000000000005ffffffff0000000000000000"), Errc::kCorrupt);
  EXPECT_EQ(code_of("7fffffffffffffff000000010000000000000000"), Errc::kCorrupt) << "no end";
}

TEST(ConsumeQueueEntry, EveryFlippedBitIsRefusedOrDecodedDifferently) {
  const auto good = from_hex("00000000000000b6000000c600000000000d1457");
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto raw = good;
    raw[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    if (const auto got = decode_consume_queue_entry(raw)) {
      EXPECT_EQ(encoded(*got), to_hex(raw));
    }
  }
}

TEST(IndexFile, DecodesAndEncodesTheBytesOfTheReference) {
  const std::string header_hex =
      "0000018bcfe56cd20000018bcfe57e2e000000000000000000000000000000b60000000400000006";
  const IndexHeader header{
      1'700'000'001'234, 1'700'000'005'678, PhysicalOffset(0), PhysicalOffset(182), 4, 6};
  EXPECT_EQ(*decode_index_header(from_hex(header_hex)), header);
  EXPECT_EQ(encoded(header), header_hex);

  const std::vector<std::pair<std::string, IndexEntry>> entries{
      {"7b7006730000000000000000"
       "0000000000000000",
       {2070939251, PhysicalOffset(0), 0, 0}},
      {"3e3733010000000000000000"
       "0000000000000000",
       {1043804929, PhysicalOffset(0), 0, 0}},
      {"7b70067200000000000000b6"
       "0000000400000000",
       {2070939250, PhysicalOffset(182), 4, 0}},
      {"3e37330100000000000000b6"
       "0000000400000002",
       {1043804929, PhysicalOffset(182), 4, 2}},
      {"3e37330200000000000000b6"
       "0000000400000000",
       {1043804930, PhysicalOffset(182), 4, 0}},
  };
  for (const auto& [hex, entry] : entries) {
    EXPECT_EQ(*decode_index_entry(from_hex(hex)), entry);
    EXPECT_EQ(encoded(entry), hex);
  }
}

TEST(IndexFile, HashesKeysAsTheReferenceDoes) {
  EXPECT_EQ(index_key_hash("TopicTest", "C0A8010A1F9018B4AAC2000000000001"), 2070939251);
  EXPECT_EQ(index_key_hash("TopicTest", "C0A8010A1F9018B4AAC2000000000002"), 2070939250);
  EXPECT_EQ(index_key_hash("TopicTest", "order-1001"), 1043804929);
  EXPECT_EQ(index_key_hash("TopicTest", "order-1002"), 1043804930);
}

TEST(IndexFile, TheDefaultShapeIsThatOfTheReference) {
  const IndexShape shape;
  EXPECT_EQ(shape.file_bytes(), 420'000'040);
  EXPECT_EQ(shape.slot_at(939251), 3757044);
  EXPECT_EQ(shape.slot_at(3804930), 15219760);
  EXPECT_EQ(shape.entry_at(0), 20'000'040);
  EXPECT_EQ(shape.entry_at(5), 20'000'140);
}

TEST(IndexFile, TruncationsAndNegativeFieldsAreRefused) {
  const std::vector<std::byte> zeros(IndexHeader::kEncodedBytes);
  for (std::size_t n = 0; n < IndexHeader::kEncodedBytes; ++n) {
    ASSERT_EQ(decode_index_header(Bytes(zeros).first(n)).error().code(), Errc::kShort);
  }
  for (std::size_t n = 0; n < IndexEntry::kEncodedBytes; ++n) {
    ASSERT_EQ(decode_index_entry(Bytes(zeros).first(n)).error().code(), Errc::kShort);
  }
  EXPECT_EQ(decode_index_header(zeros)->index_count, 1) << "0 on disk reads as 1";
  for (const std::size_t at : {32U, 36U}) {
    auto raw = zeros;
    raw[at] = std::byte{0x80};
    EXPECT_EQ(decode_index_header(raw).error().code(), Errc::kCorrupt);
  }
  for (const std::size_t at : {0U, 4U, 16U}) {
    auto raw = std::vector<std::byte>(IndexEntry::kEncodedBytes);
    raw[at] = std::byte{0x80};
    EXPECT_EQ(decode_index_entry(raw).error().code(), Errc::kCorrupt);
  }
}

TEST(IndexFile, EveryFlippedBitIsRefusedOrDecodedDifferently) {
  const auto header =
      from_hex("0000018bcfe56cd20000018bcfe57e2e000000000000000000000000000000b60000000400000006");
  for (std::size_t bit = 0; bit < header.size() * 8; ++bit) {
    auto raw = header;
    raw[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    if (const auto got = decode_index_header(raw)) {
      EXPECT_EQ(encoded(*got), to_hex(raw));
    }
  }
  const auto entry = from_hex("3e37330100000000000000b60000000400000002");
  for (std::size_t bit = 0; bit < entry.size() * 8; ++bit) {
    auto raw = entry;
    raw[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    if (const auto got = decode_index_entry(raw)) {
      EXPECT_EQ(encoded(*got), to_hex(raw));
    }
  }
}

TEST(IndexFile, NamesAreLocalTimeAndGrow) {
  const std::int64_t now = 1'700'000'001'234;
  const std::string name = index_file_name(now, "");
  ASSERT_EQ(name.size(), 17U);
  EXPECT_EQ(name.substr(14), "234");
  EXPECT_EQ(name.substr(0, 6), "202311");
  EXPECT_GT(index_file_name(now, name), name);
  EXPECT_EQ(index_file_name(now, "20990101000000000"), "20990101000000001");
  EXPECT_EQ(index_file_name(now, "20990101235959999"), "20990101235960000");
  EXPECT_EQ(index_file_name(now, "20000101000000000"), name);
  EXPECT_EQ(index_file_name(now, "not a name of ours"), name);
}

TEST(Checkpoint, DecodesAndEncodesTheBytesOfTheReference) {
  auto raw =
      from_hex("0000018bcfe56cd20000018bcfe56cd2000000000000000000000000000000070000000000000009");
  const Checkpoint checkpoint{1'700'000'001'234, 1'700'000'001'234, 0, PhysicalOffset(7),
                              PhysicalOffset(9)};
  EXPECT_EQ(*decode_checkpoint(raw), checkpoint);
  raw.resize(Checkpoint::kEncodedBytes);
  EXPECT_EQ(*decode_checkpoint(raw), checkpoint);
  EXPECT_EQ(encoded(checkpoint), to_hex(raw));
  for (std::size_t n = 0; n < 40; ++n) {
    ASSERT_EQ(decode_checkpoint(Bytes(raw).first(n)).error().code(), Errc::kShort);
  }
  for (std::size_t bit = 0; bit < 40 * 8; ++bit) {
    auto flipped = raw;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_NE(*decode_checkpoint(flipped), checkpoint);
  }
}

TEST(IndexFile, TimesOfDamagedHeadersAreNoOverflow) {
  EXPECT_EQ(index_seconds(1'000'000, 1'005'999), 5);
  EXPECT_EQ(index_seconds(1'000'000, 999'999), 0);
  EXPECT_EQ(index_seconds(0, 1'000'000), 0);
  EXPECT_EQ(index_seconds(INT64_MIN + 7, INT64_MAX), 0);
  EXPECT_EQ(index_seconds(1, INT64_MAX), INT32_MAX);
  EXPECT_EQ(index_seconds(INT64_MAX, INT64_MIN), 0);
  EXPECT_EQ(index_time_ms(1'000'000, 5), 1'005'000);
  EXPECT_EQ(index_time_ms(INT64_MAX, 5), INT64_MAX);
  EXPECT_EQ(index_time_ms(INT64_MIN, -5), INT64_MIN);
}

}  // namespace
}  // namespace mq::format

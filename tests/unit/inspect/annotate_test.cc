// The annotated dump covers every byte, says what is wrong, and is not led astray by any bytes.
#include "inspect/annotate.h"

#include <gtest/gtest.h>

#include "../format/record_vectors.h"

namespace mq::inspect {
namespace {

std::string time_text(std::int64_t ms) { return "T" + std::to_string(ms); }

const Field* field(const Annotation& a, std::string_view name) {
  for (const Field& f : a.fields)
    if (f.name == name) return &f;
  return nullptr;
}

// Fields follow one another from 0 on and end within the bytes.
void expect_gapless(const Annotation& a, std::size_t bytes) {
  std::int64_t at = 0;
  for (const Field& f : a.fields) {
    EXPECT_EQ(f.at, at) << f.name;
    EXPECT_GE(f.bytes, 0) << f.name;
    at += f.bytes;
  }
  EXPECT_LE(at, static_cast<std::int64_t>(bytes));
}

TEST(Annotate, NamesEveryFieldOfARecord) {
  const auto bytes = format::test::r1_bytes();
  const Annotation a = annotate_record(bytes, PhysicalOffset(0), time_text);
  EXPECT_EQ(a.kind, "record");
  EXPECT_TRUE(a.sound());
  expect_gapless(a, bytes.size());
  EXPECT_EQ(a.fields.back().at + a.fields.back().bytes, 182);
  const std::vector<std::pair<const char*, const char*>> values = {
      {"totalSize", "182"},
      {"magic", "DAA320A7"},
      {"bodyCRC", "1774740973"},
      {"queueId", "3"},
      {"physicalOffset", "0"},
      {"bornHost", "192.168.1.10:50000"},
      {"storeHost", "10.0.0.5:10911"},
      {"body", "\"Hello RocketMQ\""},
      {"topic", "\"TopicTest\""},
      {"property KEYS", "\"order-1001\""},
      {"property TAGS", "\"TagA\""}};
  for (const auto& [name, value] : values) {
    ASSERT_NE(field(a, name), nullptr) << name;
    EXPECT_EQ(field(a, name)->value, value) << name;
  }
  EXPECT_NE(field(a, "storeTimestamp")->meaning.find("T1700000001234"), std::string::npos);
  EXPECT_NE(field(a, "property TAGS")->meaning.find("2598919"), std::string::npos);
  EXPECT_NE(field(a, "property KEYS")->meaning.find("1043804929"), std::string::npos);
  EXPECT_NE(field(a, "property UNIQ_KEY")->meaning.find("192.168.1.10, process 8080"),
            std::string::npos);
}

TEST(Annotate, KnowsTheSecondLayoutOfHostsAndAMissingEnd) {
  const auto bytes = format::test::r2_bytes();
  const Annotation a = annotate_record(bytes, PhysicalOffset(182), time_text);
  EXPECT_TRUE(a.sound());
  EXPECT_EQ(field(a, "bornHost")->value, "[fe80::1]:50001");
  EXPECT_EQ(field(a, "bornHost")->bytes, 20);
  expect_gapless(a, bytes.size());
}

TEST(Annotate, SaysWhichFieldContradicts) {
  const auto whole = format::test::r1_bytes();
  const auto wrong = [&](std::size_t at, std::byte value) {
    auto bytes = whole;
    bytes[at] = value;
    const Annotation a = annotate_record(bytes, PhysicalOffset(0), time_text);
    expect_gapless(a, bytes.size());
    for (const Field& f : a.fields)
      if (!f.wrong.empty()) return f.name;
    return std::string("none");
  };
  EXPECT_EQ(wrong(3, std::byte{0xFF}), "totalSize");  // beyond the file
  EXPECT_EQ(wrong(3, std::byte{0x10}), "totalSize");  // less than any record
  EXPECT_EQ(wrong(11, std::byte{0}), "body");         // the CRC
  EXPECT_EQ(wrong(35, std::byte{9}), "physicalOffset");
  EXPECT_EQ(wrong(0x54, std::byte{0x80}), "body");        // a negative length
  EXPECT_EQ(wrong(0x66, std::byte{0xF0}), "topic");       // a negative length
  EXPECT_EQ(wrong(0x70, std::byte{0x7F}), "properties");  // a length beyond the record
}

TEST(Annotate, TakesAnyBytes) {
  const auto whole = format::test::r2_bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    const Annotation a = annotate_record(Bytes(whole).first(size), PhysicalOffset(182), time_text);
    EXPECT_FALSE(a.sound() && a.kind == "record");
    expect_gapless(a, size);
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const std::byte flip : {std::byte{0x80}, std::byte{0xFF}, std::byte{1}}) {
      auto bytes = whole;
      bytes[at] ^= flip;
      expect_gapless(annotate_record(bytes, PhysicalOffset(182), time_text), bytes.size());
    }
  }
}

TEST(Annotate, TellsBlanksAndNothingAndNoiseApart) {
  std::vector<std::byte> bytes(100);
  EXPECT_EQ(annotate_record(bytes, PhysicalOffset(0), time_text).kind, "nothing");
  std::array<std::byte, 8> blank{};
  format::encode_blank(100, blank);
  std::copy(blank.begin(), blank.end(), bytes.begin());
  const Annotation a = annotate_record(bytes, PhysicalOffset(0), time_text);
  EXPECT_EQ(a.kind, "blank");
  EXPECT_TRUE(a.sound());
  EXPECT_FALSE(annotate_record(Bytes(bytes).first(99), PhysicalOffset(0), time_text).sound());
  bytes[5] = std::byte{1};
  EXPECT_EQ(annotate_record(bytes, PhysicalOffset(0), time_text).kind, "noise");
}

TEST(Annotate, ChecksTheCrcOfAWholeRecord) {
  // The same R1 with the property that holds the CRC of all before (store-format.md 14.1).
  auto bytes = format::test::r1_bytes();
  bytes[3] = std::byte{0xCA};
  bytes[0x71] = std::byte{0x58};
  const auto block =
      mq::test::from_hex("5f 5f 43 52 43 33 32 23 01 39 38 32 32 35 31 33 36 30 31 02");
  bytes.insert(bytes.end(), block.begin(), block.end());
  EXPECT_TRUE(annotate_record(bytes, PhysicalOffset(0), time_text).sound());
  bytes[19] = std::byte{1};  // the producer's flag: nothing else vouches for it
  const Annotation a = annotate_record(bytes, PhysicalOffset(0), time_text);
  EXPECT_NE(field(a, "property __CRC32#")->wrong, "");
}

TEST(Annotate, NamesTheFieldsOfEntries) {
  const auto queue =
      mq::test::from_hex("00 00 00 00 00 00 00 b6 00 00 00 c6 00 00 00 00 00 0d 14 57");
  const Annotation q = annotate_queue_entry(queue, false, time_text);
  expect_gapless(q, 20);
  EXPECT_EQ(field(q, "offset")->value, "182");
  EXPECT_EQ(field(q, "tagCode")->value, "857175");
  EXPECT_NE(field(annotate_queue_entry(queue, true, time_text), "tagCode")->meaning.find("T857175"),
            std::string::npos);
  const auto index =
      mq::test::from_hex("3e 37 33 01 00 00 00 00 00 00 00 b6 00 00 00 04 00 00 00 02");
  const Annotation i = annotate_index_entry(index, 1000, time_text);
  expect_gapless(i, 20);
  EXPECT_EQ(field(i, "keyHash")->value, "1043804929");
  EXPECT_NE(field(i, "seconds")->meaning.find("T5000"), std::string::npos);
  EXPECT_EQ(field(i, "previous")->value, "2");
}

}  // namespace
}  // namespace mq::inspect

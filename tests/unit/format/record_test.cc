// The commit log record: bytes of the reference decoded, the same bytes encoded, and nothing else
// taken for a record.
#include "format/record.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "record_vectors.h"

namespace mq::format {
namespace {

using namespace test;

TEST(Record, DecodesTheFirstRecordOfTheReference) {
  const auto raw = r1_bytes();
  const auto r = decode_record(raw, CheckBody::kCrc);
  ASSERT_TRUE(r) << r.error();
  EXPECT_EQ(r->total_bytes, 182);
  EXPECT_EQ(r->magic, kMagicV1);
  EXPECT_EQ(r->body_crc, 0x69C865ED);
  EXPECT_EQ(r->queue_id, 3);
  EXPECT_EQ(r->flag, 0);
  EXPECT_EQ(r->queue_offset, QueueOffset(0));
  EXPECT_EQ(r->physical_offset, PhysicalOffset(0));
  EXPECT_EQ(r->sys_flag, 0);
  EXPECT_EQ(r->born_timestamp_ms, 1'700'000'000'000);
  EXPECT_EQ(to_string(r->born_host), "192.168.1.10:50000");
  EXPECT_EQ(r->store_timestamp_ms, 1'700'000'001'234);
  EXPECT_EQ(to_string(r->store_host), "10.0.0.5:10911");
  EXPECT_EQ(r->reconsume_times, 0);
  EXPECT_EQ(r->prepared_transaction_offset, PhysicalOffset(0));
  EXPECT_EQ(as_text(r->body), "Hello RocketMQ");
  EXPECT_EQ(r->topic, "TopicTest");
  EXPECT_EQ(r->properties, r1_values().properties);
  EXPECT_EQ(*peek_store_timestamp(raw), 1'700'000'001'234);
}

TEST(Record, DecodesAnIpv6BornHostAndAClearedCrcBit) {
  const auto raw = r2_bytes();
  const auto r = decode_record(raw, CheckBody::kCrc);
  ASSERT_TRUE(r) << r.error();
  EXPECT_EQ(r->total_bytes, 198);
  EXPECT_EQ(r->body_crc, 0x31B3145F);
  EXPECT_EQ(r->sys_flag, kFlagBornHostV6);
  EXPECT_EQ(to_string(r->born_host), "[fe80::1]:50001");
  EXPECT_EQ(to_string(r->store_host), "10.0.0.5:10911");
  EXPECT_EQ(r->physical_offset, PhysicalOffset(182));
  EXPECT_EQ(as_text(r->body), "Second");
  EXPECT_EQ(*peek_store_timestamp(raw), 1'700'000'005'678);
}

TEST(Record, EncodesTheBytesOfTheReference) {
  EXPECT_EQ(to_hex(r1_values().encoded()), to_hex(r1_bytes()));
  EXPECT_EQ(to_hex(r2_values().encoded()), to_hex(r2_bytes()));
  EXPECT_EQ(sha256_hex(r1_bytes()),
            "201677760cff4da3f6363ee8f8f704320bf0ba893669b19d6a7f7fb9cbed0bc3");
  EXPECT_EQ(sha256_hex(r2_bytes()),
            "3b3d99eac67ab4ba259cc2d56d4a7d9154c5ccf3cfda8102c1e4ddcb783e3826");
  const auto r3 = r3_values().encoded();
  EXPECT_EQ(to_hex(Bytes(r3).first(11)), "00000126daa320ab706b9d");
  EXPECT_EQ(sha256_hex(r3), "000d8fb1acb04578cee22a869daa08db0fc39b4e854afcfeb9622bd731c92e68");
}

TEST(Record, TopicsOver127BytesHaveTheSecondLayoutAndComeBack) {
  const auto raw = r3_values().encoded();
  const auto r = decode_record(raw, CheckBody::kCrc);
  ASSERT_TRUE(r) << r.error();
  EXPECT_EQ(r->magic, kMagicV2);
  EXPECT_EQ(r->topic, r3_values().topic);
  EXPECT_EQ(r->sys_flag, kFlagBornHostV6 | kFlagStoreHostV6);
  EXPECT_EQ(to_string(r->store_host), "[2001:db8::5]:10911");
  EXPECT_EQ(*peek_store_timestamp(raw), 1'700'000'008'000);

  Values v = r1_values();
  for (const std::size_t bytes : {0U, 1U, 127U, 128U, 255U, 32767U}) {
    v.topic = std::string(bytes, 't');
    const auto encoded = v.encoded();
    const auto again = decode_record(encoded, CheckBody::kCrc);
    ASSERT_TRUE(again) << again.error();
    EXPECT_EQ(again->magic, bytes > 127 ? kMagicV2 : kMagicV1);
    EXPECT_EQ(again->topic, v.topic);
  }
}

TEST(Record, HostBitsComeFromTheHostsAndOtherBitsStay) {
  Values v = r1_values();
  v.record.sys_flag = kFlagBornHostV6 | kFlagStoreHostV6 | kFlagCompressed | 0x700 | 0x4000'0000;
  const auto raw = v.encoded();
  const auto r = decode_record(raw, CheckBody::kCrc);
  ASSERT_TRUE(r) << r.error();
  EXPECT_EQ(r->sys_flag, kFlagCompressed | 0x700 | 0x4000'0000);
}

TEST(Record, BytesBehindTheRecordAreLeftAlone) {
  auto raw = r1_bytes();
  raw.resize(raw.size() + 9, std::byte{0xEE});
  const auto r = decode_record(raw, CheckBody::kCrc);
  ASSERT_TRUE(r) << r.error();
  EXPECT_EQ(r->total_bytes, 182);
}

TEST(Record, EveryTruncationIsShortAndNeverAGuess) {
  for (const auto& raw : {r1_bytes(), r2_bytes(), r3_values().encoded()}) {
    for (std::size_t n = 0; n < raw.size(); ++n) {
      // A copy of exactly that size, so that a sanitizer sees a read past its end.
      const std::vector<std::byte> cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(n));
      const auto r = decode_record(cut, CheckBody::kCrc);
      ASSERT_FALSE(r) << n;
      EXPECT_EQ(r.error().code(), Errc::kShort) << n << ' ' << r.error();
      if (n < 76) {
        EXPECT_FALSE(peek_store_timestamp(cut));
      }
    }
  }
}

// Goal: no flipped bit goes unseen. Method: whatever still decodes gives, encoded again with its
// own CRC, the damaged bytes; so the damage is in the values and not lost.
TEST(Record, EveryFlippedBitIsRefusedOrDecodedDifferently) {
  for (const auto& good : {r1_bytes(), r2_bytes(), r3_values().encoded()}) {
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      auto raw = good;
      raw[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      const auto r = decode_record(raw, CheckBody::kNo);
      if (!r) {
        EXPECT_NE(r.error().text(), "") << bit;
        continue;
      }
      if (r->magic != kMagicV2 || r->topic.size() > 127) {
        std::vector<std::byte> again(record_bytes(*r));
        encode_record(*r, again);
        store_be(again.data() + 8, r->body_crc);
        EXPECT_EQ(to_hex(again), to_hex(Bytes(raw).first(again.size()))) << bit;
      }
    }
  }
}

TEST(Record, EveryFlippedBitOfTheBodyOrItsCrcIsRefusedWhenChecked) {
  const auto good = r1_bytes();
  std::vector<std::size_t> places{8, 9, 10, 11};
  for (std::size_t at = 88; at < 102; ++at) places.push_back(at);
  for (const std::size_t at : places) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto raw = good;
      raw[at] ^= static_cast<std::byte>(1U << bit);
      const auto r = decode_record(raw, CheckBody::kCrc);
      ASSERT_FALSE(r) << at;
      EXPECT_EQ(r.error().code(), Errc::kCorrupt);
      EXPECT_TRUE(decode_record(raw, CheckBody::kNo)) << at;
    }
  }
}

TEST(Record, AnEmptyBodyHasNoCrcToCheck) {
  Values v = r1_values();
  v.body.clear();
  auto raw = v.encoded();
  EXPECT_EQ(load_be<std::int32_t>(raw.data() + 8), 0);
  store_be(raw.data() + 8, 77);
  EXPECT_TRUE(decode_record(raw, CheckBody::kCrc));
}

struct Damage {
  std::size_t at;
  std::int64_t value;
  int bytes;
  std::string_view text;
};

TEST(Record, ContradictingLengthsAreCorruptAndSaidWhich) {
  const std::vector<Damage> all{
      {0, 12, 4, "record of 12 bytes, expected 91 or more"},
      {0, -182, 4, "record of -182 bytes, expected 91 or more"},
      {0, 181, 4, "record of 181 bytes, its fields add up to 182"},
      {0, 183, 4, "record of 183 bytes, its fields add up to 182"},
      {84, -1, 4, "body of -1 bytes in a record of 182"},
      {84, 0x7FFFFFFF, 4, "body of 2147483647 bytes in a record of 182"},
      {84, 15, 4, ""},
      {102, -1, 1, "topic of -1 bytes in a record of 182 with 14 bytes of body"},
      {102, 127, 1, "topic of 127 bytes in a record of 182 with 14 bytes of body"},
      {112, -1, 2, "properties of -1 bytes"},
      {112, 67, 2, "record of 182 bytes, its fields add up to 181"},
      {112, 32767, 2, "record of 182 bytes, its fields add up to 32881"},
      {36, kFlagStoreHostV6, 4, ""},
      {36, kFlagBornHostV6, 4, ""},
  };
  for (const Damage& damage : all) {
    auto raw = r1_bytes();
    raw.resize(183);
    if (damage.bytes == 1) store_be(raw.data() + damage.at, static_cast<std::int8_t>(damage.value));
    if (damage.bytes == 2)
      store_be(raw.data() + damage.at, static_cast<std::int16_t>(damage.value));
    if (damage.bytes == 4)
      store_be(raw.data() + damage.at, static_cast<std::int32_t>(damage.value));
    const auto r = decode_record(raw, CheckBody::kCrc);
    ASSERT_FALSE(r) << damage.at << ' ' << damage.value;
    EXPECT_EQ(r.error().code(), Errc::kCorrupt) << r.error();
    if (!damage.text.empty()) {
      EXPECT_EQ(r.error().text(), damage.text);
    }
  }
}

TEST(Record, TheSmallestRecordDecodesAndHostBitsMakeItTooSmall) {
  Values v;
  auto raw = v.encoded();
  EXPECT_EQ(raw.size(), kRecordBytesMin);
  EXPECT_TRUE(decode_record(raw, CheckBody::kCrc));
  store_be(raw.data() + 36, kFlagStoreHostV6);
  const auto r = decode_record(raw, CheckBody::kCrc);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().to_string(),
            "kCorrupt: record of 91 bytes, with hosts as sysFlag 0x20 says expected 103 or more");
}

TEST(Record, BlanksAndNoiseAreNoRecords) {
  std::array<std::byte, kBlankHeadBytes> blank{};
  encode_blank(100, blank);
  EXPECT_EQ(to_hex(blank), "00000064cbd43194");
  EXPECT_EQ(record_kind(blank), RecordKind::kBlank);
  EXPECT_EQ(record_kind(Bytes(blank).first(7)), RecordKind::kNone);
  EXPECT_EQ(record_kind(r1_bytes()), RecordKind::kMessage);
  EXPECT_EQ(record_kind(r3_values().encoded()), RecordKind::kMessage);
  const std::vector<std::byte> zeros(200);
  EXPECT_EQ(record_kind(zeros), RecordKind::kNone);
  EXPECT_EQ(decode_record(blank, CheckBody::kNo).error().to_string(),
            "kNotFound: blank of 100 bytes");
  EXPECT_EQ(decode_record(zeros, CheckBody::kNo).error().code(), Errc::kNotFound);
  EXPECT_EQ(peek_store_timestamp(zeros).error().code(), Errc::kNotFound);
}

TEST(Record, HeadBodyAndTailTogetherAreTheRecord) {
  for (const Values& v : {r1_values(), r2_values(), r3_values()}) {
    Record r = v.record;
    r.body = as_bytes(v.body);
    r.topic = v.topic;
    r.properties = v.properties;
    r.queue_offset = QueueOffset(99);
    r.physical_offset = PhysicalOffset(98);
    r.store_timestamp_ms = 97;
    std::vector<std::byte> head(record_head_bytes(r));
    std::vector<std::byte> tail(record_tail_bytes(r));
    encode_record_head(r, crc32_masked(r.body), head);
    encode_record_tail(r, tail);
    patch_record_head(head, v.record.queue_offset, v.record.physical_offset,
                      v.record.store_timestamp_ms);
    EXPECT_EQ(to_hex(head) + to_hex(r.body) + to_hex(tail), to_hex(v.encoded()));
  }
}

TEST(Record, WhatDoesNotFitItsLengthFieldsIsRefused) {
  Record r;
  EXPECT_TRUE(check_encodable(r));
  const std::string long_text(40'000, 'x');
  r.topic = std::string_view(long_text).substr(0, 32767);
  r.properties = std::string_view(long_text).substr(0, 32767);
  EXPECT_TRUE(check_encodable(r));
  r.topic = std::string_view(long_text).substr(0, 32768);
  EXPECT_EQ(check_encodable(r).error().text(), "topic of 32768 bytes, at most 32767 can be stored");
  r.topic = {};
  r.properties = std::string_view(long_text).substr(0, 32768);
  EXPECT_EQ(check_encodable(r).error().text(),
            "properties of 32768 bytes, at most 32767 can be stored");
  r.properties = {};
  r.body = Bytes(as_bytes(long_text).data(), 0x7FFFFFFF - 90);  // never read
  EXPECT_EQ(check_encodable(r).error().code(), Errc::kInvalid);
  r.body = r.body.first(r.body.size() - 1);
  EXPECT_TRUE(check_encodable(r));
  r.born_host.address_bytes = 5;
  EXPECT_EQ(check_encodable(r).error().text(), "address of 5 bytes, expected 4 or 16");
}

TEST(Host, ReadsAndWritesBothKindsOfAddress) {
  for (const std::string_view text : {"10.0.0.5:10911", "[fe80::1]:50001", "0.0.0.0:0"}) {
    const auto host = parse_host(text);
    ASSERT_TRUE(host) << host.error();
    EXPECT_EQ(to_string(*host), text);
  }
  EXPECT_EQ(to_string(*parse_host("10.0.0.5")), "10.0.0.5:0");
  EXPECT_EQ(to_string(*parse_host("::1")), "[::1]:0");
  EXPECT_EQ(to_string(*parse_host("[::1]")), "[::1]:0");
  EXPECT_EQ(*parse_host("[::ffff:10.0.0.5]:7"), *parse_host("10.0.0.5:7"));
  for (const std::string_view text :
       {"", ":", "10.0.0", "10.0.0.5:", "10.0.0.5:65536", "10.0.0.5:-1", "10.0.0.5:1x", "[::1",
        "[::1]1", "[]:1", "1.2.3.4.5:1", "host:1", "::1::2", "10.0.0.256:1"}) {
    EXPECT_FALSE(parse_host(text)) << text;
  }
  EXPECT_FALSE(parse_host(std::string_view("10.0.0.5\0:1", 11)));
}

}  // namespace
}  // namespace mq::format

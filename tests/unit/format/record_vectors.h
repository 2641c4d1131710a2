// Records as the reference writes them, for several tests.
#pragma once

#include <string>
#include <vector>

#include "format/record.h"
#include "support/hex.h"

namespace mq::format::test {

using mq::test::from_hex;
using mq::test::sha256_hex;
using mq::test::to_hex;

// '|' stands for 0x01 and ';' for 0x02.
inline std::string properties_of(std::string text) {
  for (char& c : text) {
    if (c == '|') c = '\x01';
    if (c == ';') c = '\x02';
  }
  return text;
}

// R1: IPv4 on both sides, first record of a store.
inline std::vector<std::byte> r1_bytes() {
  return from_hex(
      "00 00 00 b6 da a3 20 a7 69 c8 65 ed 00 00 00 03"
      "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
      "00 00 00 00 00 00 00 00 00 00 01 8b cf e5 68 00"
      "c0 a8 01 0a 00 00 c3 50 00 00 01 8b cf e5 6c d2"
      "0a 00 00 05 00 00 2a 9f 00 00 00 00 00 00 00 00"
      "00 00 00 00 00 00 00 0e 48 65 6c 6c 6f 20 52 6f"
      "63 6b 65 74 4d 51 09 54 6f 70 69 63 54 65 73 74"
      "00 44 4b 45 59 53 01 6f 72 64 65 72 2d 31 30 30"
      "31 02 55 4e 49 51 5f 4b 45 59 01 43 30 41 38 30"
      "31 30 41 31 46 39 30 31 38 42 34 41 41 43 32 30"
      "30 30 30 30 30 30 30 30 30 30 31 02 54 41 47 53"
      "01 54 61 67 41 02");
}

// R2: IPv6 born host, properties without the last 0x02, a CRC whose top bit was cleared.
inline std::vector<std::byte> r2_bytes() {
  return from_hex(
      "00 00 00 c6 da a3 20 a7 31 b3 14 5f 00 00 00 03"
      "00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00"
      "00 00 00 b6 00 00 00 10 00 00 01 8b cf e5 77 a0"
      "fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01"
      "00 00 c3 51 00 00 01 8b cf e5 7e 2e 0a 00 00 05"
      "00 00 2a 9f 00 00 00 00 00 00 00 00 00 00 00 00"
      "00 00 00 06 53 65 63 6f 6e 64 09 54 6f 70 69 63"
      "54 65 73 74 00 50 4b 45 59 53 01 6f 72 64 65 72"
      "2d 31 30 30 31 20 6f 72 64 65 72 2d 31 30 30 32"
      "02 55 4e 49 51 5f 4b 45 59 01 43 30 41 38 30 31"
      "30 41 31 46 39 30 31 38 42 34 41 41 43 32 30 30"
      "30 30 30 30 30 30 30 30 30 32 02 54 41 47 53 01"
      "e6 a0 87 e7 ad be");
}

// The values behind a record, owning what Record only views.
struct Values {
  Record record;
  std::string body;
  std::string topic;
  std::string properties;

  [[nodiscard]] std::vector<std::byte> encoded() const {
    Record r = record;
    r.body = as_bytes(body);
    r.topic = topic;
    r.properties = properties;
    std::vector<std::byte> out(record_bytes(r));
    encode_record(r, out);
    return out;
  }
};

inline Values r1_values() {
  Values v;
  v.record.queue_id = 3;
  v.record.born_timestamp_ms = 1'700'000'000'000;
  v.record.born_host = *parse_host("192.168.1.10:50000");
  v.record.store_timestamp_ms = 1'700'000'001'234;
  v.record.store_host = *parse_host("10.0.0.5:10911");
  v.body = "Hello RocketMQ";
  v.topic = "TopicTest";
  v.properties =
      properties_of("KEYS|order-1001;UNIQ_KEY|C0A8010A1F9018B4AAC2000000000001;TAGS|TagA;");
  return v;
}

inline Values r2_values() {
  Values v = r1_values();
  v.record.queue_offset = QueueOffset(1);
  v.record.physical_offset = PhysicalOffset(182);
  v.record.born_timestamp_ms = 1'700'000'004'000;
  v.record.born_host = *parse_host("[fe80::1]:50001");
  v.record.store_timestamp_ms = 1'700'000'005'678;
  v.body = "Second";
  v.properties = properties_of(
      "KEYS|order-1001 order-1002;UNIQ_KEY|C0A8010A1F9018B4AAC2000000000002;TAGS|标签");
  return v;
}

// R3: a topic too long for the first layout, IPv6 on both sides.
inline Values r3_values() {
  Values v;
  v.record.physical_offset = PhysicalOffset(380);
  v.record.born_timestamp_ms = 1'700'000'007'000;
  v.record.born_host = *parse_host("[fe80::1]:50001");
  v.record.store_timestamp_ms = 1'700'000'008'000;
  v.record.store_host = *parse_host("[2001:db8::5]:10911");
  v.record.reconsume_times = 2;
  v.body = "v2";
  v.topic = "%RETRY%" + std::string(150, 'G');
  v.properties = properties_of("KEYS|kv2;TAGS|TagA;");
  return v;
}

}  // namespace mq::format::test

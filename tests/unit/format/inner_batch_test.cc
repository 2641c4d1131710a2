// Goal: what a closed batch holds comes out as ordinary records, from the message on that was asked
// for, and nothing else changes.
#include "format/inner_batch.h"

#include <gtest/gtest.h>

#include "format/properties.h"
#include "format/record.h"

namespace mq::format {
namespace {

std::string be32(std::int64_t v) {
  std::string out(4, '\0');
  store_be(reinterpret_cast<std::byte*>(out.data()), static_cast<std::int32_t>(v));
  return out;
}
std::string item(std::string_view body, std::string_view properties) {
  std::string out = be32(0) + be32(0) + be32(7) + be32(static_cast<std::int64_t>(body.size()));
  out += body;
  out += static_cast<char>(properties.size() >> 8);
  out += static_cast<char>(properties.size());
  out += properties;
  return be32(static_cast<std::int64_t>(out.size()) + 4) + out;
}

std::string encoded(const Record& record) {
  std::string out(record_bytes(record), '\0');
  encode_record(record, MutableBytes(reinterpret_cast<std::byte*>(out.data()), out.size()));
  return out;
}

std::string plain(std::int64_t offset, std::string_view body) {
  Record r;
  r.topic = "T";
  r.queue_offset = QueueOffset(offset);
  r.body = as_bytes(body);
  return encoded(r);
}

std::string batch(std::int64_t offset, std::string_view body, int count) {
  Record r;
  r.topic = "T";
  r.queue_id = 3;
  r.queue_offset = QueueOffset(offset);
  r.physical_offset = PhysicalOffset(4711);
  r.store_timestamp_ms = 12;
  r.sys_flag = kFlagInnerBatch | kFlagNeedUnwrap;
  r.body = as_bytes(body);
  std::string properties;
  append_property(properties, kInnerNum, std::to_string(count));
  append_property(properties, kInnerBase, std::to_string(offset));
  r.properties = properties;
  return encoded(r);
}

struct Message {
  std::int64_t offset;
  std::string body;
  std::string key;
  std::int32_t flag;
  friend bool operator==(const Message&, const Message&) = default;
};
std::vector<Message> messages(Bytes records) {
  std::vector<Message> out;
  while (!records.empty()) {
    const auto r = decode_record(records, CheckBody::kCrc);
    EXPECT_TRUE(r) << r.error();
    if (!r) break;
    EXPECT_FALSE(r->is_batch());
    out.push_back({r->queue_offset.value(), std::string(as_text(r->body)),
                   std::string(find_property(r->properties, kKeys).value_or("")), r->flag});
    records = records.subspan(static_cast<std::size_t>(r->total_bytes));
  }
  return out;
}

const std::string kItems =
    item("one", "KEYS\x01k1\x02") + item("two", "KEYS\x01k2\x02") + item("three", "");

TEST(Unwrap, LeavesOrdinaryRecordsWhereTheyAre) {
  const std::string records = plain(0, "a") + plain(1, "b");
  std::string buffer;
  const Bytes out = unwrap(as_bytes(records), QueueOffset(0), buffer);
  EXPECT_EQ(out.data(), as_bytes(records).data());
  EXPECT_EQ(out.size(), records.size());
}

TEST(Unwrap, MakesARecordOfEachMessage) {
  const std::string records = plain(4, "a") + batch(5, kItems, 3) + plain(8, "b");
  std::string buffer;
  const Bytes out = unwrap(as_bytes(records), QueueOffset(0), buffer);
  EXPECT_EQ(messages(out), (std::vector<Message>{{4, "a", "", 0},
                                                 {5, "one", "k1", 7},
                                                 {6, "two", "k2", 7},
                                                 {7, "three", "", 7},
                                                 {8, "b", "", 0}}));
  const Bytes second = out.subspan(plain(4, "a").size());
  const auto first = decode_record(second, CheckBody::kCrc);
  EXPECT_EQ(first->queue_id, 3);
  EXPECT_EQ(first->physical_offset.value(), 4711);
  EXPECT_EQ(first->store_timestamp_ms, 12);
}

TEST(Unwrap, BeginsWithTheMessageAskedFor) {
  const std::string records = batch(5, kItems, 3);
  std::string buffer;
  EXPECT_EQ(messages(unwrap(as_bytes(records), QueueOffset(7), buffer)),
            (std::vector<Message>{{7, "three", "", 7}}));
}

// Whatever the items claim, nothing outside of the body is read.
TEST(Unwrap, KeepsWhatIsNoBatchAsItIs) {
  for (std::size_t cut = 1; cut < kItems.size(); ++cut) {
    const std::string records = batch(0, kItems.substr(0, cut), 3);
    std::string buffer;
    const Bytes out = unwrap(as_bytes(records), QueueOffset(0), buffer);
    ASSERT_FALSE(out.empty()) << cut;
    const auto record = decode_record(out, CheckBody::kNo);
    ASSERT_TRUE(record) << cut;
  }
  const std::string whole = plain(0, "a") + batch(1, kItems, 3);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const std::string buffer_of(whole.substr(0, cut));
    std::string buffer;
    (void)unwrap(as_bytes(buffer_of), QueueOffset(0), buffer);
  }
}

TEST(MessageCount, IsWhatABatchSaysAndOneForAllOthers) {
  const std::string three = batch(0, kItems, 3);
  const std::string none = batch(0, kItems, -3);
  const std::string one = plain(0, "a");
  EXPECT_EQ(message_count(*decode_record(as_bytes(three), CheckBody::kNo)), 3);
  EXPECT_EQ(message_count(*decode_record(as_bytes(none), CheckBody::kNo)), 1);
  EXPECT_EQ(message_count(*decode_record(as_bytes(one), CheckBody::kNo)), 1);
}

}  // namespace
}  // namespace mq::format

// Queues of batches: entries are packed and stand for records with several messages.
#include <gtest/gtest.h>

#include "format/batch_queue_entry.h"
#include "format/checkpoint.h"
#include "format/names.h"
#include "format/properties.h"
#include "support/fault_fs.h"
#include "support/store_image.h"
#include "verified.h"

namespace mq::inspect {
namespace {

using mq::test::FaultFs;
using mq::test::StoreImage;
using test::Verified;
using test::verify_all;

constexpr std::size_t kLogBytes = 16 << 10;
constexpr std::size_t kEntryBytes = format::BatchQueueEntry::kEncodedBytes;
constexpr std::int64_t kStoredMs = 1'700'000'000'000;
const std::string kQueue = "batchconsumequeue/B/0/" + format::stream_file_name(0);
const std::string kLog = "commitlog/" + format::stream_file_name(0);

template <typename Value>
std::string encoded(const Value& value) {
  std::array<std::byte, Value::kEncodedBytes> out{};
  encode(value, out);
  return std::string(as_text(out));
}

// Every other record is a batch of three, the others are plain messages.
StoreImage make_store(int records) {
  std::string log;
  std::string queue;
  std::int64_t next = 0;
  for (int i = 0; i < records; ++i) {
    const bool is_batch = i % 2 == 0;
    const std::int16_t count = is_batch ? 3 : 1;
    std::string properties;
    if (is_batch) {
      format::append_property(properties, format::kInnerNum, std::to_string(count));
      format::append_property(properties, format::kInnerBase, std::to_string(next));
    }
    format::append_property(properties, format::kTags, "TagA");
    const std::string body = "body " + std::to_string(i);
    format::Record record;
    record.topic = "B";
    record.body = as_bytes(body);
    record.properties = properties;
    record.queue_offset = QueueOffset(next);
    record.physical_offset = PhysicalOffset(static_cast<std::int64_t>(log.size()));
    record.store_timestamp_ms = kStoredMs + i;
    if (is_batch) record.sys_flag = format::kFlagInnerBatch | format::kFlagNeedUnwrap;
    std::vector<std::byte> raw(format::record_bytes(record));
    format::encode_record(record, raw);
    queue += encoded(format::BatchQueueEntry{
        .commitlog_offset = record.physical_offset,
        .record_bytes = static_cast<std::int32_t>(raw.size()),
        .tag_code = 2598919,
        .store_timestamp_ms = record.store_timestamp_ms,
        .base = QueueOffset(next),
        .count = count,
    });
    log += as_text(raw);
    next += count;
  }
  log.resize(kLogBytes);
  queue.resize(kEntryBytes * 100);
  StoreImage image;
  image.files[kLog] = log;
  image.files[kQueue] = queue;
  image.files["checkpoint"] = encoded(format::Checkpoint{
      .physic_timestamp_ms = kStoredMs, .logics_timestamp_ms = kStoredMs, .index_timestamp_ms = 0});
  image.files["config/topics.json"] =
      R"({"topicConfigTable":{"B":{"attributes":{"queue.type":"BatchCQ"}}}})";
  return image;
}

class BatchStore : public testing::Test {
 protected:
  Verified verified(const StoreImage& image) {
    image.write(fs_, "/s");
    return verify_all(fs_, "/s");
  }
  // Of the one finding that is expected.
  void expect_one(const StoreImage& image, const std::string& file, std::int64_t at,
                  const std::string& what) {
    const Verified all = verified(image);
    ASSERT_EQ(all.findings.size(), 1U) << all.text();
    EXPECT_EQ(all.findings[0].severity, Severity::kDamage);
    EXPECT_EQ(all.findings[0].file, "/s/" + file);
    EXPECT_EQ(all.findings[0].at, at);
    EXPECT_NE(all.findings[0].what.find(what), std::string::npos) << all.findings[0].what;
  }
  FaultFs fs_{1};
  StoreImage image_ = make_store(20);
};

TEST_F(BatchStore, IsSilentWhenEachRecordHasItsEntry) {
  const Verified all = verified(image_);
  EXPECT_EQ(all.text(), "");
  EXPECT_EQ(all.summary.queue_entries, 20);
  EXPECT_EQ(all.summary.queues, 1);
}

TEST_F(BatchStore, SaysWhichEntryIsNotThatOfItsRecord) {
  for (const std::size_t at : {11, 19, 27, 35, 37, 45}) {
    SCOPED_TRACE(at);
    StoreImage image = image_;
    image.files[kQueue][5 * kEntryBytes + at] ^= 4;
    expect_one(image, kQueue, 5 * kEntryBytes, "not that of its record");
  }
}

TEST_F(BatchStore, SaysThatTheLastEntriesAreMissingAndThatThereAreTooMany) {
  StoreImage image = image_;
  image.files[kQueue].replace(17 * kEntryBytes, 3 * kEntryBytes,
                              std::string(3 * kEntryBytes, '\0'));
  expect_one(image, kQueue, 17 * kEntryBytes, "3 records without an entry");
  image = image_;
  image.files[kQueue].replace(20 * kEntryBytes, kEntryBytes,
                              encoded(format::BatchQueueEntry{
                                  .commitlog_offset = PhysicalOffset(9000), .record_bytes = 100}));
  expect_one(image, kQueue, 20 * kEntryBytes, "point at no record");
}

TEST_F(BatchStore, SaysThatAFileIsShortAndThatAllAreGone) {
  StoreImage image = image_;
  image.files[kQueue.substr(0, kQueue.rfind('0')) + "x"] = "foreign";
  EXPECT_EQ(verified(image).summary.damage, 1);
  image = image_;
  image.files["batchconsumequeue/B/1/" + format::stream_file_name(0)] = std::string(4600, '\0');
  image.files["batchconsumequeue/B/2/" + format::stream_file_name(0)] = std::string(4600, '\0');
  image.files[kQueue].resize(2300);
  expect_one(image, kQueue, 2300, "another length");
  image.files.erase(kQueue);
  expect_one(image, "batchconsumequeue/B/0", -1, "no such queue");
}

TEST_F(BatchStore, SaysThatANumberIsWrong) {
  StoreImage image = image_;
  // The base of the second batch, in the record's properties.
  const std::size_t at = image.files[kLog].find(
      "INNER_BASE\x01"
      "4");
  ASSERT_NE(at, std::string::npos);
  image.files[kLog][at + 11] = '5';
  const Verified all = verified(image);
  EXPECT_GE(all.summary.damage, 2) << all.text();
}

TEST(BatchQueueEntry, DecodesAndEncodesTheBytesOfTheReference) {
  const format::BatchQueueEntry entry{.commitlog_offset = PhysicalOffset(686),
                                      .record_bytes = 261,
                                      .tag_code = 0,
                                      .store_timestamp_ms = 1700000006001,
                                      .base = QueueOffset(0),
                                      .count = 2};
  const unsigned char bytes[] = {0, 0, 0, 0, 0, 0, 2,    0xae, 0,    0,    1,    5,    0, 0, 0, 0,
                                 0, 0, 0, 0, 0, 0, 1,    0x8b, 0xcf, 0xe5, 0x7f, 0x71, 0, 0, 0, 0,
                                 0, 0, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0,    0,    0, 0};
  const Bytes raw = std::as_bytes(std::span(bytes));
  EXPECT_EQ(encoded(entry), as_text(raw));
  EXPECT_EQ(format::decode_batch_queue_entry(raw).value(), entry);
  for (std::size_t n = 0; n < raw.size(); ++n)
    EXPECT_EQ(format::decode_batch_queue_entry(raw.first(n)).error().code(), Errc::kShort);
  const std::vector<std::byte> zeros(kEntryBytes);
  EXPECT_EQ(format::decode_batch_queue_entry(zeros).error().code(), Errc::kNotFound);
}

}  // namespace
}  // namespace mq::inspect

// Goal: a queue of batches finds every message, in memory and in files, gives up no entry that the
// log bears out, and keeps none that it does not.
// Method: small files on a file system in memory, whose bytes are changed where a crash would.
#include "store/batch_queue.h"

#include <array>

#include <gtest/gtest.h>

#include "format/names.h"
#include "support/fault_fs.h"
#include "support/manual_clock.h"
#include "unit/store/store_fixture.h"

namespace mq::store {
namespace {

using Entry = format::BatchQueueEntry;
using mq::test::FaultFs;

constexpr std::int64_t kFileBytes = 46 * 4;

// Batches of 3, each record of 100 bytes.
Entry batch(std::int64_t n) {
  return {.commitlog_offset = PhysicalOffset(n * 100),
          .record_bytes = 100,
          .tag_code = n,
          .store_timestamp_ms = 1000 + n,
          .base = QueueOffset(n * 3),
          .count = 3};
}

class BatchQueueFiles : public testing::Test {
 protected:
  std::unique_ptr<BatchQueue> open() {
    auto queue = std::make_unique<BatchQueue>(fs_, "b/T/0", kFileBytes);
    const auto done = queue->load();
    EXPECT_TRUE(done) << done.error();
    return queue;
  }
  std::unique_ptr<BatchQueue> filled(std::int64_t entries) {
    auto queue = open();
    for (std::int64_t n = 0; n < entries; ++n) queue->append(batch(n));
    EXPECT_TRUE(queue->write_out());
    EXPECT_TRUE(queue->sync());
    return queue;
  }
  static void expect_entries(BatchQueue& queue, std::int64_t from, std::int64_t to) {
    for (std::int64_t message = from * 3; message < to * 3; ++message) {
      std::array<Entry, 3> got;
      const auto count = queue.read(message, got);
      ASSERT_TRUE(count) << count.error();
      ASSERT_GT(*count, 0U) << message;
      EXPECT_EQ(got[0], batch(message / 3)) << message;
    }
    std::array<Entry, 1> got;
    EXPECT_EQ(*queue.read(to * 3, got), 0U);
  }
  static bool yes(const Entry&) { return true; }
  static std::string file(std::int64_t n) {
    return "b/T/0/" + format::stream_file_name(n * kFileBytes);
  }

  FaultFs fs_{1};
};

TEST_F(BatchQueueFiles, FindsMessagesInMemoryInFilesAndAcross) {
  auto queue = open();
  expect_entries(*queue, 0, 0);
  for (std::int64_t n = 0; n < 6; ++n) queue->append(batch(n));
  expect_entries(*queue, 0, 6);
  ASSERT_TRUE(queue->write_out());
  EXPECT_EQ(queue->pending(), 0U);
  for (std::int64_t n = 6; n < 9; ++n) queue->append(batch(n));
  expect_entries(*queue, 0, 9);
  ASSERT_TRUE(queue->write_out());
  expect_entries(*queue, 0, 9);
  EXPECT_EQ(fs_.stat(file(2))->bytes, kFileBytes);
}

TEST_F(BatchQueueFiles, IsTheSameWhenOpenedAgain) {
  filled(9);
  auto queue = open();
  EXPECT_EQ(*queue->max_physical(INT64_MAX), 900);
  EXPECT_EQ(*queue->max_physical(850), 800);
  EXPECT_FALSE(*queue->cut(INT64_MAX, yes));
  expect_entries(*queue, 0, 9);
  const auto ends = queue->ends();
  EXPECT_EQ(ends->first, 0);
  EXPECT_EQ(ends->next, 27);
  EXPECT_EQ(ends->max_physical, 900);
}

TEST_F(BatchQueueFiles, DropsWhatBeginsBehindTheLimit) {
  filled(9);
  auto queue = open();
  EXPECT_FALSE(*queue->cut(450, yes));  // of the entries that are kept, none was wrong
  expect_entries(*queue, 0, 5);
  queue->append(batch(5));
  ASSERT_TRUE(queue->write_out());
  EXPECT_FALSE(fs_.exists(file(2)));
  expect_entries(*open(), 0, 6);
}

TEST_F(BatchQueueFiles, DropsTheEndThatNoRecordBearsOut) {
  filled(9);
  auto queue = open();
  EXPECT_TRUE(*queue->cut(INT64_MAX, [](const Entry& e) { return e.base.value() < 12; }));
  expect_entries(*queue, 0, 4);
  EXPECT_FALSE(fs_.exists(file(1)));
}

TEST_F(BatchQueueFiles, EndsWhereAPageWasLost) {
  filled(9);
  const std::array<std::byte, 46> zeros{};
  ASSERT_TRUE((*fs_.open(file(1), fs::OpenMode::kReadWrite))->write_at(46, zeros));
  auto queue = open();
  EXPECT_FALSE(*queue->cut(INT64_MAX, yes));
  expect_entries(*queue, 0, 5);
  EXPECT_FALSE(fs_.exists(file(2))) << "it does not follow any more";
  for (std::int64_t n = 5; n < 9; ++n) queue->append(batch(n));
  ASSERT_TRUE(queue->write_out());
  expect_entries(*open(), 0, 9);
}

TEST_F(BatchQueueFiles, ExpiresWholeFilesButTheLast) {
  auto queue = filled(9);
  std::int64_t min = -1;
  EXPECT_EQ(*queue->expire(550, min), 1);
  EXPECT_EQ(min, 18);  // the record at 500 lies before the log's begin
  EXPECT_FALSE(fs_.exists(file(0)));
  expect_entries(*queue, 4, 9);
  EXPECT_EQ(*queue->expire(5000, min), 1);
  EXPECT_EQ(min, 27);
  EXPECT_TRUE(fs_.exists(file(2)));
  expect_entries(*open(), 8, 9);
}

TEST_F(BatchQueueFiles, IsEmptyAfterClear) {
  auto queue = filled(9);
  ASSERT_TRUE(queue->clear());
  expect_entries(*queue, 0, 0);
  EXPECT_FALSE(fs_.exists("b/T/0"));
  queue->append(batch(0));
  ASSERT_TRUE(queue->write_out());
  expect_entries(*open(), 0, 1);
}

// --- through the store ---------------------------------------------------------------------------

class BatchTopic : public testing::Test {
 protected:
  BatchTopic() {
    options_ = test::small_options(fs_, clock_, FlushMode::kAsync);
    options_.batch_queue_file_bytes = kFileBytes;
    open();
    EXPECT_TRUE(store_->mark_batch_topic("B"));
  }
  void open() {
    auto opened = MessageStore::open(options_);
    ASSERT_TRUE(opened) << opened.error();
    store_ = std::move(*opened);
  }
  // One record of so many messages; its id is "b" and the number.
  PutResult put(std::int32_t messages) {
    PutCommon common = test::common_of("B", 0);
    common.inner_messages = messages;
    const std::string properties = test::properties_of("b" + std::to_string(number_++));
    return store_->put(common,
                       {.body = as_bytes(std::string_view("items")), .properties = properties});
  }
  GetResult get(std::int64_t at, std::int32_t count_max = 32) {
    EXPECT_TRUE(store_->wait_dispatched(10'000));
    return store_->get({.topic = "B",
                        .queue_id = 0,
                        .offset = QueueOffset(at),
                        .count_max = count_max,
                        .ignore_transfer_limits = count_max > 32});
  }

  FaultFs fs_{1};
  mq::test::ManualClock clock_;
  StoreOptions options_;
  std::unique_ptr<MessageStore> store_;
  int number_ = 0;
};

TEST_F(BatchTopic, ABatchTakesAsManyNumbersAsItHasMessages) {
  EXPECT_EQ(put(5).queue_offset.value(), 0);
  EXPECT_EQ(put(3).queue_offset.value(), 5);
  EXPECT_EQ(test::put(*store_, "B", 0, "single", "s").queue_offset.value(), 8);
  const GetResult got = get(0);
  ASSERT_EQ(got.status, GetStatus::kFound);
  EXPECT_EQ(got.count, 9);
  EXPECT_EQ(got.next.value(), 9);
  EXPECT_EQ(got.max.value(), 9);
  const auto record = format::decode_record(got.spans.front().bytes, format::CheckBody::kCrc);
  ASSERT_TRUE(record) << record.error();
  EXPECT_TRUE(record->is_batch());
  EXPECT_EQ(format::find_property(record->properties, "INNER_NUM"), "5");
  EXPECT_EQ(format::find_property(record->properties, "INNER_BASE"), "0000000000000000000");
}

TEST_F(BatchTopic, AnOffsetInsideABatchFindsAllOfItAndGoesOnBehindIt) {
  for (int i = 0; i < 10; ++i) put(4);
  const GetResult got = get(6, 4);
  ASSERT_EQ(got.status, GetStatus::kFound);
  EXPECT_EQ(got.count, 4);
  EXPECT_EQ(got.next.value(), 8);
  const auto record = format::decode_record(got.spans.front().bytes, format::CheckBody::kNo);
  EXPECT_EQ(record->queue_offset.value(), 4);
  EXPECT_EQ(get(0, 6).count, 4) << "a second batch would be more than asked for";
  EXPECT_EQ(get(40).status, GetStatus::kOffsetOverflowOne);
  EXPECT_EQ(get(41).status, GetStatus::kOffsetOverflowBadly);
}

TEST_F(BatchTopic, TimesAndEntriesAreThoseOfTheRecord) {
  put(4);
  const std::int64_t first_ms = clock_.now_ms();
  clock_.advance_ms(5000);
  put(4);
  ASSERT_TRUE(store_->wait_dispatched(10'000));
  EXPECT_EQ(store_->store_time("B", 0, QueueOffset(3)), first_ms);
  EXPECT_EQ(store_->store_time("B", 0, QueueOffset(4)), first_ms + 5000);
  EXPECT_EQ(store_->offset_by_time("B", 0, first_ms + 1, Boundary::kLower).value(), 4);
  std::array<format::ConsumeQueueEntry, 10> entries;
  ASSERT_EQ(*store_->entries("B", 0, QueueOffset(2), entries), 6U);
  EXPECT_EQ(entries[1].commitlog_offset.value(), 0);
  EXPECT_GT(entries[2].commitlog_offset.value(), 0);
}

TEST_F(BatchTopic, IsThereAfterACleanExitAndAfterNone) {
  for (int i = 0; i < 10; ++i) put(3);
  ASSERT_TRUE(store_->close());
  store_.reset();
  open();
  EXPECT_TRUE(store_->recovery().clean);
  EXPECT_EQ(store_->recovery().records_dispatched, 0) << "all entries are in files";
  EXPECT_EQ(get(0).count, 30);
  EXPECT_EQ(put(3).queue_offset.value(), 30);
  ASSERT_TRUE(store_->wait_dispatched(10'000));
  store_.reset();
  open();
  EXPECT_FALSE(store_->recovery().clean);
  EXPECT_EQ(store_->max_offset("B", 0).value(), 33);
  EXPECT_EQ(get(0, 1000).count, 33);
}

TEST_F(BatchTopic, IsBuiltAnewFromTheLogAndTheListOfTopics) {
  for (int i = 0; i < 10; ++i) put(3);
  ASSERT_TRUE(store_->close());
  store_.reset();
  ASSERT_TRUE(fs::remove_tree(fs_, "store/consumequeue"));
  ASSERT_TRUE(fs::remove_tree(fs_, "store/batchconsumequeue"));
  options_.batch_topics = {"B"};
  open();
  EXPECT_EQ(get(0).count, 30);
  EXPECT_FALSE(fs_.exists("store/consumequeue/B"));
}

TEST_F(BatchTopic, MayBecomeAPlainOneWhenItIsDeleted) {
  put(3);
  ASSERT_TRUE(store_->wait_dispatched(10'000));
  ASSERT_TRUE(store_->delete_topic("B"));
  EXPECT_FALSE(fs_.exists("store/batchconsumequeue/B"));
  EXPECT_EQ(test::put(*store_, "B", 0, "plain", "p").queue_offset.value(), 0);
  EXPECT_EQ(get(0).count, 1);
  ASSERT_TRUE(store_->sync());
  EXPECT_TRUE(fs_.exists("store/consumequeue/B/0"));
}

}  // namespace
}  // namespace mq::store

// The SQL filters of groups over their life, the file that keeps them, and the Bloom bits in it.
#include "broker/consumer_filters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/long_poll.h"
#include "format/properties.h"
#include "support/golden_store.h"
#include "support/manual_clock.h"

namespace mq::broker {
namespace {

class ConsumerFiltersTest : public testing::Test {
 protected:
  ConsumerFilters open() {
    return ConsumerFilters(fs::posix(), clock_, cache_, path_, {.dead_kept_ms = 1000});
  }
  static Subscriptions sql(std::string_view topic, std::string_view expression,
                           std::int64_t version) {
    Subscription s;
    s.expression = expression;
    s.type = kSqlType;
    s.version = version;
    return {{std::string(topic), std::move(s)}};
  }

  test::TempDir dir_;
  test::ManualClock clock_;
  SqlCache cache_;
  const std::string path_ = dir_.path() + "/consumerFilter.json";
};

TEST(BloomFilter, BitsAreThoseOfTheReference) {
  const BloomFilter filter(20, 32);
  EXPECT_EQ(filter.bits(), 112);
  EXPECT_THAT(filter.bits_of("GroupA#TopicTest").positions, testing::ElementsAre(105, 17, 70));
  EXPECT_THAT(filter.bits_of("CID_x#T").positions, testing::ElementsAre(111, 23, 64));
  EXPECT_THAT(filter.bits_of("GoldenFeat-sql#GoldenFeatSql").positions,
              testing::ElementsAre(110, 40, 64));
}

TEST_F(ConsumerFiltersTest, ANewerSubscriptionReplacesAnOlderAndNotTheOtherWayRound) {
  auto filters = open();
  EXPECT_EQ(filters.find("G", "T").expression, nullptr);
  filters.subscribe("G", sql("T", "a > 1", 10));
  const auto first = filters.find("G", "T");
  EXPECT_EQ(first.client_version, 10);
  filters.subscribe("G", sql("T", "a > 2", 9));
  EXPECT_EQ(filters.find("G", "T").expression, first.expression);
  filters.subscribe("G", sql("T", "a > 1", 11));
  EXPECT_EQ(filters.find("G", "T").client_version, 11);
  filters.subscribe("G", sql("T", "a > 2", 12));
  EXPECT_NE(filters.find("G", "T").expression, first.expression);
}

TEST_F(ConsumerFiltersTest, AnExpressionThatDoesNotCompileTakesTheOlderOneAway) {
  auto filters = open();
  filters.subscribe("G", sql("T", "a > 1", 10));
  filters.subscribe("G", sql("T", "a >", 11));
  EXPECT_EQ(filters.find("G", "T").expression, nullptr);
}

TEST_F(ConsumerFiltersTest, AFilterIsForgottenLongAfterItsGroupLeft) {
  auto filters = open();
  filters.subscribe("G", sql("T", "a > 1", 10));
  filters.sweep([](auto) { return false; });
  clock_.advance_ms(1000);
  filters.sweep([](auto) { return false; });
  EXPECT_NE(filters.find("G", "T").expression, nullptr);
  filters.subscribe("G", sql("T", "a > 1", 10));  // back again
  clock_.advance_ms(1001);
  filters.sweep([](auto) { return true; });
  EXPECT_NE(filters.find("G", "T").expression, nullptr);
  filters.subscribe("G", {});  // no longer that topic
  clock_.advance_ms(1001);
  filters.sweep([](auto) { return true; });
  EXPECT_EQ(filters.find("G", "T").expression, nullptr);
}

TEST_F(ConsumerFiltersTest, TheFileIsReadBackAndUnchangedThingsAreNotWritten) {
  auto filters = open();
  ASSERT_TRUE(filters.load());
  ASSERT_TRUE(filters.flush());
  EXPECT_FALSE(fs::posix().exists(path_));
  filters.subscribe("G", sql("T", "a = 'x'", 10));
  ASSERT_TRUE(filters.flush());
  auto again = open();
  ASSERT_TRUE(again.load());
  EXPECT_EQ(again.find("G", "T").client_version, 10);
  std::string stored;
  format::append_property(stored, "a", "x");
  EXPECT_TRUE(again.find("G", "T").expression->wants(stored));
}

TEST_F(ConsumerFiltersTest, AFileOfTheReferenceIsTakenAndWrittenAsItWas) {
  const auto golden = test::GoldenStore::unpack("features");
  const std::string text = test::read_file(golden.path() + "/config/consumerFilter.json");
  const auto table = format::parse_consumer_filter_json(text);
  ASSERT_TRUE(table) << table.error();
  EXPECT_EQ(format::to_consumer_filter_json(*table), text);
  ASSERT_TRUE(fs::write_file_atomically(fs::posix(), path_, text, false));
  auto filters = open();
  ASSERT_TRUE(filters.load());
  EXPECT_NE(filters.find("GoldenFeat-sql", "GoldenFeatSql").expression, nullptr);
}

TEST_F(ConsumerFiltersTest, AFileForAnotherBloomFilterIsPassedOver) {
  auto filters = open();
  filters.subscribe("G", sql("T", "a = 'x'", 10));
  ASSERT_TRUE(filters.flush());
  ConsumerFilters other(fs::posix(), clock_, cache_, path_, {.bloom_expected = 64});
  ASSERT_TRUE(other.load());
  EXPECT_EQ(other.find("G", "T").expression, nullptr);
}

TEST_F(ConsumerFiltersTest, RetriesAreFilteredByTheirFirstTopicWhereThereIsAFilter) {
  auto filters = open();
  filters.subscribe("G", sql("T", "a = 'x'", 10));
  const auto retries = filters.retry_filter("G");
  std::string stored;
  format::append_property(stored, "RETRY_TOPIC", "Other");
  EXPECT_TRUE(retries->wants(stored));
  format::append_property(stored, "RETRY_TOPIC", "T");
  EXPECT_FALSE(retries->wants(stored));
  format::append_property(stored, "a", "x");
  EXPECT_TRUE(retries->wants(stored));
}

TEST_F(ConsumerFiltersTest, AHeldPullWakesForARecordThatItsFilterWants) {
  LongPolls polls;
  int woken = 0;
  ASSERT_TRUE(polls.hold("T", 0,
                         {.offset = 5,
                          .deadline_ms = 10,
                          .tags = {},
                          .records = *cache_.compile("a = 'x'"),
                          .wake = [&] { ++woken; }}));
  std::string stored;
  format::append_property(stored, "a", "y");
  store::Arrival arrival{.topic = "T", .queue_id = 0, .next = QueueOffset(6), .properties = stored};
  polls.on_arrival(arrival, 0);
  EXPECT_EQ(woken, 0);
  format::append_property(stored, "a", "x");
  arrival.properties = stored;
  polls.on_arrival(arrival, 0);
  EXPECT_EQ(woken, 1);
}

}  // namespace
}  // namespace mq::broker

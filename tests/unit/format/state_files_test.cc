// The JSON state files: what the reference wrote, read and written again.
#include "format/state_files.h"

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

#include "support/golden_store.h"

namespace mq::format {
namespace {

using mq::test::GoldenStore;

TEST(Topics, AreReadWithDefaultsAndWrittenAgain) {
  const auto table = parse_topics_json(
      R"({"dataVersion":{"counter":3,"stateVersion":0,"timestamp":1700000000000},
 "topicConfigTable":{
  "OrdersX":{"attributes":{"message.type":"FIFO"},"order":false,"perm":6,"readQueueNums":4,
             "topicFilterType":"SINGLE_TAG","topicName":"OrdersX","topicSysFlag":0,"writeQueueNums":4},
  "Bare":{},"Odd":{"perm":"2","order":"true","readQueueNums":99999999999,"later":[1]}},"newer":{"a":1}})");
  ASSERT_TRUE(table) << table.error();
  EXPECT_EQ(table->version, (DataVersion{0, 1'700'000'000'000, 3}));
  ASSERT_EQ(table->topics.size(), 3U);
  const TopicConfig& orders = table->topics.at("OrdersX");
  EXPECT_EQ(orders.name, "OrdersX");
  EXPECT_EQ(orders.read_queues, 4);
  EXPECT_EQ(orders.attributes, (std::map<std::string, std::string>{{"message.type", "FIFO"}}));
  TopicConfig bare;
  bare.name = "Bare";
  EXPECT_EQ(table->topics.at("Bare"), bare);
  const TopicConfig& odd = table->topics.at("Odd");
  EXPECT_EQ(odd.perm, kPermWrite);
  EXPECT_TRUE(odd.order);
  EXPECT_EQ(odd.read_queues, 16) << "what does not fit is the default";
  EXPECT_EQ(odd.extra, json::object({{"later", json::array{1}}}));

  const auto again = parse_topics_json(to_topics_json(*table));
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(again->version, table->version);
  EXPECT_EQ(again->topics, table->topics);
  EXPECT_EQ(again->extra, json::object({{"newer", {{"a", 1}}}}));
}

TEST(Topics, AreWrittenAsTheReferenceWritesThem) {
  TopicTable table;
  table.version = {0, 1'700'000'000'000, 3};
  TopicConfig& topic = table.topics["T"];
  topic.name = "T";
  EXPECT_EQ(to_topics_json(table),
            "{\n\t\"dataVersion\":{\n\t\t\"counter\":3,\n\t\t\"stateVersion\":0,\n"
            "\t\t\"timestamp\":1700000000000\n\t},\n\t\"topicConfigTable\":{\n\t\t\"T\":{\n"
            "\t\t\t\"attributes\":{},\n\t\t\t\"order\":false,\n\t\t\t\"perm\":6,\n"
            "\t\t\t\"readQueueNums\":16,\n\t\t\t\"topicFilterType\":\"SINGLE_TAG\",\n"
            "\t\t\t\"topicName\":\"T\",\n\t\t\t\"topicSysFlag\":0,\n\t\t\t\"writeQueueNums\":16\n"
            "\t\t}\n\t}\n}");
}

TEST(ConsumerOffsets, HaveBareIntegerKeys) {
  const auto offsets = parse_consumer_offset_json(
      R"({"dataVersion":{"counter":3,"stateVersion":0,"timestamp":1700000000000},
 "groupTopicMap":{"GidX":["OrdersX"]},"lmqOffsetTable":{"%LMQ%a@%LMQ%a":5},
 "offsetTable":{"OrdersX@GidX":{0:12,1:7},"Empty@GidX":{}}})");
  ASSERT_TRUE(offsets) << offsets.error();
  EXPECT_EQ(offsets->offsets.at("OrdersX@GidX"),
            (std::map<std::int32_t, std::int64_t>{{0, 12}, {1, 7}}));
  const auto again = parse_consumer_offset_json(to_consumer_offset_json(*offsets));
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(again->version, offsets->version);
  EXPECT_EQ(again->offsets, offsets->offsets);
  EXPECT_EQ(again->extra, json::object());
}

TEST(ConsumerOffsets, OfLightGroupsStandApartWhereTheyDid) {
  auto offsets = parse_consumer_offset_json(
      R"({"lmqOffsetTable":{"%LMQ%a@%LMQ%g":5},"offsetTable":{"%LMQ%a@plain":{0:7},"T@%LMQ%g":{1:2}}})");
  ASSERT_TRUE(offsets) << offsets.error();
  EXPECT_EQ(offsets->offsets.at("%LMQ%a@%LMQ%g").at(0), 5);
  const auto text = to_consumer_offset_json(*offsets);
  const auto file = parse_json(text).value().get_object();
  EXPECT_EQ(file.at("lmqOffsetTable"), json::value({{"%LMQ%a@%LMQ%g", 5}}));
  EXPECT_EQ(file.at("offsetTable").get_object().size(), 2U);

  offsets->has_light_table = false;
  EXPECT_FALSE(parse_json(to_consumer_offset_json(*offsets))
                   .value()
                   .get_object()
                   .contains("lmqOffsetTable"));
  EXPECT_EQ(parse_consumer_offset_json(to_consumer_offset_json(*offsets))->offsets,
            offsets->offsets);
  EXPECT_FALSE(parse_consumer_offset_json(R"({"lmqOffsetTable":{"%LMQ%a@%LMQ%g":"x"}})"));
}

TEST(DelayOffsets, AreByLevel) {
  const auto offsets =
      parse_delay_offset_json(R"({"dataVersion":{"counter":1},"offsetTable":{1:3,"3":"9"}})");
  ASSERT_TRUE(offsets) << offsets.error();
  EXPECT_EQ(offsets->offsets, (std::map<std::int32_t, std::int64_t>{{1, 3}, {3, 9}}));
  EXPECT_EQ(offsets->version.counter, 1);
  EXPECT_EQ(parse_delay_offset_json(to_delay_offset_json(*offsets))->offsets, offsets->offsets);
}

TEST(Groups, AreReadWithDefaultsAndWrittenAgain) {
  const auto table = parse_subscription_group_json(
      R"({"dataVersion":{"counter":3,"stateVersion":0,"timestamp":1700000000000},
 "forbiddenTable":{"GidX":{"OrdersX":4}},
 "subscriptionGroupTable":{
  "GidX":{"attributes":{"a":"b"},"brokerId":0,"consumeBroadcastEnable":false,"consumeEnable":true,"consumeFromMinEnable":true,
    "consumeMessageOrderly":true,"consumeTimeoutMinute":15,"groupName":"GidX",
    "groupRetryPolicy":{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":5000,"max":7200000,"multiplier":2}},
    "groupSysFlag":0,"notifyConsumerIdsChangedEnable":true,"retryMaxTimes":-1,"retryQueueNums":2,
    "subscriptionDataSet":[{"topic":"T","expression":"*"}],
    "whichBrokerWhenConsumeSlowly":1,"newer":true},
  "Bare":{}}})");
  ASSERT_TRUE(table) << table.error();
  const GroupConfig& group = table->groups.at("GidX");
  EXPECT_FALSE(group.consume_broadcast_enable);
  EXPECT_TRUE(group.consume_message_orderly);
  EXPECT_EQ(group.retry_max_times, -1);
  EXPECT_EQ(
      group.retry_policy_json,
      R"({"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":5000,"max":7200000,"multiplier":2}})");
  EXPECT_EQ(group.subscription_data_json, R"([{"topic":"T","expression":"*"}])");
  EXPECT_EQ(table->forbidden.at("GidX").at("OrdersX"), 4);
  GroupConfig bare;
  bare.name = "Bare";
  EXPECT_EQ(table->groups.at("Bare"), bare);

  const auto again = parse_subscription_group_json(to_subscription_group_json(*table));
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(again->forbidden, table->forbidden);
  EXPECT_EQ(again->groups.at("Bare"), bare);
  EXPECT_EQ(again->groups.at("GidX").attributes, group.attributes);
  EXPECT_EQ(*parse_json(again->groups.at("GidX").retry_policy_json),
            *parse_json(group.retry_policy_json));
  EXPECT_EQ(again->groups.at("GidX").extra, json::object({{"newer", true}}));
}

TEST(StateFiles, EmptyObjectsAreEmptyTables) {
  EXPECT_TRUE(parse_topics_json("{}")->topics.empty());
  EXPECT_TRUE(parse_consumer_offset_json("{}")->offsets.empty());
  EXPECT_TRUE(parse_delay_offset_json("{}")->offsets.empty());
  EXPECT_TRUE(parse_subscription_group_json("{}")->groups.empty());
}

TEST(StateFiles, SayWhatIsWrongInThem) {
  EXPECT_EQ(parse_topics_json("").error().text(), "JSON at byte 0: expected a value");
  EXPECT_EQ(parse_topics_json("[]").error().text(), "state file: expected an object");
  EXPECT_EQ(parse_topics_json("{topicConfigTable:[]}").error().text(),
            "topicConfigTable: expected an object");
  EXPECT_EQ(parse_topics_json("{topicConfigTable:{T:3}}").error().text(),
            "topicConfigTable: T: expected an object");
  EXPECT_EQ(parse_topics_json("{dataVersion:3}").error().text(), "dataVersion: expected an object");
  EXPECT_EQ(parse_consumer_offset_json("{offsetTable:{'t@g':{x:1}}}").error().text(),
            "offsetTable: t@g: 'x': expected a number");
  EXPECT_EQ(parse_consumer_offset_json("{offsetTable:{'t@g':{1:x}}}").error().code(),
            Errc::kCorrupt);
  EXPECT_EQ(parse_consumer_offset_json("{offsetTable:{'t@g':{1:'x'}}}").error().text(),
            "offsetTable: t@g: value of 1: expected a number");
  EXPECT_EQ(parse_consumer_offset_json("{offsetTable:{'t@g':3}}").error().text(),
            "offsetTable: t@g: expected an object");
  EXPECT_EQ(parse_subscription_group_json("{forbiddenTable:{g:1}}").error().text(),
            "forbiddenTable: g: expected an object");
}

TEST(DataVersion, GrowsWithEachChange) {
  DataVersion version;
  const DataVersion before = version;
  version.bump(5);
  EXPECT_EQ(version, (DataVersion{0, 5, 1}));
  EXPECT_LT(before, version);
}

// The typed readers keep all that stands in a file of the reference, but the derived map.
std::string rewritten(std::string_view name, const std::string& text) {
  if (name.starts_with("topics.json")) return to_topics_json(*parse_topics_json(text));
  if (name.starts_with("consumerOffset.json"))
    return to_consumer_offset_json(*parse_consumer_offset_json(text));
  if (name.starts_with("delayOffset.json"))
    return to_delay_offset_json(*parse_delay_offset_json(text));
  if (name.starts_with("subscriptionGroup.json"))
    return to_subscription_group_json(*parse_subscription_group_json(text));
  return to_pretty_json(*parse_json(text));
}

TEST(StateFiles, OfTheReferenceParseAndKeepTheirContentsWhenWrittenAgain) {
  for (const char* name : {"basic", "crash", "rolled", "features", "defaults"}) {
    const GoldenStore store = GoldenStore::unpack(name);
    int seen = 0;
    for (const std::string& path : mq::test::files_below(store.path() + "/config")) {
      const std::string file = path.substr(path.rfind('/') + 1);
      if (file == "timercheck") continue;  // binary
      SCOPED_TRACE(path);
      const std::string text = mq::test::read_file(path);
      auto before = parse_json(text);
      ASSERT_TRUE(before) << before.error();
      before->as_object().erase("groupTopicMap");
      const auto after = parse_json(rewritten(file, text));
      ASSERT_TRUE(after) << after.error();
      EXPECT_EQ(*after, *before);
      ++seen;
    }
    EXPECT_GE(seen, 5) << name;
  }
}

}  // namespace
}  // namespace mq::format

// JSON bodies both ways: as the reference writes them, as we write them, and broken.
#include <gtest/gtest.h>

#include "wire/route.h"
#include "wire/topic_body.h"

namespace mq::wire {
namespace {

constexpr std::string_view kRoute =
    R"({"brokerDatas":[{"brokerAddrs":{0:"172.17.0.1:10911",1:"172.17.0.2:10911"},"brokerName":"broker-a",)"
    R"("cluster":"DefaultCluster","enableActingMaster":false}],"filterServerTable":{},)"
    R"("queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]})";
const TopicRouteData kRouteValue{
    .brokers = {{.cluster = "DefaultCluster",
                 .name = "broker-a",
                 .addrs = {{0, "172.17.0.1:10911"}, {1, "172.17.0.2:10911"}}}},
    .queues = {{.broker_name = "broker-a", .read_queues = 4, .write_queues = 4, .perm = 6}}};

std::string with_quoted_ids(std::string_view text) {
  std::string out(text);
  for (const char* id : {"{0:", ",1:"})
    if (const auto at = out.find(id); at != std::string::npos)
      out.replace(at + 1, 2, std::string("\"") + id[1] + "\":");
  return out;
}

TEST(Route, ReadsBareAndQuotedIdsAndWritesThemQuotedWithoutBlanks) {
  for (const std::string& text : {std::string(kRoute), with_quoted_ids(kRoute)}) {
    const auto route = decode_topic_route(text);
    ASSERT_TRUE(route) << route.error();
    EXPECT_EQ(*route, kRouteValue);
  }
  EXPECT_EQ(encode_topic_route(kRouteValue), with_quoted_ids(kRoute));
}

TEST(Route, KeepsTheOrderConfigurationAndToleratesWhatItDoesNotKnow) {
  TopicRouteData route = kRouteValue;
  route.order_topic_conf = "broker-a:4";
  EXPECT_EQ(*decode_topic_route(encode_topic_route(route)), route);
  const auto odd = decode_topic_route(R"({"queueDatas":null,"brokerDatas":[{}],"later":[1]})");
  ASSERT_TRUE(odd) << odd.error();
  EXPECT_EQ(odd->brokers.size(), 1U);
}

TEST(Route, RefusesEveryTruncationAndIdsThatAreNotNumbers) {
  for (std::size_t n = 0; n < kRoute.size(); ++n) {
    const auto route = decode_topic_route(kRoute.substr(0, n));
    ASSERT_FALSE(route) << n;
    EXPECT_EQ(route.error().code(), Errc::kCorrupt);
  }
  EXPECT_FALSE(decode_topic_route("[]"));
  EXPECT_FALSE(decode_topic_route(R"({"brokerDatas":[{"brokerAddrs":{"x":"a:1"}}]})"));
}

TEST(Route, NoFlippedBitDoesHarm) {
  for (std::size_t bit = 0; bit < kRoute.size() * 8; ++bit) {
    std::string flipped(kRoute);
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    if (const auto route = decode_topic_route(flipped)) (void)encode_topic_route(*route);
  }
}

TEST(ClusterInfo, ReadsTheReferencesAndWritesTheSameQuoted) {
  constexpr std::string_view kText =
      R"({"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"h:1",1:"h:2"},"brokerName":"broker-a",)"
      R"("cluster":"DefaultCluster","enableActingMaster":false}},)"
      R"("clusterAddrTable":{"DefaultCluster":["broker-a"]}})";
  const auto info = decode_cluster_info(kText);
  ASSERT_TRUE(info) << info.error();
  ASSERT_EQ(info->brokers.count("broker-a"), 1U);
  EXPECT_EQ(info->brokers.at("broker-a").addrs.at(1), "h:2");
  EXPECT_EQ(info->clusters.at("DefaultCluster"), std::vector<std::string>{"broker-a"});
  EXPECT_EQ(encode_cluster_info(*info), with_quoted_ids(kText));
  EXPECT_EQ(*decode_cluster_info(encode_cluster_info(*info)), *info);
}

TEST(TopicStats, ReadsRawObjectKeysAndTheSameTextQuoted) {
  const TopicStats stats{.queues = {{.topic = "T",
                                     .broker_name = "b",
                                     .queue_id = 3,
                                     .min_offset = 1,
                                     .max_offset = 9,
                                     .last_update_timestamp_ms = 1700000000000}},
                         .put_tps = 0.5};
  const auto raw = decode_topic_stats(
      R"({"offsetTable":{{"brokerName":"b","queueId":3,"topic":"T"}:)"
      R"({"lastUpdateTimestamp":1700000000000,"maxOffset":9,"minOffset":1}},"topicPutTps":0.5})");
  ASSERT_TRUE(raw) << raw.error();
  EXPECT_EQ(*raw, stats);
  const std::string text = encode_topic_stats(stats);
  EXPECT_NE(text.find(R"("{\"brokerName\":\"b\",\"queueId\":3,\"topic\":\"T\"}":{)"), text.npos)
      << text;
  EXPECT_EQ(*decode_topic_stats(text), stats);
  EXPECT_FALSE(decode_topic_stats(R"({"offsetTable":{"T":{}}})"));
}

TEST(TopicConfig, RoundTripsAloneInAListAndInATable) {
  const TopicConfig config{.name = "标签",
                           .read_queues = 4,
                           .write_queues = 2,
                           .perm = 2,
                           .sys_flag = 1,
                           .order = true,
                           .attributes = {{"message.type", "FIFO"}}};
  EXPECT_EQ(
      encode_topic_config(config),
      R"({"attributes":{"message.type":"FIFO"},"order":true,"perm":2,"readQueueNums":4,)"
      R"("topicFilterType":"SINGLE_TAG","topicName":"标签","topicSysFlag":1,"writeQueueNums":2})");
  EXPECT_EQ(*decode_topic_config(encode_topic_config(config)), config);
  EXPECT_EQ(*decode_topic_config_list(encode_topic_config_list({config, config})),
            (std::vector{config, config}));
  const TopicTable table{
      .version = {.counter = 3, .state_version = 1, .timestamp_ms = 1700000000000},
      .topics = {{config.name, config}}};
  EXPECT_EQ(*decode_topic_table(encode_topic_table(table)), table);
}

TEST(Tables, RoundTrip) {
  const TopicList list{.topics = {"A", "B"}, .broker_addr = "h:10911"};
  EXPECT_EQ(encode_topic_list(list), R"({"brokerAddr":"h:10911","topicList":["A","B"]})");
  EXPECT_EQ(*decode_topic_list(encode_topic_list(list)), list);
  EXPECT_EQ(encode_topic_list({}), R"({"topicList":[]})");
  const KvTable table{{"putTps", "0.0 0.0 0.0"}, {"brokerVersion", "479"}};
  EXPECT_EQ(encode_kv_table(table), R"({"table":{"brokerVersion":"479","putTps":"0.0 0.0 0.0"}})");
  EXPECT_EQ(*decode_kv_table(encode_kv_table(table)), table);
  EXPECT_EQ(decode_kv_table(R"({"table":{"n":12}})")->at("n"), "12");
  EXPECT_FALSE(decode_kv_table("null"));
}

}  // namespace
}  // namespace mq::wire

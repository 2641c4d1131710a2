// Bodies about consumers: locks, who is on line, how far they are (remoting.md 6.7, 6.8, 9, 13.4).
#include <deque>
#include <limits>

#include <gtest/gtest.h>

#include "wire/client_view.h"
#include "wire/consume_stats.h"
#include "wire/consumer_offset.h"
#include "wire/queue_lock.h"

namespace mq::wire {
namespace {

const MessageQueue kQueue{.topic = "T", .broker_name = "b-a", .queue_id = 2};

TEST(QueueLock, IsReadAsClientsSendIt) {
  const auto request = decode_queue_lock_request(
      R"({"clientId":"c","consumerGroup":"CG","mqSet":[{"brokerName":"b-a","queueId":2,"topic":"T"}]})");
  ASSERT_TRUE(request) << request.error();
  const QueueLockRequest expected{.group = "CG", .client_id = "c", .queues = {kQueue}};
  EXPECT_EQ(*request, expected);
  EXPECT_EQ(*decode_queue_lock_request(encode_queue_lock_request(expected)), expected);
}

TEST(QueueLock, TheAnswerListsWhatWasGranted) {
  const std::string body = encode_queue_lock_response({kQueue});
  EXPECT_EQ(body, R"({"lockOKMQSet":[{"brokerName":"b-a","queueId":2,"topic":"T"}]})");
  EXPECT_EQ(*decode_queue_lock_response(body), std::vector<MessageQueue>{kQueue});
  EXPECT_EQ(encode_queue_lock_response({}), R"({"lockOKMQSet":[]})");
}

TEST(ClientView, ConsumerIdsAreAListOfTexts) {
  EXPECT_EQ(encode_consumer_ids({"a", "b"}), R"({"consumerIdList":["a","b"]})");
  EXPECT_EQ(*decode_consumer_ids(R"({"consumerIdList":["a"]})"), std::vector<std::string>{"a"});
}

TEST(ClientView, ConsumerConnectionsAreAsTheReferenceWritesThem) {
  ConsumerConnections view;
  view.connections = {
      {.client_id = "c", .address = "10.0.0.1:5", .language = "GO", .version = 317}};
  view.subscriptions["T"] = {.topic = "T", .expression = "A", .version = 5};
  const std::string body = encode_consumer_connections(view);
  EXPECT_EQ(
      body,
      R"({"connectionSet":[{"clientAddr":"10.0.0.1:5","clientId":"c","language":"GO","version":317}],)"
      R"("consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING",)"
      R"("subscriptionTable":{"T":{"classFilterMode":false,"codeSet":[65],"expressionType":"TAG","subString":"A",)"
      R"("subVersion":5,"tagsSet":["A"],"topic":"T"}}})");
  view.conflicts = {"a line"};
  const auto again = decode_consumer_connections(encode_consumer_connections(view));
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(*again, view);
}

TEST(ClientView, ProducersAndGroupsSurviveTheWayThereAndBack) {
  const ClientConnection connection{
      .client_id = "c", .address = "10.0.0.1:5", .language = "JAVA", .version = 479};
  EXPECT_EQ(*decode_producer_connections(encode_producer_connections({connection})),
            std::vector<ClientConnection>{connection});
  const ProducerTable table{{"PG", {{.connection = connection, .last_update_ms = 7}}}};
  EXPECT_EQ(encode_producer_table(table),
            R"({"data":{"PG":[{"clientId":"c","language":"JAVA","lastUpdateTimestamp":7,)"
            R"("remoteIP":"/10.0.0.1:5","version":479}]}})");
  EXPECT_EQ(*decode_producer_table(encode_producer_table(table)), table);
  EXPECT_EQ(encode_group_list({"A"}), R"({"groupList":["A"]})");
  EXPECT_EQ(*decode_group_list(R"({"groupList":["A"]})"), std::vector<std::string>{"A"});
}

TEST(ClientView, AGroupMayHaveNoSubscription) {
  GroupSubscription subscription{.group = "CG", .topic = "T", .data = {}};
  EXPECT_EQ(encode_group_subscription(subscription), R"({"group":"CG","topic":"T"})");
  EXPECT_EQ(*decode_group_subscription(encode_group_subscription(subscription)), subscription);
  subscription.data = SubscriptionData{.topic = "T", .expression = "A"};
  EXPECT_EQ(*decode_group_subscription(encode_group_subscription(subscription)), subscription);
}

TEST(ConsumeStats, AreReadFromTextKeysAndFromObjectKeys) {
  ConsumeStats stats;
  stats.consume_tps = 1.5;
  stats.queues[kQueue] = {
      .broker_offset = 10, .consumer_offset = 4, .pull_offset = 6, .last_timestamp_ms = 99};
  EXPECT_EQ(*decode_consume_stats(encode_consume_stats(stats)), stats);
  EXPECT_EQ(*decode_consume_stats(
                R"({"consumeTps":1.5,"offsetTable":{{"brokerName":"b-a","queueId":2,"topic":"T"}:)"
                R"({"brokerOffset":10,"consumerOffset":4,"lastTimestamp":99,"pullOffset":6}}})"),
            stats);
  BrokerConsumeStats all{.broker_addr = "1.2.3.4:5", .groups = {{"CG", {stats}}}, .total_diff = 6};
  EXPECT_EQ(*decode_broker_consume_stats(encode_broker_consume_stats(all)), all);
}

TEST(ConsumeStats, TimeSpansCarryTimesAlsoAsTexts) {
  const QueueTimeSpan span{
      .queue = kQueue, .min_ms = 1, .max_ms = 1'700'000'000'123, .consumed_ms = 3, .delay_ms = 4};
  const std::string body = encode_time_spans({span});
  EXPECT_NE(body.find(":123\""), std::string::npos) << body;
  EXPECT_EQ(*decode_time_spans(body), std::vector<QueueTimeSpan>{span});
}

TEST(ConsumeStats, CorrectionOffsetsHaveNumbersForKeys) {
  const std::map<std::int32_t, std::int64_t> offsets = {
      {0, 5}, {10, std::numeric_limits<std::int64_t>::max()}};
  EXPECT_EQ(encode_correction_offsets(offsets),
            R"({"correctionOffsets":{"0":5,"10":9223372036854775807}})");
  EXPECT_EQ(*decode_correction_offsets("{correctionOffsets:{0:5,10:9223372036854775807}}"),
            offsets);
  EXPECT_FALSE(decode_correction_offsets("{correctionOffsets:{x:5}}"));
}

TEST(OffsetTable, HasTheShapeThatEachReaderTakes) {
  const QueueOffsets offsets = {{kQueue, 7}};
  EXPECT_EQ(encode_offset_table(offsets),
            R"({"offsetTable":{"{\"brokerName\":\"b-a\",\"queueId\":2,\"topic\":\"T\"}":7}})");
  EXPECT_EQ(encode_reset_for_clients(offsets),
            R"({"offsetTable":{{"brokerName":"b-a","queueId":2,"topic":"T"}:7}})");
  EXPECT_EQ(encode_reset_for_cpp_clients(offsets),
            R"({"offsetTable":[{"brokerName":"b-a","queueId":2,"topic":"T","offset":7}]})");
  EXPECT_EQ(*decode_offset_table(encode_offset_table(offsets)), offsets);
  EXPECT_EQ(*decode_offset_table(encode_reset_for_clients(offsets)), offsets);
}

TEST(ConsumerStatus, IsReadAsAJavaClientSendsIt) {
  const auto status = decode_consumer_status(
      R"({"consumerTable":{},"messageQueueTable":{{"brokerName":"b-a","queueId":2,"topic":"T"}:7}})");
  ASSERT_TRUE(status) << status.error();
  EXPECT_EQ(status->queues, (QueueOffsets{{kQueue, 7}}));
  const ConsumerStatus both{.consumers = {{"c", {{kQueue, 7}}}}, .queues = {}};
  EXPECT_EQ(*decode_consumer_status(encode_consumer_status(both)), both);
}

TEST(ConsumerOffset, RequestsSurviveTheWayThereAndBack) {
  std::deque<std::string> frames;  // what is decoded points into them
  const auto decoded = [&](auto append, auto request) {
    std::string& out = frames.emplace_back();
    append(out, Header{}, request);
    Command command;
    EXPECT_TRUE(decode_command(as_bytes(out), command));
    return command;
  };
  const auto reset = decoded(append_reset_offset_request, ResetOffsetRequest{.group = "CG",
                                                                             .topic = "T",
                                                                             .timestamp_ms = 5,
                                                                             .force = true,
                                                                             .queue_id = 3,
                                                                             .offset = 9});
  EXPECT_EQ(reset.ext.find("isForce"), "true");
  EXPECT_EQ(reset.ext.find("offset"), "9");
  const auto clone =
      decoded(append_clone_offset_request, CloneOffsetRequest{.from_group = "A", .to_group = "B"});
  EXPECT_EQ(decode_clone_offset_request(clone)->to_group, "B");
  const auto query = decoded(
      append_query_offset_request,
      QueryOffsetRequest{.group = "CG", .topic = "T", .queue_id = 1, .zero_if_not_found = false});
  EXPECT_FALSE(decode_query_offset_request(query)->zero_if_not_found);
  const auto update = decoded(append_update_offset_request,
                              UpdateOffsetRequest{.group = "CG", .topic = "T", .offset = 11});
  EXPECT_EQ(decode_update_offset_request(update)->offset, 11);
  for (const auto& text : {decode_update_offset_request(Command()).error().text(),
                           decode_query_offset_request(Command()).error().text()})
    EXPECT_NE(text.find("consumerGroup"), std::string::npos) << text;
  EXPECT_FALSE(decode_reset_offset_request(Command()));
  EXPECT_FALSE(decode_clone_offset_request(Command()));
}

TEST(ConsumerBodies, WhatIsNoObjectIsRefused) {
  for (const char* body : {"", "[]", "3", "{"}) {
    EXPECT_FALSE(decode_queue_lock_request(body)) << body;
    EXPECT_FALSE(decode_queue_lock_response(body)) << body;
    EXPECT_FALSE(decode_consumer_ids(body)) << body;
    EXPECT_FALSE(decode_consumer_connections(body)) << body;
    EXPECT_FALSE(decode_producer_table(body)) << body;
    EXPECT_FALSE(decode_consume_stats(body)) << body;
    EXPECT_FALSE(decode_broker_consume_stats(body)) << body;
    EXPECT_FALSE(decode_time_spans(body)) << body;
    EXPECT_FALSE(decode_offset_table(body)) << body;
    EXPECT_FALSE(decode_consumer_status(body)) << body;
  }
  EXPECT_FALSE(decode_offset_table(R"({"offsetTable":{"x":1}})")) << "a key that is no queue";
}

}  // namespace
}  // namespace mq::wire

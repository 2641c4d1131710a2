// Heartbeats as Java, Go and C++ clients send them (remoting.md 6.6).
#include "wire/heartbeat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mq::wire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kJava =
    R"({"clientID":"10.0.0.5@4711#123456789","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",)"
    R"("consumeType":"CONSUME_PASSIVELY","groupName":"CG","messageModel":"CLUSTERING","subscriptionDataSet":[)"
    R"({"classFilterMode":false,"codeSet":[2598919,2598920],"expressionType":"TAG","subString":"TagA || TagB",)"
    R"("subVersion":1700000000000,"tagsSet":["TagA","TagB"],"topic":"TopicTest"},)"
    R"({"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*","subVersion":1700000000001,)"
    R"("tagsSet":[],"topic":"%RETRY%CG"}],"unitMode":false}],"heartbeatFingerprint":0,)"
    R"("producerDataSet":[{"groupName":"PG"},{"groupName":"CLIENT_INNER_PRODUCER"}],"withoutSub":false})";

Heartbeat java_heartbeat() {
  Heartbeat out;
  out.client_id = "10.0.0.5@4711#123456789";
  out.producer_groups = {"PG", "CLIENT_INNER_PRODUCER"};
  out.consumers = {
      {.group = "CG",
       .subscriptions = {
           {.topic = "TopicTest", .expression = "TagA || TagB", .version = 1'700'000'000'000},
           {.topic = "%RETRY%CG", .version = 1'700'000'000'001}}}};
  return out;
}

TEST(Heartbeat, OfJavaIsReadAndWrittenByteForByte) {
  const auto heartbeat = decode_heartbeat(kJava);
  ASSERT_TRUE(heartbeat) << heartbeat.error();
  EXPECT_EQ(*heartbeat, java_heartbeat());
  EXPECT_EQ(encode_heartbeat(*heartbeat), kJava);
}

TEST(Heartbeat, OfCppHasOrdinalsTextsForNumbersAndLeavesOutWhatIsEmpty) {
  const auto heartbeat = decode_heartbeat(
      R"({"clientID":"c","consumerDataSet":[{"consumeFromWhere":4,"consumeType":0,"groupName":"CG",)"
      R"("messageModel":0,"subscriptionDataSet":[{"codeSet":["0"],"subString":"TagA",)"
      R"("subVersion":"1700000000000","tagsSet":["TagA"],"topic":"T"}]}],"producerDataSet":null})");
  ASSERT_TRUE(heartbeat) << heartbeat.error();
  EXPECT_THAT(heartbeat->producer_groups, IsEmpty());
  ASSERT_EQ(heartbeat->consumers.size(), 1U);
  const ConsumerData& consumer = heartbeat->consumers[0];
  EXPECT_EQ(consumer.from, ConsumeFrom::kFirstOffset);
  EXPECT_EQ(consumer.type, ConsumeType::kActively);
  EXPECT_EQ(consumer.model, MessageModel::kBroadcasting);
  const SubscriptionData expected{.topic = "T", .expression = "TagA", .version = 1'700'000'000'000};
  EXPECT_THAT(consumer.subscriptions, ElementsAre(expected));
}

TEST(Heartbeat, OfGoHasNanosecondsAndCodesAsTexts) {
  const auto heartbeat = decode_heartbeat(
      R"({"clientID":"g","producerDataSet":[],"consumerDataSet":[{"groupName":"CG",)"
      R"("consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING",)"
      R"("consumeFromWhere":"CONSUME_FROM_TIMESTAMP","subscriptionDataSet":[{"classFilterMode":false,)"
      R"("topic":"T","subString":"*","tagsSet":[],"codeSet":[],"subVersion":1700000000000000000,)"
      R"("expressionType":"TAG"}],"unitMode":false}]})");
  ASSERT_TRUE(heartbeat) << heartbeat.error();
  EXPECT_EQ(heartbeat->consumers[0].from, ConsumeFrom::kTimestamp);
  EXPECT_EQ(heartbeat->consumers[0].subscriptions[0].version, 1'700'000'000'000'000'000);
}

TEST(Heartbeat, WithoutSubscriptionsCarriesItsFingerprint) {
  Heartbeat heartbeat = java_heartbeat();
  heartbeat.fingerprint = -77;
  heartbeat.without_sub = true;
  const auto again = decode_heartbeat(encode_heartbeat(heartbeat));
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(again->fingerprint, -77);
  EXPECT_TRUE(again->without_sub);
  EXPECT_THAT(again->consumers[0].subscriptions, IsEmpty());
}

TEST(Heartbeat, StrangeValuesHaveTheirDefaults) {
  const auto heartbeat = decode_heartbeat(
      R"({"clientID":"c","consumerDataSet":[{"groupName":"CG","consumeType":"LATER","messageModel":9,)"
      R"("consumeFromWhere":-1,"subscriptionDataSet":[{"topic":"T","subString":"","expressionType":""}]},3],)"
      R"("producerDataSet":{}})");
  ASSERT_TRUE(heartbeat) << heartbeat.error();
  const ConsumerData& consumer = heartbeat->consumers[0];
  EXPECT_EQ(consumer.type, ConsumeType::kPassively);
  EXPECT_EQ(consumer.model, MessageModel::kClustering);
  EXPECT_EQ(consumer.from, ConsumeFrom::kLastOffset);
  EXPECT_EQ(consumer.subscriptions[0].expression, "*");
  EXPECT_EQ(consumer.subscriptions[0].expression_type, "TAG");
  for (const char* body : {"", "[]", "{", "null"}) EXPECT_FALSE(decode_heartbeat(body)) << body;
}

TEST(Heartbeat, TheAnswerSaysWhetherToSendSubscriptionsAgain) {
  std::string out;
  append_heartbeat_response(out, {.flag = kFlagResponse},
                            {.supports_v2 = true, .subscription_changed = false});
  Command response;
  ASSERT_TRUE(decode_command(as_bytes(out), response));
  EXPECT_EQ(response.ext.find("IS_SUPPORT_HEART_BEAT_V2"), "true");
  EXPECT_EQ(response.ext.find("IS_SUB_CHANGE"), "false");
  EXPECT_FALSE(decode_heartbeat_response(response).subscription_changed);
  EXPECT_FALSE(decode_heartbeat_response(Command()).supports_v2) << "an older broker's answer";
}

TEST(Tags, AreSplitAndTrimmed) {
  EXPECT_THAT(tags_of("A || B"), ElementsAre("A", "B"));
  EXPECT_THAT(tags_of("A||  || B C |D"), ElementsAre("A", "B C |D"));
  EXPECT_THAT(tags_of("*"), IsEmpty());
  EXPECT_THAT(tags_of(""), IsEmpty());
}

TEST(Unregister, NamesOneGroupOrBoth) {
  std::string out;
  append_unregister_request(out, {}, {.client_id = "c", .consumer_group = "CG"});
  Command request;
  ASSERT_TRUE(decode_command(as_bytes(out), request));
  const auto decoded = decode_unregister_request(request);
  ASSERT_TRUE(decoded) << decoded.error();
  EXPECT_EQ(decoded->client_id, "c");
  EXPECT_EQ(decoded->consumer_group, "CG");
  EXPECT_EQ(decoded->producer_group, "");
  EXPECT_FALSE(request.ext.find("producerGroup"));
  EXPECT_FALSE(decode_unregister_request(Command()));
}

}  // namespace
}  // namespace mq::wire

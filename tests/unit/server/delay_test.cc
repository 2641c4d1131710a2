// Messages that are delivered later, asked of a whole broker. Numbered cases are those of
// semantics.md 25.6.
#include <gtest/gtest.h>

#include "unit/server/served_broker.h"

namespace mq::server {
namespace {

using test::Answer;
using test::ServedBroker;

TEST(DelayLevel, Case55IsInItsOwnQueueAfterFiveSeconds) {
  ServedBroker b;
  const Answer answer = b.send("T", "x", {{"DELAY", "2"}}, {.queue_id = 3});
  ASSERT_EQ(answer.code, wire::kSuccess) << answer.remark;
  EXPECT_EQ(answer.ext.at("queueId"), "3") << "the queue that was asked for";
  b.advance_ms(4999);
  EXPECT_TRUE(b.stored("T", 3).empty());
  b.advance_ms(1);
  ASSERT_EQ(b.stored("T", 3).size(), 1U);
  EXPECT_EQ(b.stored("T", 3)[0].store_ms, b.clock.now_ms());
}

TEST(DelayLevel, Case56AboveTheHighestWaitsInTheLastQueue) {
  ServedBroker b;
  ASSERT_EQ(b.send("T", "x", {{"DELAY", "99"}}).code, wire::kSuccess);
  EXPECT_EQ(b.stored("SCHEDULE_TOPIC_XXXX", 17).size(), 1U);
  b.advance_ms(7'199'999);
  EXPECT_TRUE(b.stored("T").empty());
  b.advance_ms(1);
  EXPECT_EQ(b.stored("T").size(), 1U);
}

TEST(DelayLevel, Case57WhatIsOverdueAfterARestartIsDelivered) {
  ServedBroker b;
  for (int i = 0; i < 5; ++i) ASSERT_EQ(b.send("T", "x", {{"DELAY", "1"}}).code, wire::kSuccess);
  b.stop();
  b.clock.advance_ms(12'000);
  b.start();
  b.step();
  EXPECT_EQ(b.stored("T").size(), 5U);
}

TEST(DelayLevel, ProducersMayNotWriteToTheBrokersTopic) {
  ServedBroker b;
  EXPECT_EQ(b.send("SCHEDULE_TOPIC_XXXX", "x", {}).code, wire::kNoPermission);
}

TEST(DelayLevel, IsRefusedInABatchAndWhenItIsNoNumber) {
  ServedBroker b;
  std::string batch;
  wire::append_batch_item(batch, {.flag = 0, .body = as_bytes("x"), .properties = {}});
  EXPECT_EQ(b.send("T", batch, {{"DELAY", "1"}}, {.batch = true}).code, wire::kMessageIllegal);
  EXPECT_EQ(b.send("T", batch, {{"DELAY", "0"}}, {.batch = true}).code, wire::kSuccess);
  EXPECT_EQ(b.send("T", "x", {{"DELAY", "soon"}}).code, wire::kMessageIllegal);
}

// The clock of the test stands on a whole second at first.
TEST(Timer, Case58IsThereBetweenThreeAndFiveSecondsLater) {
  ServedBroker b;
  b.clock.advance_ms(400);
  const Answer answer = b.send("T", "x", {{"TIMER_DELAY_SEC", "3"}}, {.queue_id = 2});
  ASSERT_EQ(answer.code, wire::kSuccess) << answer.remark;
  EXPECT_EQ(answer.ext.at("queueId"), "2");
  b.step();
  b.advance_ms(2999);
  EXPECT_TRUE(b.stored("T", 2).empty());
  b.advance_ms(2001);
  ASSERT_EQ(b.stored("T", 2).size(), 1U);
  EXPECT_NE(b.stored("T", 2)[0].property("TIMER_DEQUEUE_MS"), "");
}

TEST(Timer, Case58OfThePastIsThereAtOnce) {
  ServedBroker b;
  const auto past = std::to_string(b.clock.now_ms() - 1);
  const Answer answer = b.send("T", "x", {{"TIMER_DELIVER_MS", past}});
  ASSERT_EQ(answer.code, wire::kSuccess);
  EXPECT_FALSE(answer.ext.contains("recallHandle"));
  EXPECT_EQ(b.stored("T").size(), 1U);
}

TEST(Timer, Case59TooFarAwayIsRefusedAndALevelWins) {
  ServedBroker b;
  EXPECT_EQ(b.send("T", "x", {{"TIMER_DELAY_SEC", "259201"}}).code, wire::kMessageIllegal);
  EXPECT_EQ(b.send("T", "x", {{"TIMER_DELAY_MS", "soon"}}).code, wire::kMessageIllegal);
  ASSERT_EQ(b.send("T", "x", {{"DELAY", "1"}, {"TIMER_DELAY_MS", "60000"}}).code, wire::kSuccess);
  b.step();
  b.advance_ms(1000);
  EXPECT_EQ(b.stored("T").size(), 1U);
  EXPECT_EQ(b.stored("T")[0].property("TIMER_DELAY_MS"), "");
}

TEST(Timer, Case60ATimerThatIsTakenBackIsNeverDelivered) {
  ServedBroker b;
  const auto at = std::to_string(b.clock.now_ms() + 5500);
  ASSERT_EQ(b.send("T", "x", {{"TIMER_DELIVER_MS", at}, {"UNIQ_KEY", "id"}}).code, wire::kSuccess);
  ASSERT_EQ(b.send("T", "0", {{"TIMER_DELIVER_MS", at}, {"TIMER_DEL_UNIQKEY", "T+id"}}).code,
            wire::kSuccess);
  b.step();
  b.advance_ms(60'000);
  EXPECT_TRUE(b.stored("T").empty());
}

TEST(Recall, TakesBackWhatTheHandleOfTheSendNames) {
  ServedBroker b([](broker::BrokerConfig& c) { c.recall_enable = true; });
  const auto send = [&](const char* body) {
    return b.send("T", body, {{"TIMER_DELAY_MS", "5000"}}).ext.at("recallHandle");
  };
  const std::string first = send("first");
  const std::string second = send("second");
  const auto named = wire::decode_recall_handle(second);
  ASSERT_TRUE(named);
  EXPECT_EQ(named->topic, "T");
  EXPECT_EQ(named->broker, "broker-a");
  EXPECT_EQ(named->deliver_ms, b.clock.now_ms() + 4001);
  EXPECT_EQ(named->unique_key.size(), 32U);
  b.step();
  const Answer answer = b.recall("T", second);
  ASSERT_EQ(answer.code, wire::kSuccess) << answer.remark;
  EXPECT_EQ(answer.ext.at("msgId"), named->unique_key);
  b.step();
  b.advance_ms(6000);
  ASSERT_EQ(b.stored("T").size(), 1U);
  EXPECT_EQ(b.stored("T")[0].body, "first");
  EXPECT_EQ(b.recall("T", first).code, wire::kIllegalOperation) << "delivered already";
}

TEST(Recall, IsRefusedWhereItIsOffAndForWhatItCannotBe) {
  ServedBroker off;
  EXPECT_EQ(off.recall("T", "x").code, wire::kNoPermission);
  ServedBroker b([](broker::BrokerConfig& c) { c.recall_enable = true; });
  EXPECT_EQ(b.recall("Nowhere", "x").code, wire::kTopicNotExist);
  ASSERT_TRUE(b.topics->find_or_create("T", 1));
  ASSERT_TRUE(b.topics->find_or_create("U", 1));
  const auto handle = [&](const char* topic, const char* broker, std::int64_t in_ms) {
    return wire::encode_recall_handle({.topic = topic,
                                       .broker = broker,
                                       .deliver_ms = b.clock.now_ms() + in_ms,
                                       .unique_key = "id"});
  };
  EXPECT_EQ(b.recall("T", "no handle").code, wire::kIllegalOperation);
  EXPECT_EQ(b.recall("U", handle("T", "broker-a", 5000)).code, wire::kIllegalOperation);
  EXPECT_EQ(b.recall("T", handle("T", "broker-b", 5000)).code, wire::kIllegalOperation);
  EXPECT_EQ(b.recall("T", handle("T", "broker-a", 0)).code, wire::kIllegalOperation);
  EXPECT_EQ(b.recall("T", handle("T", "broker-a", 259'200'000)).code, wire::kIllegalOperation);
  EXPECT_EQ(b.recall("T", handle("T", "broker-a", 5000)).code, wire::kSuccess);
}

TEST(Timer, MayBeOffAndASlotMayBeFull) {
  ServedBroker off([](broker::BrokerConfig& c) { c.timer_wheel_enable = false; });
  EXPECT_EQ(off.send("T", "x", {{"TIMER_DELAY_MS", "5000"}}).code, wire::kSystemError);
  ServedBroker b([](broker::BrokerConfig& c) { c.timer_congested_at = 2; });
  std::vector<std::int32_t> codes;
  for (int i = 0; i < 6; ++i) {
    codes.push_back(b.send("T", "x", {{"TIMER_DELAY_MS", "5000"}}).code);
    b.step();
  }
  EXPECT_EQ(codes, (std::vector<std::int32_t>{0, 0, 0, 1, 1, 1})) << "without luck from three on";
  EXPECT_EQ(b.send("T", "x", {{"TIMER_DELAY_MS", "6000"}}).code, wire::kSuccess) << "another slot";
}

TEST(Timer, IsNotForBatches) {
  ServedBroker b;
  std::string batch;
  wire::append_batch_item(batch, {.flag = 0, .body = as_bytes("x"), .properties = {}});
  EXPECT_EQ(b.send("T", batch, {{"TIMER_DELAY_MS", "5000"}}, {.batch = true}).code,
            wire::kMessageIllegal);
}

}  // namespace
}  // namespace mq::server

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

}  // namespace
}  // namespace mq::server

// Popping in order: one queue of one group, step by step (semantics.md 17.7).
#include "broker/pop_orders.h"

#include <gtest/gtest.h>

#include "broker/pop_names.h"
#include "broker/request_modes.h"
#include "support/fault_fs.h"
#include "support/manual_clock.h"

namespace mq::broker {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;

class PopOrdersTest : public ::testing::Test {
 protected:
  wire::PopCounts pop(std::int64_t at_ms, std::vector<std::int64_t> offsets,
                      std::string_view attempt = {}, std::int64_t invisible_ms = 3000) {
    return orders_.popped(queue_, attempt, at_ms, invisible_ms, offsets);
  }
  bool is_blocked(std::int64_t at_ms, std::string_view attempt = {}) {
    return orders_.is_blocked(queue_, attempt, 3000, at_ms);
  }
  PopOrders::Ack ack(std::int64_t offset, std::int64_t pop_ms,
                     std::optional<std::int64_t> next = std::nullopt) {
    return orders_.acknowledge(queue_, offset, pop_ms, next);
  }
  std::vector<std::string> freed(std::int64_t at_ms, std::int64_t* next = nullptr) {
    std::vector<std::string> out;
    const auto again =
        orders_.step(at_ms, [&](std::string_view topic, std::string_view group, std::int32_t id) {
          out.push_back(std::string(topic) + "/" + std::string(group) + "/" + std::to_string(id));
        });
    if (next != nullptr) *next = again;
    return out;
  }

  mq::test::ManualClock clock_;
  mq::test::FaultFs fs_{{.seed = 1, .clock = &clock_}};
  PopOrders orders_{fs_, "consumerOrderInfo.json"};
  const PopOrders::Queue queue_{"T", "G", 0};
};

TEST_F(PopOrdersTest, AQueueBlocksUntilItsMessagesAreAcknowledgedOrTheirTimeIsOver) {
  EXPECT_FALSE(is_blocked(kNow));
  pop(kNow, {5, 6}, "a1");
  EXPECT_TRUE(is_blocked(kNow));
  EXPECT_TRUE(is_blocked(kNow, "a2"));
  EXPECT_FALSE(is_blocked(kNow, "a1")) << "the attempt whose answer was lost";
  EXPECT_TRUE(is_blocked(kNow + 2999));
  EXPECT_FALSE(is_blocked(kNow + 3000));
  EXPECT_EQ(ack(6, kNow).next, 5) << "the first is not acknowledged";
  EXPECT_TRUE(is_blocked(kNow));
  EXPECT_EQ(ack(5, kNow).next, 7);
  EXPECT_FALSE(is_blocked(kNow));
}

TEST_F(PopOrdersTest, AcknowledgementsOfAnotherPopAreToldApart) {
  EXPECT_EQ(ack(4, kNow, 4).what, PopOrders::Acked::kYes) << "nothing is known of the queue";
  EXPECT_EQ(ack(4, kNow, 4).next, 5);
  EXPECT_EQ(ack(4, kNow, 3).what, PopOrders::Acked::kUnknown) << "3 may be open";
  EXPECT_EQ(ack(4, kNow).what, PopOrders::Acked::kUnknown);
  pop(kNow, {5, 6});
  EXPECT_EQ(ack(5, kNow - 1).what, PopOrders::Acked::kOther);
  EXPECT_EQ(ack(6, kNow + 1, 5).what, PopOrders::Acked::kUnknown) << "of a pop that was lost";
  EXPECT_EQ(ack(5, kNow + 1, 5).next, 6);
  EXPECT_EQ(ack(9, kNow).what, PopOrders::Acked::kUnknown);
  EXPECT_TRUE(is_blocked(kNow));
}

TEST_F(PopOrdersTest, WhatTheGroupIsPastIsAcknowledged) {
  pop(kNow, {5, 6, 7});  // as an older book has it: 5 was acknowledged before the kill
  EXPECT_EQ(ack(7, kNow, 6).next, 6);
  EXPECT_EQ(ack(6, kNow, 6).next, 8);
  EXPECT_FALSE(is_blocked(kNow));
}

TEST_F(PopOrdersTest, HowOftenEachMessageWasHandedOutIsCounted) {
  EXPECT_EQ(pop(kNow, {5, 6}).least, 0);
  const auto second = pop(kNow + 3000, {5, 6}, "a");
  EXPECT_EQ(second.each, (std::vector<std::pair<std::int64_t, std::int32_t>>{{5, 1}, {6, 1}}));
  EXPECT_EQ(second.least, 1);
  // The same attempt does not count, a new message beside them is the least.
  EXPECT_EQ(pop(kNow + 3001, {5, 6}, "a").each, second.each);
  const auto third = pop(kNow + 9000, {6, 7}, "b");
  EXPECT_EQ(third.each, (std::vector<std::pair<std::int64_t, std::int32_t>>{{6, 2}}));
  EXPECT_EQ(third.least, 0);
}

TEST_F(PopOrdersTest, OneMessageMayBeGivenAnotherTime) {
  pop(kNow, {5, 6});
  orders_.set_visible(queue_, 6, kNow - 1, kNow + 1'000'000);  // of another pop: nothing
  orders_.set_visible(queue_, 6, kNow, kNow + 8000);
  EXPECT_TRUE(is_blocked(kNow + 7999));
  EXPECT_FALSE(is_blocked(kNow + 8000));
  EXPECT_EQ(ack(6, kNow).next, 5);
  EXPECT_FALSE(is_blocked(kNow + 3000));
}

TEST_F(PopOrdersTest, WhoWaitsIsToldWhenTheTimeIsOver) {
  std::int64_t next = 0;
  EXPECT_TRUE(freed(kNow, &next).empty());
  EXPECT_EQ(next, std::numeric_limits<std::int64_t>::max());
  pop(kNow, {5});
  EXPECT_TRUE(freed(kNow + 2999, &next).empty());
  EXPECT_EQ(next, kNow + 3000);
  EXPECT_EQ(freed(kNow + 3000), std::vector<std::string>{"T/G/0"});
  EXPECT_TRUE(freed(kNow + 4000).empty()) << "told once";
  // Given more time meanwhile, or acknowledged: not at the first time.
  pop(kNow, {5});
  orders_.set_visible(queue_, 5, kNow, kNow + 9000);
  EXPECT_TRUE(freed(kNow + 3000, &next).empty());
  EXPECT_EQ(next, kNow + 9000);
  EXPECT_EQ(ack(5, kNow, 5).next, 6);
  EXPECT_TRUE(freed(kNow + 9000).empty());
}

TEST_F(PopOrdersTest, IsThereAgainAfterARestart) {
  pop(kNow, {5, 8}, "att");
  (void)ack(5, kNow);
  ASSERT_TRUE(orders_.flush());
  PopOrders again(fs_, "consumerOrderInfo.json");
  ASSERT_TRUE(again.load());
  EXPECT_TRUE(again.is_blocked(queue_, {}, 3000, kNow));
  EXPECT_FALSE(again.is_blocked(queue_, "att", 3000, kNow));
  EXPECT_EQ(again.acknowledge(queue_, 8, kNow, 8).next, 9);
}

TEST_F(PopOrdersTest, WhatIsUnusedForADayIsForgotten) {
  pop(kNow, {5});
  (void)freed(kNow + 1);
  (void)freed(kNow + PopOrders::kUnusedMs + 1);
  EXPECT_EQ(ack(5, kNow, 5).next, 6);
  EXPECT_EQ(ack(7, kNow + 12, 7).next, 8) << "nothing is known of the queue";
  EXPECT_EQ(ack(9, kNow + 12, 8).what, PopOrders::Acked::kUnknown);
}

TEST(PopNames, RetryTopicsAreReadBothWays) {
  EXPECT_EQ(pop_retry_topic_v1("G_a", "T"), "%RETRY%G_a_T");
  EXPECT_EQ(pop_retry_topic_v2("G_a", "T"), "%RETRY%G_a+T");
  EXPECT_EQ(retry_form("T"), wire::PopRetry::kNone);
  EXPECT_EQ(retry_form("%RETRY%G_T"), wire::PopRetry::kV1);
  EXPECT_EQ(retry_form("%RETRY%G+T"), wire::PopRetry::kV2);
  std::vector<std::string> origins;
  const auto note = [&](std::string_view group, std::string_view topic) {
    origins.push_back(std::string(group) + " " + std::string(topic));
  };
  for_each_origin("%RETRY%a_b_c", note);
  for_each_origin("%RETRY%G+T", note);
  for_each_origin("T_x", note);
  EXPECT_EQ(origins, (std::vector<std::string>{"a b_c", "a_b c", "G T"}));
}

TEST(Assignment, MembersThatPopShareTheQueues) {
  const std::vector<wire::MessageQueue> queues = {{"T", "b", 0}, {"T", "b", 1}, {"T", "b", 2}};
  const std::vector<std::string> four = {"c1", "c2", "c3", "c4"};
  const auto ids = [](const std::optional<std::vector<wire::MessageQueue>>& got) {
    std::vector<std::int32_t> out;
    for (const auto& queue : *got) out.push_back(queue.queue_id);
    return out;
  };
  EXPECT_EQ(ids(allocate_shared("AVG", queues, four, "c1", 0)), std::vector<std::int32_t>{-1});
  EXPECT_EQ(ids(allocate_shared("AVG", queues, four, "c1", 3)), std::vector<std::int32_t>{-1});
  EXPECT_EQ(ids(allocate_shared("AVG", queues, four, "c4", 1)), std::vector<std::int32_t>{0})
      << "more members than queues";
  const std::vector<std::string> three = {"c1", "c2", "c3"};
  EXPECT_EQ(ids(allocate_shared("AVG", queues, three, "c3", 1)), (std::vector<std::int32_t>{0, 2}));
  EXPECT_FALSE(allocate_shared("none", queues, three, "c3", 1));
  EXPECT_EQ(ids(allocate("AVG_BY_CIRCLE", queues, three, "c2")), std::vector<std::int32_t>{1});
}

}  // namespace
}  // namespace mq::broker

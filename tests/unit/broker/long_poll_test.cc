#include "broker/long_poll.h"

#include <gtest/gtest.h>

namespace mq::broker {
namespace {

constexpr TagExpression kAll{.all = true, .codes = {}};

class LongPollTest : public ::testing::Test {
 protected:
  bool hold(std::uint64_t connection, std::string_view topic, QueueId queue, std::int64_t offset) {
    return polls_.hold(topic, queue,
                       {.connection = connection,
                        .offset = offset,
                        .deadline_ms = 100,
                        .tags = kAll,
                        .records = nullptr,
                        .wake = [this, connection] { woken_.push_back(connection); }});
  }
  void arrive(std::string_view topic, QueueId queue, std::int64_t next) {
    polls_.on_arrival(
        {.topic = topic, .queue_id = queue, .next = QueueOffset(next), .properties = {}}, 0);
  }

  LongPolls polls_{3};
  std::vector<std::uint64_t> woken_;
};

TEST_F(LongPollTest, AnArrivalWakesThoseWhoWaitForIt) {
  ASSERT_TRUE(hold(1, "T", 0, 5));
  ASSERT_TRUE(hold(2, "T", 0, 6));
  ASSERT_TRUE(hold(3, "T", 1, 5));
  ASSERT_TRUE(hold(4, "U", 0, 5));
  arrive("T", 0, 6);
  EXPECT_EQ(woken_, std::vector<std::uint64_t>({1}));
  arrive("T", 0, 7);
  EXPECT_EQ(woken_, std::vector<std::uint64_t>({1, 2}));
  EXPECT_EQ(polls_.held(), 2U);
}

TEST_F(LongPollTest, TheSweepWakesWhoseTimeIsOver) {
  ASSERT_TRUE(hold(1, "T", 0, 5));
  polls_.sweep(99, [](std::string_view, QueueId) { return 5; });
  EXPECT_EQ(woken_, std::vector<std::uint64_t>());
  polls_.sweep(100, [](std::string_view, QueueId) { return 5; });
  EXPECT_EQ(woken_, std::vector<std::uint64_t>({1}));
  EXPECT_EQ(polls_.held(), 0U);
}

TEST_F(LongPollTest, WhatAClosedConnectionHeldIsDroppedAndNothingElse) {
  ASSERT_TRUE(hold(1, "T", 0, 5));
  ASSERT_TRUE(hold(2, "T", 0, 5));
  ASSERT_TRUE(hold(1, "T", 0, 5));
  ASSERT_TRUE(hold(1, "U", 3, 5));
  polls_.connection_closed(1);
  EXPECT_EQ(polls_.held(), 1U);
  polls_.connection_closed(1);
  polls_.connection_closed(7);
  arrive("U", 3, 6);
  arrive("T", 0, 6);
  EXPECT_EQ(woken_, std::vector<std::uint64_t>({2}));
  EXPECT_EQ(polls_.held(), 0U);
}

TEST_F(LongPollTest, AConnectionMayHaveSoManyWaiting) {
  ASSERT_TRUE(hold(1, "T", 0, 5));
  ASSERT_TRUE(hold(1, "T", 1, 5));
  ASSERT_TRUE(hold(1, "U", 0, 5));
  EXPECT_FALSE(hold(1, "T", 0, 5));
  EXPECT_TRUE(hold(2, "T", 0, 5));
  polls_.wake_all("T", 1);
  EXPECT_EQ(woken_, std::vector<std::uint64_t>({1}));
  EXPECT_TRUE(hold(1, "T", 2, 5));
  EXPECT_FALSE(hold(1, "T", 2, 5));
  polls_.connection_closed(1);
  EXPECT_TRUE(hold(1, "T", 0, 5));
  EXPECT_EQ(polls_.held(), 2U);
}

}  // namespace
}  // namespace mq::broker

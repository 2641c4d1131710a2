// What becomes of a message that its consumers could not handle, asked of a whole broker. Numbered
// cases are those of semantics.md 25.5.
#include <gtest/gtest.h>

#include "unit/server/served_broker.h"

namespace mq::server {
namespace {

using test::Answer;
using test::ServedBroker;
using test::Stored;

constexpr const char* kRetry = "%RETRY%G";
constexpr const char* kDead = "%DLQ%G";

// A message in T, as a consumer has it.
Stored sent(ServedBroker& b, const test::Properties& properties = {}) {
  const Answer answer = b.send("T", "body", properties, {.flag = 5});
  EXPECT_EQ(answer.code, wire::kSuccess) << answer.remark;
  const auto all = b.stored("T");
  EXPECT_FALSE(all.empty());
  return all.empty() ? Stored{} : all.back();
}

TEST(SendBack, Case50ComesAgainAfterTenSecondsWithItsHistory) {
  ServedBroker b;
  const Stored first = sent(b, {{"TAGS", "a"}, {"UNIQ_KEY", "id"}, {"mine", "1"}});
  ASSERT_EQ(b.send_back({.offset = first.physical_offset, .group = "G"}).code, wire::kSuccess);
  b.advance_ms(9'999);
  EXPECT_TRUE(b.stored(kRetry).empty());
  b.advance_ms(1);
  const auto retries = b.stored(kRetry);
  ASSERT_EQ(retries.size(), 1U);
  const Stored& again = retries[0];
  EXPECT_EQ(again.reconsume_times, 1);
  EXPECT_EQ(again.property("RETRY_TOPIC"), "T");
  EXPECT_EQ(again.property("ORIGIN_MESSAGE_ID"), "7F00000100002A9F0000000000000000");
  EXPECT_EQ(again.property("UNIQ_KEY"), "id");
  EXPECT_EQ(again.property("mine"), "1");
  EXPECT_EQ(again.body, "body");
  EXPECT_EQ(again.flag, 5);
  EXPECT_EQ(again.born_ms, first.born_ms);

  // The second time it waits longer, and the first topic and id stay.
  ASSERT_EQ(b.send_back({.offset = again.physical_offset, .group = "G"}).code, wire::kSuccess);
  b.advance_ms(29'999);
  EXPECT_EQ(b.stored(kRetry).size(), 1U);
  b.advance_ms(1);
  const Stored third = b.stored(kRetry).at(1);
  EXPECT_EQ(third.reconsume_times, 2);
  EXPECT_EQ(third.property("RETRY_TOPIC"), "T");
  EXPECT_EQ(third.property("ORIGIN_MESSAGE_ID"), "7F00000100002A9F0000000000000000");
  EXPECT_EQ(b.stats.view("SNDBCK_PUT_NUMS", "T@G")->minute.sum, 2);
}

TEST(SendBack, ALevelThatIsAskedForIsKept) {
  ServedBroker b;
  const Stored first = sent(b);
  ASSERT_EQ(b.send_back({.offset = first.physical_offset, .group = "G", .delay_level = 1}).code,
            wire::kSuccess);
  b.advance_ms(1000);
  EXPECT_EQ(b.stored(kRetry).size(), 1U);
}

TEST(SendBack, Case51AfterTheLastAttemptItIsADeadLetterAtOnce) {
  ServedBroker b;
  wire::SendRequest tried{.reconsume_times = 16};
  ASSERT_EQ(b.send("T", "tried", {{"DELAY", "0"}}, tried).code, wire::kSuccess);
  const Stored last = b.stored("T").at(0);
  ASSERT_EQ(b.send_back({.offset = last.physical_offset, .group = "G"}).code, wire::kSuccess);
  auto dead = b.stored(kDead);
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(dead[0].reconsume_times, 17);
  EXPECT_EQ(dead[0].property("DELAY"), "0");
  EXPECT_EQ(dead[0].property("RETRY_TOPIC"), "T");
  EXPECT_EQ(b.topics->find(kDead)->write_queues, 1);
  EXPECT_EQ(b.topics->find(kDead)->perm, 6);

  const Stored fresh = sent(b);
  ASSERT_EQ(b.send_back({.offset = fresh.physical_offset, .group = "G", .delay_level = -1}).code,
            wire::kSuccess);
  EXPECT_EQ(b.stored(kDead).size(), 2U);
}

TEST(SendBack, TheClientsOwnLimitWinsOverTheGroups) {
  ServedBroker b;
  const Stored first = sent(b);
  ASSERT_EQ(
      b.send_back({.offset = first.physical_offset, .group = "G", .max_reconsume_times = 0}).code,
      wire::kSuccess);
  EXPECT_EQ(b.stored(kDead).size(), 1U);
}

TEST(SendBack, Case52AGroupWithoutRetryQueuesForgetsTheMessage) {
  ServedBroker b;
  format::GroupConfig group;
  group.name = "G";
  group.retry_queues = 0;
  ASSERT_TRUE(b.groups->put(group));
  const Stored first = sent(b);
  const auto before = b.store->stats().messages_total;
  EXPECT_EQ(b.send_back({.offset = first.physical_offset, .group = "G"}).code, wire::kSuccess);
  EXPECT_EQ(b.store->stats().messages_total, before);
  EXPECT_FALSE(b.topics->find(kRetry));
}

TEST(SendBack, Case54UnknownGroupsAndOffsetsAreToldApart) {
  ServedBroker b([](broker::BrokerConfig& c) { c.auto_create_group = false; });
  const Stored first = sent(b);
  EXPECT_EQ(b.send_back({.offset = first.physical_offset, .group = "G"}).code,
            wire::kSubscriptionGroupNotExist);
  format::GroupConfig group;
  group.name = "G";
  ASSERT_TRUE(b.groups->put(group));
  for (const std::int64_t offset :
       {first.physical_offset + 1, std::int64_t{-1}, std::int64_t{1} << 40})
    EXPECT_EQ(b.send_back({.offset = offset, .group = "G"}).code, wire::kSystemError) << offset;
}

TEST(SendBack, ABrokerOrATopicThatTakesNothingSaysSo) {
  ServedBroker b;
  const Stored first = sent(b);
  ASSERT_TRUE(b.topics->find_or_create(kRetry, 1));
  format::TopicConfig read_only = *b.topics->get(kRetry);
  read_only.perm = format::kPermRead;
  ASSERT_TRUE(b.topics->put(read_only, ""));
  EXPECT_EQ(b.send_back({.offset = first.physical_offset, .group = "G"}).code, wire::kNoPermission);
  b.config.perm = format::kPermRead;
  EXPECT_EQ(b.send_back({.offset = first.physical_offset, .group = "Other"}).code,
            wire::kNoPermission);
}

// A message that came late still says so; sent back it waits by its level, as a dead letter not at
// all.
TEST(SendBack, AMessageThatWasDelayedIsNotDelayedTheOldWayAgain) {
  ServedBroker b;
  ASSERT_EQ(b.send("T", "late", {{"DELAY", "2"}}).code, wire::kSuccess);
  b.advance_ms(5000);
  const Stored late = b.stored("T").at(0);
  EXPECT_EQ(late.property("DELAY"), "2");
  ASSERT_EQ(b.send_back({.offset = late.physical_offset, .group = "G"}).code, wire::kSuccess);
  b.advance_ms(9'999);
  EXPECT_TRUE(b.stored(kRetry).empty());
  b.advance_ms(1);
  EXPECT_EQ(b.stored(kRetry).at(0).property("REAL_TOPIC"), kRetry);
  ASSERT_EQ(b.send_back({.offset = late.physical_offset, .group = "G", .delay_level = -1}).code,
            wire::kSuccess);
  EXPECT_EQ(b.stored(kDead).size(), 1U);
}

// 13.3: what a client sends to a retry topic itself.
TEST(SendToARetryTopic, WaitsByItsLevelUntilItsAttemptsAreUsedUp) {
  ServedBroker b;
  const test::Properties properties = {{"RETRY_TOPIC", "T"}, {"DELAY", "3"}};
  for (const auto& [times, max] : {std::pair{16, -1}, std::pair{5, 5}}) {
    const auto answer =
        b.send(kRetry, "again", properties, {.reconsume_times = times, .max_reconsume_times = max});
    ASSERT_EQ(answer.code, wire::kSuccess) << answer.remark;
  }
  EXPECT_TRUE(b.stored(kDead).empty()) << "one more than a message that is sent back";
  for (const auto& [times, max] : {std::pair{17, -1}, std::pair{6, 5}}) {
    const auto answer =
        b.send(kRetry, "dead", properties, {.reconsume_times = times, .max_reconsume_times = max});
    ASSERT_EQ(answer.code, wire::kSuccess) << answer.remark;
  }
  const auto dead = b.stored(kDead);
  ASSERT_EQ(dead.size(), 2U);
  EXPECT_EQ(dead[0].body, "dead");
  EXPECT_EQ(dead[0].property("DELAY"), "-1");
  b.advance_ms(10'000);
  EXPECT_EQ(b.stored(kRetry).size(), 2U);
}

TEST(SendToARetryTopic, Case53IsADeadLetterWhileTheGroupHoldsALock) {
  ServedBroker b;
  const wire::MessageQueue queue{.topic = "T", .broker_name = "broker-a", .queue_id = 0};
  ASSERT_EQ(b.locks.lock("G", "client", {queue}, b.clock.now_ms()).size(), 1U);
  ASSERT_EQ(b.send(kRetry, "x", {{"DELAY", "3"}}).code, wire::kSuccess);
  EXPECT_EQ(b.stored(kDead).size(), 1U);
  b.clock.advance_ms(60'001);
  ASSERT_EQ(b.send(kRetry, "y", {{"DELAY", "3"}}).code, wire::kSuccess);
  EXPECT_EQ(b.stored(kDead).size(), 1U) << "the lock is over";
}

TEST(SendToARetryTopic, NeedsItsGroup) {
  ServedBroker b([](broker::BrokerConfig& c) { c.auto_create_group = false; });
  EXPECT_EQ(b.send(kRetry, "x", {}).code, wire::kSubscriptionGroupNotExist);
}

}  // namespace
}  // namespace mq::server

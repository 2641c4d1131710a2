// Locks for consuming in order, with the time handed in (semantics.md 12, conformance case 49).
#include "broker/queue_locks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mq::broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kStart = 1'700'000'000'000;

wire::MessageQueue queue(std::int32_t id) {
  return {.topic = "T", .broker_name = "b", .queue_id = id};
}

TEST(QueueLocks, Case49AnotherClientGetsTheQueueOnlyAfterAMinuteWithoutRenewal) {
  QueueLocks locks;
  EXPECT_THAT(locks.lock("G", "c1", {queue(0)}, kStart), ElementsAre(queue(0)));
  EXPECT_THAT(locks.lock("G", "c2", {queue(0)}, kStart + 30'000), IsEmpty());
  EXPECT_THAT(locks.lock("G", "c1", {queue(0)}, kStart + 40'000), ElementsAre(queue(0)));
  EXPECT_THAT(locks.lock("G", "c2", {queue(0)}, kStart + 100'000), IsEmpty())
      << "60 s after the renewal it still holds";
  EXPECT_EQ(locks.holder("G", queue(0), kStart + 100'000), "c1");
  EXPECT_THAT(locks.lock("G", "c2", {queue(0)}, kStart + 101'000), ElementsAre(queue(0)));
  EXPECT_THAT(locks.lock("G", "c1", {queue(0)}, kStart + 101'000), IsEmpty());
}

TEST(QueueLocks, EachQueueIsGrantedByItself) {
  QueueLocks locks;
  locks.lock("G", "c1", {queue(0), queue(1)}, kStart);
  EXPECT_THAT(locks.lock("G", "c2", {queue(0), queue(2)}, kStart), ElementsAre(queue(2)));
  EXPECT_THAT(locks.lock("Other", "c2", {queue(0)}, kStart), ElementsAre(queue(0)))
      << "another group has its own locks";
}

TEST(QueueLocks, OnlyTheHolderUnlocks) {
  QueueLocks locks;
  locks.lock("G", "c1", {queue(0)}, kStart);
  locks.unlock("G", "c2", {queue(0)});
  EXPECT_THAT(locks.lock("G", "c2", {queue(0)}, kStart), IsEmpty());
  locks.unlock("G", "c1", {queue(0), queue(7)});
  EXPECT_THAT(locks.lock("G", "c2", {queue(0)}, kStart), ElementsAre(queue(0)));
  locks.unlock("None", "c1", {queue(0)});
}

TEST(QueueLocks, AGroupConsumesInOrderWhileAnyLockIsHeld) {
  QueueLocks locks;
  EXPECT_FALSE(locks.holds_any("G", kStart));
  locks.lock("G", "c1", {queue(0), queue(1)}, kStart);
  EXPECT_TRUE(locks.holds_any("G", kStart + 60'000));
  EXPECT_FALSE(locks.holds_any("G", kStart + 60'001));
  EXPECT_FALSE(locks.holds_any("Other", kStart));
  locks.unlock("G", "c1", {queue(0), queue(1)});
  EXPECT_FALSE(locks.holds_any("G", kStart));
}

TEST(QueueLocks, ExpiryForgetsOnlyWhatIsOver) {
  QueueLocks locks;
  locks.lock("G", "c1", {queue(0)}, kStart);
  locks.lock("G", "c1", {queue(1)}, kStart + 50'000);
  locks.expire(kStart + 70'000);
  EXPECT_EQ(locks.holder("G", queue(0), kStart), "") << "forgotten, whatever the time says";
  EXPECT_EQ(locks.holder("G", queue(1), kStart + 70'000), "c1");
}

}  // namespace
}  // namespace mq::broker

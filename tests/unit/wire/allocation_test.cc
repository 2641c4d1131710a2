// Queues for members: conformance case 44, whose table was made by running the reference
// (semantics.md 10.2).
#include "wire/allocation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mq::wire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> kClients = {"10.0.0.1@101", "10.0.0.2@102", "10.0.0.3@103"};

MessageQueue a(std::int32_t id) {
  return {.topic = "TopicTest", .broker_name = "broker-a", .queue_id = id};
}
MessageQueue b(std::int32_t id) {
  return {.topic = "TopicTest", .broker_name = "broker-b", .queue_id = id};
}
std::vector<MessageQueue> eight() { return {a(0), a(1), a(2), a(3), b(0), b(1), b(2), b(3)}; }

TEST(Allocation, Case44AverageGivesNeighboursToEachMember) {
  EXPECT_THAT(allocate_average(eight(), kClients, kClients[0]), ElementsAre(a(0), a(1), a(2)));
  EXPECT_THAT(allocate_average(eight(), kClients, kClients[1]), ElementsAre(a(3), b(0), b(1)));
  EXPECT_THAT(allocate_average(eight(), kClients, kClients[2]), ElementsAre(b(2), b(3)));
}

TEST(Allocation, Case44AverageWithMoreMembersThanQueuesLeavesTheLastWithout) {
  const std::vector<MessageQueue> two = {a(0), a(1)};
  EXPECT_THAT(allocate_average(two, kClients, kClients[0]), ElementsAre(a(0)));
  EXPECT_THAT(allocate_average(two, kClients, kClients[1]), ElementsAre(a(1)));
  EXPECT_THAT(allocate_average(two, kClients, kClients[2]), IsEmpty());
}

TEST(Allocation, Case44InTurnDealsThemOut) {
  EXPECT_THAT(allocate_in_turn(eight(), kClients, kClients[0]), ElementsAre(a(0), a(3), b(2)));
  EXPECT_THAT(allocate_in_turn(eight(), kClients, kClients[1]), ElementsAre(a(1), b(0), b(3)));
  EXPECT_THAT(allocate_in_turn(eight(), kClients, kClients[2]), ElementsAre(a(2), b(1)));
}

TEST(Allocation, WhoIsNotInTheListGetsNothing) {
  EXPECT_THAT(allocate_average(eight(), kClients, "10.0.0.4@104"), IsEmpty());
  EXPECT_THAT(allocate_in_turn(eight(), kClients, "10.0.0.4@104"), IsEmpty());
  EXPECT_THAT(allocate_average(eight(), {}, "x"), IsEmpty());
}

TEST(Allocation, EveryQueueBelongsToExactlyOneMember) {
  for (std::size_t queues = 0; queues < 20; ++queues) {
    for (std::size_t members = 1; members < 12; ++members) {
      std::vector<MessageQueue> all;
      for (std::size_t q = 0; q < queues; ++q) all.push_back(a(static_cast<std::int32_t>(q)));
      std::vector<std::string> ids;
      for (std::size_t m = 0; m < members; ++m)
        ids.push_back("client-" + std::string(1, static_cast<char>('a' + m)));
      std::vector<MessageQueue> average;
      std::vector<MessageQueue> turn;
      for (const std::string& id : ids) {
        for (const MessageQueue& queue : allocate_average(all, ids, id)) average.push_back(queue);
        for (const MessageQueue& queue : allocate_in_turn(all, ids, id)) turn.push_back(queue);
      }
      sort_queues(turn);
      EXPECT_EQ(average, all) << queues << " queues, " << members << " members";
      EXPECT_EQ(turn, all) << queues << " queues, " << members << " members";
    }
  }
}

TEST(Allocation, QueuesCountInOneOrderAndOnce) {
  std::vector<MessageQueue> queues = {b(1), a(10), a(2), b(1)};
  sort_queues(queues);
  EXPECT_THAT(queues, ElementsAre(a(2), a(10), b(1))) << "ids as numbers";
}

}  // namespace
}  // namespace mq::wire

// Members of producer groups, with the time handed in (semantics.md 9.2).
#include "broker/producer_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mq::broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kStart = 1'700'000'000'000;

Client client(std::uint64_t connection, std::string id) {
  return {.connection = connection, .id = std::move(id), .address = "10.0.0.1:1"};
}

TEST(ProducerGroups, MembersAreAskedInTurn) {
  ProducerGroups groups;
  EXPECT_FALSE(groups.next_member("PG"));
  for (const std::uint64_t connection : {3, 1, 2})
    groups.heartbeat("PG", client(connection, "c"), kStart);
  std::vector<std::uint64_t> asked;
  for (int i = 0; i < 4; ++i) asked.push_back(groups.next_member("PG")->connection);
  EXPECT_THAT(asked, ElementsAre(1, 2, 3, 1));
  groups.leave("PG", 2);
  EXPECT_EQ(groups.next_member("PG")->connection, 3U);
}

TEST(ProducerGroups, AClientIsFoundByItsIdOnItsNewestConnection) {
  ProducerGroups groups;
  EXPECT_FALSE(groups.find_connection("a"));
  groups.heartbeat("PG", client(1, "a"), kStart);
  groups.heartbeat("Other", client(1, "a"), kStart);
  groups.heartbeat("PG", client(5, "a"), kStart);
  EXPECT_EQ(groups.find_connection("a"), 5U);
  groups.connection_closed(5);
  EXPECT_EQ(groups.find_connection("a"), 1U);
  groups.leave("PG", 1);
  EXPECT_EQ(groups.find_connection("a"), 1U) << "still in the other group";
  groups.leave("Other", 1);
  EXPECT_FALSE(groups.find_connection("a"));
  EXPECT_THAT(groups.all(), IsEmpty());
}

TEST(ProducerGroups, AnotherClientOnTheSameConnectionReplacesTheFirst) {
  ProducerGroups groups;
  groups.heartbeat("PG", client(1, "a"), kStart);
  groups.heartbeat("PG", client(1, "b"), kStart);
  EXPECT_FALSE(groups.find_connection("a"));
  EXPECT_EQ(groups.find_connection("b"), 1U);
  EXPECT_EQ(groups.members("PG").size(), 1U);
}

TEST(ProducerGroups, SilentMembersAreOutAfterTwoMinutes) {
  ProducerGroups groups;
  groups.heartbeat("PG", client(1, "a"), kStart);
  groups.heartbeat("PG", client(2, "b"), kStart + 60'000);
  EXPECT_THAT(groups.expire(kStart + 120'000), IsEmpty());
  EXPECT_THAT(groups.expire(kStart + 120'001), ElementsAre(1));
  ASSERT_EQ(groups.members("PG").size(), 1U);
  EXPECT_EQ(groups.members("PG")[0].client.id, "b");
  EXPECT_EQ(groups.members("PG")[0].seen_ms, kStart + 60'000);
}

}  // namespace
}  // namespace mq::broker

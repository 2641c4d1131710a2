// Members of consumer groups and what they subscribe, with the time handed in (semantics.md 9.1 and
// the conformance cases of 25.4 that the names give).
#include "broker/consumer_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mq::broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kStart = 1'700'000'000'000;

Client client(std::uint64_t connection, std::string id) {
  return {.connection = connection,
          .id = std::move(id),
          .address = "10.0.0.1:" + std::to_string(40'000 + connection)};
}

Subscriptions topics(std::initializer_list<std::pair<std::string, std::string>> wanted,
                     std::int64_t version = 1) {
  Subscriptions out;
  for (const auto& [topic, expression] : wanted) {
    out[topic] = {
        .expression = expression, .version = version, .tags = TagExpression::parse(expression)};
  }
  return out;
}

class ConsumerGroupsTest : public testing::Test {
 protected:
  ConsumerGroups::Registered beat(const Client& who, std::optional<Subscriptions> wanted,
                                  std::int64_t at_ms = kStart, std::int64_t fingerprint = 0,
                                  wire::MessageModel model = wire::MessageModel::kClustering) {
    return groups.heartbeat(who,
                            {.group = "CG",
                             .mode = {.model = model},
                             .subscriptions = std::move(wanted),
                             .fingerprint = fingerprint},
                            at_ms);
  }
  ConsumerGroups groups;
};

TEST_F(ConsumerGroupsTest, Case41ANewMemberIsToldToAllAndIsListed) {
  EXPECT_THAT(beat(client(1, "a"), topics({{"T", "*"}})).change.connections, ElementsAre(1));
  EXPECT_THAT(beat(client(2, "b"), topics({{"T", "*"}})).change.connections, ElementsAre(1, 2));
  EXPECT_THAT(beat(client(2, "b"), topics({{"T", "*"}})).change.connections, IsEmpty());
  EXPECT_THAT(groups.client_ids("CG"), ElementsAre("a", "b"));
  EXPECT_THAT(groups.client_ids("other"), IsEmpty());
}

TEST_F(ConsumerGroupsTest, Case42ANewerVersionReplacesTheExpressionAndTellsNobody) {
  beat(client(1, "a"), topics({{"T", "A"}}, 1));
  EXPECT_THAT(beat(client(1, "a"), topics({{"T", "B"}}, 2)).change.connections, IsEmpty());
  EXPECT_EQ(groups.subscription("CG", "T")->expression, "B");
  beat(client(1, "a"), topics({{"T", "C"}}, 2));
  EXPECT_EQ(groups.subscription("CG", "T")->expression, "B") << "no newer version, no change";
}

TEST_F(ConsumerGroupsTest, Case43AMemberSilentFor130SecondsIsOut) {
  beat(client(1, "a"), topics({{"T", "*"}}), kStart);
  beat(client(2, "b"), topics({{"T", "*"}}), kStart + 100'000);
  auto expired = groups.expire(kStart + 120'000);
  EXPECT_THAT(expired.connections, IsEmpty());
  expired = groups.expire(kStart + 130'000);
  EXPECT_THAT(expired.connections, ElementsAre(1));
  ASSERT_EQ(expired.changes.size(), 1U);
  EXPECT_THAT(expired.changes[0].connections, ElementsAre(2));
  EXPECT_THAT(groups.client_ids("CG"), ElementsAre("b"));
  expired = groups.expire(kStart + 300'000);
  EXPECT_THAT(expired.connections, ElementsAre(2));
  EXPECT_FALSE(groups.is_online("CG"));
}

TEST_F(ConsumerGroupsTest, TopicsThatComeAndGoAreToldToAll) {
  beat(client(1, "a"), topics({{"T", "*"}}));
  beat(client(2, "b"), topics({{"T", "*"}}));
  EXPECT_THAT(beat(client(1, "a"), topics({{"T", "*"}, {"U", "*"}})).change.connections,
              ElementsAre(1, 2));
  EXPECT_EQ(groups.subscription_count("CG"), 2U);
  EXPECT_THAT(beat(client(2, "b"), topics({{"T", "*"}})).change.connections, ElementsAre(1, 2));
  EXPECT_FALSE(groups.subscription("CG", "U"));
  EXPECT_THAT(groups.groups_subscribing("T"), ElementsAre("CG"));
  EXPECT_THAT(groups.groups_subscribing("U"), IsEmpty());
}

TEST_F(ConsumerGroupsTest, LeavingTellsTheRestAndTheLastOneTakesTheGroupAlong) {
  beat(client(1, "a"), topics({{"T", "*"}}));
  beat(client(2, "b"), topics({{"T", "*"}}));
  EXPECT_THAT(groups.leave("CG", 1).connections, ElementsAre(2));
  EXPECT_THAT(groups.leave("CG", 1).connections, IsEmpty()) << "already gone";
  EXPECT_TRUE(groups.is_online("CG"));
  EXPECT_THAT(groups.leave("CG", 2).connections, IsEmpty());
  EXPECT_FALSE(groups.is_online("CG"));
  EXPECT_FALSE(groups.subscription("CG", "T"));
  EXPECT_FALSE(groups.mode("CG"));
}

TEST_F(ConsumerGroupsTest, TheEndOfAConnectionTakesItOutOfAllItsGroups) {
  beat(client(1, "a"), topics({{"T", "*"}}));
  beat(client(2, "b"), topics({{"T", "*"}}));
  groups.heartbeat(client(1, "a"),
                   {.group = "Other", .mode = {}, .subscriptions = topics({{"T", "*"}})}, kStart);
  const auto changes = groups.connection_closed(1);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].group, "CG");
  EXPECT_THAT(changes[0].connections, ElementsAre(2));
  EXPECT_FALSE(groups.is_online("Other"));
  EXPECT_THAT(groups.connection_closed(1), IsEmpty());
}

TEST_F(ConsumerGroupsTest, TheEndOfAnOldConnectionLeavesTheClientThatCameBack) {
  beat(client(1, "a"), topics({{"T", "*"}}));
  EXPECT_THAT(beat(client(2, "a"), topics({{"T", "*"}})).change.connections, ElementsAre(1, 2));
  EXPECT_THAT(groups.client_ids("CG"), ElementsAre("a")) << "one client, though two connections";
  EXPECT_EQ(groups.find_client("CG", "a")->connection, 2U);
  groups.connection_closed(1);
  EXPECT_THAT(groups.client_ids("CG"), ElementsAre("a"));
  EXPECT_EQ(groups.find_client("CG", "a")->connection, 2U);
}

TEST_F(ConsumerGroupsTest, ABroadcastingGroupIsToldNothing) {
  constexpr auto kModel = wire::MessageModel::kBroadcasting;
  EXPECT_THAT(beat(client(1, "a"), topics({{"T", "*"}}), kStart, 0, kModel).change.connections,
              IsEmpty());
  EXPECT_THAT(beat(client(2, "b"), topics({{"T", "*"}}), kStart, 0, kModel).change.connections,
              IsEmpty());
  EXPECT_EQ(groups.mode("CG")->model, kModel);
  EXPECT_THAT(groups.connection_closed(1)[0].connections, IsEmpty());
}

TEST_F(ConsumerGroupsTest, MembersThatWantDifferentThingsAreNamedOnceEach) {
  EXPECT_EQ(beat(client(1, "a"), topics({{"T", "A"}})).conflict, "");
  EXPECT_EQ(beat(client(2, "b"), topics({{"T", "A"}})).conflict, "");
  const std::string conflict = beat(client(3, "c"), topics({{"T", "B"}})).conflict;
  EXPECT_NE(conflict.find("c at 10.0.0.1:40003 wants T TAG 'B'"), std::string::npos) << conflict;
  EXPECT_NE(conflict.find("a at 10.0.0.1:40001 wants T TAG 'A'"), std::string::npos) << conflict;
  EXPECT_EQ(beat(client(3, "c"), topics({{"T", "B"}})).conflict, "") << "said already";
  EXPECT_EQ(groups.view("CG")->conflicts.size(), 1U);
  beat(client(3, "c"), topics({{"T", "A"}}));
  EXPECT_THAT(groups.view("CG")->conflicts, IsEmpty());
}

TEST_F(ConsumerGroupsTest, TheRetryTopicIsNoConflict) {
  beat(client(1, "a"), topics({{"T", "*"}, {"%RETRY%CG", "*"}}));
  EXPECT_EQ(beat(client(2, "b"), topics({{"T", "*"}})).conflict, "");
}

TEST_F(ConsumerGroupsTest, AHeartbeatWithoutSubscriptionsCountsOnTheLastOne) {
  const auto first = beat(client(1, "a"), topics({{"T", "*"}}), kStart, 77);
  EXPECT_TRUE(first.subscriptions_known);
  const auto second = beat(client(1, "a"), std::nullopt, kStart + 100'000, 77);
  EXPECT_TRUE(second.subscriptions_known);
  EXPECT_THAT(second.change.connections, IsEmpty());
  EXPECT_EQ(groups.subscription_count("CG"), 1U);
  EXPECT_THAT(groups.expire(kStart + 200'000).connections, IsEmpty()) << "it counts as heard";
  EXPECT_FALSE(beat(client(1, "a"), std::nullopt, kStart, 78).subscriptions_known)
      << "another fingerprint: send it whole";
  EXPECT_FALSE(beat(client(2, "a"), std::nullopt, kStart, 77).subscriptions_known)
      << "another connection: send it whole";
}

TEST_F(ConsumerGroupsTest, ViewShowsMembersModeAndSubscriptions) {
  EXPECT_FALSE(groups.view("CG"));
  beat(client(1, "a"), topics({{"T", "A || B"}}));
  const auto view = groups.view("CG");
  ASSERT_TRUE(view);
  ASSERT_EQ(view->clients.size(), 1U);
  EXPECT_EQ(view->clients[0].id, "a");
  EXPECT_EQ(view->mode.type, wire::ConsumeType::kPassively);
  EXPECT_EQ(view->subscriptions.at("T").expression, "A || B");
}

}  // namespace
}  // namespace mq::broker

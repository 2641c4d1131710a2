// The name server's tables. Numbers are those of the conformance cases of replication.md 12.1.
#include "route/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mq::route {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::int64_t kStart = 1'000'000;

wire::TopicConfig topic(const std::string& name, std::int32_t queues = 4, std::int32_t perm = 6) {
  return {.name = name, .read_queues = queues, .write_queues = queues, .perm = perm};
}

struct Broker {
  std::string name = "broker-a";
  std::int64_t id = 0;
  std::string address = "127.0.0.1:10911";
  std::vector<wire::TopicConfig> topics = {topic("T"), topic("U")};
  std::int64_t counter = 1;
  std::int64_t state_version = 0;
  std::uint64_t connection = 7;
  std::int64_t timeout_ms = kHeartbeatTimeoutMs;
  std::optional<bool> acting_master = false;
  std::string zone{};
  std::string cluster = "C";

  [[nodiscard]] Registry::Registration registration() const {
    Registry::Registration out{.cluster = cluster,
                               .broker = name,
                               .address = address,
                               .id = id,
                               .ha_address = address + "9",
                               .zone = zone,
                               .timeout_ms = timeout_ms,
                               .enable_acting_master = acting_master,
                               .connection = connection};
    out.body.topics.version = {.counter = counter, .state_version = state_version};
    for (const auto& t : topics) out.body.topics.topics[t.name] = t;
    return out;
  }
};

class RegistryTest : public testing::Test {
 protected:
  Registry::Accepted accept(const Broker& broker, std::int64_t at = kStart) {
    auto done = registry_.register_broker(broker.registration(), at);
    EXPECT_TRUE(done) << done.error();
    return done ? *done : Registry::Accepted();
  }
  std::map<std::int64_t, std::string> addresses(std::string_view name = "broker-a") {
    return registry_.member_group("C", name).addrs;
  }
  std::int32_t perm(std::string_view name, std::string_view broker = "broker-a") {
    const auto route = registry_.route(name);
    if (!route) return -1;
    for (const auto& queues : route->queues)
      if (queues.broker_name == broker) return queues.perm;
    return -1;
  }
  Registry registry_;
};

TEST_F(RegistryTest, Case1ARouteHasTheQueuesAndTheAddressOfItsBroker) {
  accept({.topics = {topic("T", 4), topic("U", 8)}});
  const auto route = registry_.route("U");
  ASSERT_TRUE(route);
  EXPECT_THAT(route->queues,
              ElementsAre(wire::QueueData{
                  .broker_name = "broker-a", .read_queues = 8, .write_queues = 8, .perm = 6}));
  ASSERT_EQ(route->brokers.size(), 1U);
  EXPECT_EQ(route->brokers[0].addrs.at(0), "127.0.0.1:10911");
  const auto none = registry_.route("V");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Errc::kNotFound);
}

TEST_F(RegistryTest, Case2TheEndOfItsConnectionTakesABrokerOutAtOnce) {
  accept({});
  accept({.name = "broker-b", .address = "127.0.0.1:20911", .connection = 8});
  registry_.connection_closed(7);
  const auto route = registry_.route("T");
  ASSERT_TRUE(route);
  ASSERT_EQ(route->brokers.size(), 1U);
  EXPECT_EQ(route->brokers[0].name, "broker-b");
  EXPECT_EQ(registry_.cluster_info().clusters.at("C"), std::vector<std::string>{"broker-b"});
  registry_.connection_closed(8);
  EXPECT_FALSE(registry_.route("T"));
  EXPECT_THAT(registry_.topics(), IsEmpty());
  EXPECT_THAT(registry_.cluster_info().clusters, IsEmpty());
}

TEST_F(RegistryTest, ABrokerThatRegisteredOnANewConnectionSurvivesTheEndOfTheOldOne) {
  accept({.connection = 7});
  accept({.connection = 9});
  registry_.connection_closed(7);
  EXPECT_TRUE(registry_.route("T"));
}

TEST_F(RegistryTest, Case3SilenceTakesABrokerOutAfterItsTimeout) {
  for (const std::int64_t timeout : {kHeartbeatTimeoutMs, std::int64_t{10'000}}) {
    SCOPED_TRACE(timeout);
    accept({.timeout_ms = timeout});
    EXPECT_THAT(registry_.expire(kStart + timeout), IsEmpty());
    EXPECT_TRUE(registry_.route("T"));
    EXPECT_THAT(registry_.expire(kStart + timeout + 1), ElementsAre(7));
    EXPECT_FALSE(registry_.route("T"));
  }
}

TEST_F(RegistryTest, EachSignOfLifePutsTheEndOff) {
  accept({.timeout_ms = 10'000});
  registry_.heartbeat("C", "127.0.0.1:10911", kStart + 8000);
  EXPECT_THAT(registry_.expire(kStart + 17'000), IsEmpty());
  (void)registry_.query_version("C", "127.0.0.1:10911", {.counter = 1}, kStart + 17'000);
  EXPECT_THAT(registry_.expire(kStart + 26'000), IsEmpty());
  accept({.timeout_ms = 10'000}, kStart + 26'000);
  EXPECT_THAT(registry_.expire(kStart + 36'000), IsEmpty());
  EXPECT_THAT(registry_.expire(kStart + 36'001), ElementsAre(7));
  registry_.heartbeat("C", "127.0.0.1:10911", kStart);  // nobody's
  EXPECT_THAT(registry_.expire(kStart + 1'000'000), IsEmpty());
}

TEST_F(RegistryTest, Case5ASlaveIsToldItsMasterOnceThatIsThere) {
  const Broker slave{.id = 1, .address = "127.0.0.1:11911", .connection = 8};
  EXPECT_EQ(accept(slave).master_address, "");
  EXPECT_EQ(accept({}).master_address, "");
  const auto told = accept(slave);
  EXPECT_EQ(told.master_address, "127.0.0.1:10911");
  EXPECT_EQ(told.ha_address, "127.0.0.1:109119");
}

TEST_F(RegistryTest, Case6ANewIdOfAnAddressReplacesItsOldOne) {
  accept({.id = 1, .topics = {topic("T"), topic("U")}});
  accept({.id = 0});
  EXPECT_EQ(addresses(), (std::map<std::int64_t, std::string>{{0, "127.0.0.1:10911"}}));
}

TEST_F(RegistryTest, Case7WipedPermissionsLoseWriteAndAddedOnesAreExactlyReadAndWrite) {
  accept({.topics = {topic("T", 4, 7), topic("U", 4, 4)}});
  accept({.name = "broker-b", .address = "127.0.0.1:20911", .connection = 8});
  EXPECT_EQ(registry_.change_write_perm("broker-a", false), 2);
  EXPECT_EQ(perm("T"), 5);
  EXPECT_EQ(perm("T", "broker-b"), 6);
  accept({.topics = {topic("T", 4, 7), topic("U", 4, 4)}});  // the same version: stays wiped
  EXPECT_EQ(perm("T"), 5);
  EXPECT_EQ(registry_.change_write_perm("broker-a", true), 2);
  EXPECT_EQ(perm("T"), 6);
  EXPECT_EQ(perm("U"), 6);
  EXPECT_EQ(registry_.change_write_perm("nobody", true), 0);
}

TEST_F(RegistryTest, AnUnknownBrokerIsNotTakenByAChangeOfOneTopic) {
  const Broker partial{.topics = {topic("T")}};
  EXPECT_FALSE(registry_.register_broker(partial.registration(), kStart));
  EXPECT_FALSE(registry_.route("T"));
  EXPECT_THAT(registry_.cluster_info().brokers, IsEmpty());
  accept({});
  accept({.topics = {topic("V")}, .counter = 2});
  EXPECT_EQ(perm("V"), 6);
  EXPECT_EQ(perm("T"), 6);  // what a change does not name stays
}

TEST_F(RegistryTest, TopicsFollowTheDataVersion) {
  accept({});
  accept({.topics = {topic("T", 8), topic("U")}});  // the same version: nothing to be seen
  EXPECT_EQ(registry_.route("T")->queues[0].read_queues, 4);
  accept({.topics = {topic("T", 8), topic("U"), topic("V")}});  // a new topic counts all the same
  EXPECT_TRUE(registry_.route("V"));
  accept({.topics = {topic("T", 8), topic("U")}, .counter = 2});
  EXPECT_EQ(registry_.route("T")->queues[0].read_queues, 8);
  const auto same = registry_.query_version("C", "127.0.0.1:10911", {.counter = 2}, kStart);
  EXPECT_FALSE(same.changed);
  EXPECT_EQ(same.version->counter, 2);
  EXPECT_TRUE(registry_.query_version("C", "127.0.0.1:10911", {.counter = 3}, kStart).changed);
  const auto unknown = registry_.query_version("C", "127.0.0.1:1", {}, kStart);
  EXPECT_TRUE(unknown.changed);
  EXPECT_FALSE(unknown.version);
}

TEST_F(RegistryTest, MissingTopicsGoOnlyWhereThatIsAskedFor) {
  accept({});
  accept({.topics = {topic("T"), topic("V")}, .counter = 2});
  EXPECT_THAT(registry_.topics(), ElementsAre("T", "U", "V"));
  registry_.set_options({.delete_missing_topics = true});
  accept({.topics = {topic("T"), topic("V")}, .counter = 2});
  EXPECT_THAT(registry_.topics(), ElementsAre("T", "V"));
}

TEST_F(RegistryTest, ADeposedMasterThatComesBackChangesNothing) {
  accept({.address = "127.0.0.1:2", .state_version = 5});
  const auto told = accept({.address = "127.0.0.1:1", .counter = 9, .state_version = 4});
  EXPECT_EQ(told.master_address, "");
  EXPECT_EQ(addresses(), (std::map<std::int64_t, std::string>{{0, "127.0.0.1:2"}}));
  EXPECT_TRUE(registry_.query_version("C", "127.0.0.1:1", {}, kStart).changed);
  accept({.address = "127.0.0.1:1", .counter = 10, .state_version = 5});
  EXPECT_EQ(addresses().at(0), "127.0.0.1:1");
}

TEST_F(RegistryTest, OnlyTheMasterOrTheSmallestSlaveOfANewBrokerSaysTopics) {
  accept({.id = 2, .address = "127.0.0.1:2", .acting_master = std::nullopt, .cluster = "C"});
  EXPECT_FALSE(registry_.route("T"));  // before 5.0: the master alone
  accept({.id = 1, .address = "127.0.0.1:1"});
  EXPECT_TRUE(registry_.route("T"));
  accept({.id = 2, .address = "127.0.0.1:2", .topics = {topic("W"), topic("X")}, .counter = 2});
  EXPECT_FALSE(registry_.route("W"));
}

TEST_F(RegistryTest, AnActingMasterCanBeReadFromAndIsShownAsMasterIfThatIsWanted) {
  accept({.acting_master = true});
  accept({.id = 1, .address = "127.0.0.1:1", .connection = 8, .acting_master = true});
  registry_.connection_closed(7);
  EXPECT_EQ(perm("T"), 4);
  accept({.id = 1, .address = "127.0.0.1:1", .counter = 2, .connection = 8, .acting_master = true});
  EXPECT_EQ(perm("T"), 4);
  EXPECT_EQ(registry_.route("T")->brokers[0].addrs.begin()->first, 1);
  registry_.set_options({.support_acting_master = true});
  const auto shown = registry_.route("T")->brokers[0].addrs;
  EXPECT_EQ(shown, (std::map<std::int64_t, std::string>{{0, "127.0.0.1:1"}}));
  EXPECT_EQ(addresses(), (std::map<std::int64_t, std::string>{{1, "127.0.0.1:1"}}));
  registry_.change_write_perm("broker-a", true);  // a queue that can be written has a master
  EXPECT_EQ(registry_.route("T")->brokers[0].addrs.begin()->first, 1);
}

TEST_F(RegistryTest, ANewSmallestIdIsNoticedByThoseWhoDoNotKnowItYet) {
  accept({.id = 2, .address = "a:2", .connection = 2});
  accept({.id = 1, .address = "a:1", .connection = 1});
  EXPECT_THAT(registry_.take_notices(), IsEmpty());  // nobody asked
  registry_.set_options({.notify_min_id_changed = true});
  accept({.id = 0, .address = "a:0", .connection = 9});
  auto notices = registry_.take_notices();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].min_id, 0);
  EXPECT_EQ(notices[0].ha_address, "a:09");
  EXPECT_THAT(notices[0].tell, UnorderedElementsAre("a:1", "a:2"));
  registry_.unregister_broker("C", "broker-a", "a:0");
  notices = registry_.take_notices();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].min_address, "a:1");
  EXPECT_EQ(notices[0].offline_address, "a:0");
  EXPECT_THAT(notices[0].tell, UnorderedElementsAre("a:1", "a:2"));
}

TEST_F(RegistryTest, ListsAreByClusterAndSystemTopicsAreTheNames) {
  accept({});
  accept({.name = "broker-x",
          .address = "x:1",
          .topics = {topic("T"), topic("X")},
          .connection = 8,
          .cluster = "D"});
  EXPECT_THAT(registry_.topics(), ElementsAre("T", "U", "X"));
  EXPECT_THAT(registry_.topics_of_cluster("D"), ElementsAre("T", "X"));
  EXPECT_THAT(registry_.topics_of_cluster("E"), IsEmpty());
  const auto system = registry_.system_topics();
  EXPECT_THAT(system.topics, UnorderedElementsAre("C", "broker-a", "D", "broker-x"));
  EXPECT_EQ(system.broker_addr, "127.0.0.1:10911");
  EXPECT_THAT(registry_.member_group("D", "broker-a").addrs, IsEmpty());
}

TEST_F(RegistryTest, UnitTopicsAreToldByTheirFlags) {
  wire::TopicConfig unit = topic("unit"), subscribed = topic("subscribed"), both = topic("both");
  unit.sys_flag = 1, subscribed.sys_flag = 2, both.sys_flag = 3;
  accept({.topics = {unit, subscribed, both, topic("plain")}});
  using Unit = Registry::Unit;
  EXPECT_THAT(registry_.unit_topics(Unit::kUnit), ElementsAre("both", "unit"));
  EXPECT_THAT(registry_.unit_topics(Unit::kSubscribed), ElementsAre("both", "subscribed"));
  EXPECT_THAT(registry_.unit_topics(Unit::kSubscribedNotUnit), ElementsAre("subscribed"));
}

TEST_F(RegistryTest, TopicsAreDeletedEverywhereOrInOneClusterAndAddedForKnownBrokers) {
  accept({});
  accept({.name = "broker-x", .address = "x:1", .connection = 8, .cluster = "D"});
  registry_.delete_topic("T", "D");
  EXPECT_EQ(registry_.route("T")->queues.size(), 1U);
  registry_.delete_topic("T", "nowhere");
  registry_.delete_topic("T", "");
  EXPECT_FALSE(registry_.route("T"));
  registry_.delete_topic_of("U", "broker-x");
  EXPECT_EQ(registry_.route("U")->queues.size(), 1U);
  registry_.add_topic("V", {{.broker_name = "broker-a", .read_queues = 2}, {.broker_name = "?"}});
  EXPECT_FALSE(registry_.route("V"));
  registry_.add_topic("V", {{.broker_name = "broker-a", .read_queues = 2}});
  EXPECT_EQ(registry_.route("V")->queues[0].read_queues, 2);
}

TEST_F(RegistryTest, FilterServersAndMappingsComeAndGoWithTheirBroker) {
  auto with = Broker{}.registration();
  with.body.filter_servers = {"127.0.0.1:5"};
  with.body.mappings = {{"T", R"({"topic":"T"})"}};
  ASSERT_TRUE(registry_.register_broker(with, kStart));
  const auto route = registry_.route("T");
  EXPECT_EQ(route->filter_servers.at("127.0.0.1:10911"), with.body.filter_servers);
  EXPECT_EQ(route->mappings.at("broker-a"), R"({"topic":"T"})");
  accept({});
  EXPECT_THAT(registry_.route("T")->filter_servers, IsEmpty());
}

TEST_F(RegistryTest, AZoneKeepsItsOwnBrokersAndThoseWithoutAMaster) {
  accept({.zone = "east"});
  accept({.name = "broker-b", .address = "b:0", .connection = 8, .zone = "west"});
  accept({.name = "broker-c", .id = 1, .address = "c:1", .connection = 9, .zone = "west"});
  auto route = *registry_.route("T");
  ASSERT_EQ(route.brokers.size(), 3U);
  keep_zone(route, "EAST");
  std::vector<std::string> brokers;
  for (const auto& queues : route.queues) brokers.push_back(queues.broker_name);
  EXPECT_THAT(brokers, ElementsAre("broker-a", "broker-c"));
  EXPECT_EQ(route.brokers.size(), 2U);
}

}  // namespace
}  // namespace mq::route

// Consumer groups as they are configured, on a file system in memory (semantics.md 9.3, 9.4).
#include "broker/group_configs.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "support/fault_fs.h"
#include "support/manual_clock.h"

namespace mq::broker {
namespace {

constexpr const char* kPath = "config/subscriptionGroup.json";

class GroupConfigsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(fs.make_directories("config")); }

  std::unique_ptr<GroupConfigs> open() {
    auto groups = std::make_unique<GroupConfigs>(fs, clock, config, kPath);
    auto loaded = groups->load();
    EXPECT_TRUE(loaded) << loaded.error();
    return groups;
  }
  format::GroupTable on_disk() {
    auto text = fs::read_file(fs, kPath);
    EXPECT_TRUE(text) << text.error();
    auto table = format::parse_subscription_group_json(*text);
    EXPECT_TRUE(table) << table.error();
    return *std::move(table);
  }

  test::ManualClock clock;
  test::FaultFs fs{1};
  BrokerConfig config;
};

TEST_F(GroupConfigsTest, KnowsTheBuiltInGroupsAndWritesNothingForThem) {
  const auto groups = open();
  for (const char* name : {"TOOLS_CONSUMER", "SELF_TEST_C_GROUP", "CID_RMQ_SYS_TRANS"})
    EXPECT_NE(groups->find(name), nullptr) << name;
  EXPECT_EQ(groups->find("CG"), nullptr);
  EXPECT_FALSE(fs.exists(kPath));
}

TEST_F(GroupConfigsTest, MakesAGroupOnFirstUseWithTheDefaults) {
  const auto groups = open();
  const auto made = groups->find_or_create("CG");
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(made->retry_max_times, 16);
  EXPECT_EQ(made->retry_queues, 1);
  EXPECT_FALSE(fs.exists(kPath)) << "nobody waits for the disk";
  ASSERT_TRUE(groups->flush());
  const std::int64_t counter = on_disk().version.counter;
  EXPECT_EQ(counter, 1);
  EXPECT_NE(groups->find_or_create("CG"), nullptr);
  ASSERT_TRUE(groups->flush());
  EXPECT_EQ(on_disk().version.counter, counter) << "a known group changes nothing";
  EXPECT_EQ(on_disk().groups.count("TOOLS_CONSUMER"), 1U);
  EXPECT_NE(open()->find("CG"), nullptr);
}

TEST_F(GroupConfigsTest, MakesNoGroupWhenThatIsOffButTheSystemsOwn) {
  config.auto_create_group = false;
  const auto groups = open();
  EXPECT_EQ(groups->find_or_create("CG"), nullptr);
  EXPECT_NE(groups->find_or_create("CID_RMQ_SYS_OTHER"), nullptr);
  config.create_system_groups = false;
  EXPECT_EQ(groups->find_or_create("CID_RMQ_SYS_MORE"), nullptr);
}

TEST_F(GroupConfigsTest, MakesNoGroupOfAnImpossibleName) {
  const auto groups = open();
  EXPECT_EQ(groups->find_or_create("a.b"), nullptr);
  EXPECT_EQ(groups->find_or_create(""), nullptr);
  EXPECT_EQ(groups->find_or_create(std::string(256, 'g')), nullptr);
  EXPECT_FALSE(fs.exists(kPath));
}

TEST_F(GroupConfigsTest, ReplacesAConfigurationButKeepsWhatAnotherBrokerLeftInIt) {
  ASSERT_TRUE(fs::write_file_atomically(
      fs, kPath,
      R"({"dataVersion":{"counter":7},"newer":1,"subscriptionGroupTable":{"CG":{"retryMaxTimes":3,"odd":[1]}}})",
      false));
  const auto groups = open();
  EXPECT_EQ(groups->find("CG")->retry_max_times, 3);
  format::GroupConfig wanted;
  wanted.name = "CG";
  wanted.consume_enable = false;
  ASSERT_TRUE(groups->put(wanted));
  const auto stored = on_disk();
  EXPECT_EQ(stored.version.counter, 8);
  EXPECT_FALSE(stored.groups.at("CG").consume_enable);
  EXPECT_EQ(stored.groups.at("CG").retry_max_times, 16);
  EXPECT_TRUE(stored.groups.at("CG").extra.contains("odd"));
  EXPECT_TRUE(stored.extra.contains("newer"));
}

TEST_F(GroupConfigsTest, RefusesNamesAndAttributesItDoesNotKnow) {
  const auto groups = open();
  format::GroupConfig wanted;
  wanted.name = "a b";
  EXPECT_EQ(groups->put(wanted).error().code(), Errc::kInvalid);
  wanted.name = "CG";
  wanted.attributes["+priority.factor"] = "1";
  EXPECT_EQ(groups->put(wanted).error().code(), Errc::kInvalid);
  EXPECT_EQ(groups->find("CG"), nullptr);
}

TEST_F(GroupConfigsTest, ForbidsATopicAndNoOther) {
  auto groups = open();
  ASSERT_TRUE(groups->forbid_read("CG", "A", true));
  ASSERT_TRUE(groups->forbid_read("CG", "B", true));
  EXPECT_EQ(on_disk().forbidden.at("CG").at("A"), 4);
  groups = open();
  EXPECT_TRUE(groups->is_read_forbidden("CG", "A"));
  EXPECT_FALSE(groups->is_read_forbidden("CG", "C"));
  EXPECT_FALSE(groups->is_read_forbidden("other", "A"));
  ASSERT_TRUE(groups->forbid_read("CG", "A", false));
  EXPECT_FALSE(groups->is_read_forbidden("CG", "A"));
  EXPECT_TRUE(groups->is_read_forbidden("CG", "B")) << "the reference forgets the whole group here";
  ASSERT_TRUE(groups->forbid_read("CG", "B", false));
  EXPECT_TRUE(on_disk().forbidden.empty());
}

TEST_F(GroupConfigsTest, AChangeTakesAlongTheGroupsThatWereNotWrittenYet) {
  const auto groups = open();
  ASSERT_NE(groups->find_or_create("First"), nullptr);
  format::GroupConfig wanted;
  wanted.name = "CG";
  ASSERT_TRUE(groups->put(wanted));
  EXPECT_EQ(on_disk().groups.count("First"), 1U);
  const std::int64_t counter = on_disk().version.counter;
  ASSERT_TRUE(groups->flush());
  EXPECT_EQ(on_disk().version.counter, counter) << "nothing left to write";
}

TEST_F(GroupConfigsTest, AFlushThatFailedIsRepeated) {
  const auto groups = open();
  ASSERT_NE(groups->find_or_create("CG"), nullptr);
  fs.fail({.op = test::FsOp::kWrite, .sys_errno = ENOSPC});
  EXPECT_FALSE(groups->flush());
  ASSERT_TRUE(groups->flush());
  EXPECT_EQ(on_disk().groups.count("CG"), 1U);
}

TEST_F(GroupConfigsTest, AChangeThatCouldNotBeWrittenIsNotMade) {
  const auto groups = open();
  ASSERT_NE(groups->find_or_create("CG"), nullptr);
  fs.fail({.op = test::FsOp::kWrite, .sys_errno = ENOSPC, .forever = true});
  format::GroupConfig wanted;
  wanted.name = "CG";
  wanted.retry_max_times = 1;
  EXPECT_FALSE(groups->put(wanted));
  EXPECT_EQ(groups->find("CG")->retry_max_times, 16);
  EXPECT_FALSE(groups->remove("CG"));
  EXPECT_NE(groups->find("CG"), nullptr);
  EXPECT_FALSE(groups->forbid_read("CG", "T", true));
  EXPECT_FALSE(groups->is_read_forbidden("CG", "T"));
}

TEST_F(GroupConfigsTest, RemovesAGroupForGood) {
  auto groups = open();
  ASSERT_NE(groups->find_or_create("CG"), nullptr);
  ASSERT_TRUE(groups->flush());
  ASSERT_TRUE(groups->remove("CG"));
  ASSERT_TRUE(groups->remove("CG")) << "fine if there is none";
  EXPECT_EQ(open()->find("CG"), nullptr);
}

}  // namespace
}  // namespace mq::broker

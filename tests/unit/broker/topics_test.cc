// The table of topics and its file, on a file system in memory: what is on disk when.
#include "broker/topics.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "support/fault_fs.h"
#include "support/manual_clock.h"

namespace mq::broker {
namespace {

constexpr const char* kPath = "config/topics.json";

class TopicsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(fs.make_directories("config")); }
  std::unique_ptr<Topics> open() {
    auto topics = std::make_unique<Topics>(fs, clock, config, kPath);
    auto loaded = topics->load();
    EXPECT_TRUE(loaded) << loaded.error();
    return topics;
  }
  format::TopicTable on_disk() {
    auto text = fs::read_file(fs, kPath);
    EXPECT_TRUE(text) << text.error();
    auto table = format::parse_topics_json(*text);
    EXPECT_TRUE(table) << table.error();
    return *std::move(table);
  }
  static format::TopicConfig named(std::string name) {
    format::TopicConfig topic;
    topic.name = std::move(name);
    return topic;
  }

  test::ManualClock clock;
  test::FaultFs fs{1};
  BrokerConfig config;
};

TEST_F(TopicsTest, WhatMayComeLaterIsThereAtOnceAndOnDiskWithTheNextFlush) {
  const auto topics = open();
  std::vector<std::string> told;
  topics->on_change([&](const Topics::Changes& changes) {
    for (const auto& [name, topic] : changes.topics) told.emplace_back(name);
  });
  const auto made = topics->find_or_create("%RETRY%G", 3, 2, Topics::Durable::kSoon);
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(made->read_queues, 3);
  EXPECT_EQ(made->sys_flag, 2);
  EXPECT_FALSE(fs.exists(kPath));
  EXPECT_EQ(told, std::vector<std::string>{"%RETRY%G"});
  ASSERT_TRUE(topics->flush());
  EXPECT_EQ(on_disk().topics.at("%RETRY%G").write_queues, 3);
  const std::int64_t counter = on_disk().version.counter;
  EXPECT_EQ(counter, topics->all().version.counter);
  ASSERT_TRUE(topics->find_or_create("%RETRY%G", 1, 0, Topics::Durable::kSoon));
  ASSERT_TRUE(topics->flush());
  EXPECT_EQ(on_disk().version.counter, counter) << "a known topic changes nothing";
}

TEST_F(TopicsTest, AChangeTakesAlongWhatWasNotWrittenYet) {
  const auto topics = open();
  ASSERT_TRUE(topics->find_or_create("%RETRY%G", 1, 0, Topics::Durable::kSoon));
  ASSERT_TRUE(topics->put(named("T"), ""));
  EXPECT_EQ(on_disk().topics.count("%RETRY%G"), 1U);
  EXPECT_EQ(on_disk().topics.count("T"), 1U);
  const std::int64_t counter = on_disk().version.counter;
  ASSERT_TRUE(topics->flush());
  EXPECT_EQ(on_disk().version.counter, counter) << "nothing left to write";
  EXPECT_TRUE(open()->find("%RETRY%G"));
}

TEST_F(TopicsTest, AChangeThatCouldNotBeWrittenIsNotMade) {
  const auto topics = open();
  ASSERT_TRUE(topics->put(named("T"), ""));
  const format::DataVersion version = topics->all().version;
  fs.fail({.op = test::FsOp::kWrite, .sys_errno = ENOSPC, .forever = true});
  format::TopicConfig changed = named("T");
  changed.read_queues = 99;
  EXPECT_FALSE(topics->put(changed, ""));
  EXPECT_FALSE(topics->put(named("U"), ""));
  EXPECT_FALSE(topics->remove("T"));
  EXPECT_FALSE(topics->create_on_send("V", "TBW102", 4, false));
  EXPECT_FALSE(topics->find_or_create("%DLQ%G", 1));
  EXPECT_EQ(topics->find("T")->read_queues, 16);
  for (const char* name : {"U", "V", "%DLQ%G"}) EXPECT_FALSE(topics->find(name)) << name;
  EXPECT_EQ(topics->all().version, version);
}

TEST_F(TopicsTest, AFlushThatFailedIsRepeated) {
  const auto topics = open();
  ASSERT_TRUE(topics->find_or_create("%RETRY%G", 1, 0, Topics::Durable::kSoon));
  fs.fail({.op = test::FsOp::kWrite, .sys_errno = ENOSPC});
  EXPECT_FALSE(topics->flush());
  EXPECT_TRUE(topics->find("%RETRY%G"));
  ASSERT_TRUE(topics->flush());
  EXPECT_EQ(on_disk().topics.count("%RETRY%G"), 1U);
}

TEST_F(TopicsTest, RemovedIsRemovedOnDisk) {
  const auto topics = open();
  ASSERT_TRUE(topics->put_all({{named("T"), ""}, {named("U"), ""}}));
  ASSERT_TRUE(topics->remove("T"));
  EXPECT_FALSE(topics->find("T"));
  EXPECT_EQ(on_disk().topics.count("T"), 0U);
  EXPECT_EQ(on_disk().topics.count("U"), 1U);
}

}  // namespace
}  // namespace mq::broker

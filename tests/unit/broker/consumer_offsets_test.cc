// Offsets of consumer groups, on a file system in memory (semantics.md 11, 19;
// store-format.md 6.6).
#include "broker/consumer_offsets.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fault_fs.h"
#include "support/manual_clock.h"

namespace mq::broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr const char* kPath = "config/consumerOffset.json";

class ConsumerOffsetsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(fs.make_directories("config")); }
  std::unique_ptr<ConsumerOffsets> open() {
    auto offsets = std::make_unique<ConsumerOffsets>(fs, clock, kPath);
    auto loaded = offsets->load();
    EXPECT_TRUE(loaded) << loaded.error();
    return offsets;
  }
  test::ManualClock clock;
  test::FaultFs fs{1};
};

TEST_F(ConsumerOffsetsTest, Case46ASmallerCommitMovesTheGroupBack) {
  const auto offsets = open();
  EXPECT_TRUE(offsets->commit("G", "T", 0, 10));
  EXPECT_TRUE(offsets->commit("G", "T", 0, 4));
  EXPECT_EQ(offsets->find("G", "T", 0), 4);
}

TEST_F(ConsumerOffsetsTest, AQueueWithoutACommitHasNoOffsetAndNotZero) {
  const auto offsets = open();
  offsets->commit("G", "T", 0, 10);
  EXPECT_EQ(offsets->find("G", "T", 1), std::nullopt);
  EXPECT_EQ(offsets->find("G", "U", 0), std::nullopt);
  EXPECT_EQ(offsets->find("H", "T", 0), std::nullopt);
}

TEST_F(ConsumerOffsetsTest, Case48WhatWasFlushedIsThereAfterAPowerCut) {
  {
    const auto offsets = open();
    offsets->commit("G", "T", 3, 42);
    ASSERT_TRUE(offsets->flush());
    offsets->commit("G", "T", 3, 50);  // not flushed any more
    fs.power_cut();
  }
  fs.restart();
  EXPECT_EQ(open()->find("G", "T", 3), 42);
}

TEST_F(ConsumerOffsetsTest, TheFileIsTheReferencesAndIsWrittenOnlyWhenThereIsNews) {
  const auto offsets = open();
  ASSERT_TRUE(offsets->flush());
  EXPECT_FALSE(fs.exists(kPath));
  offsets->commit("G", "T", 1, 7);
  offsets->commit("G", "T", 0, 12);
  ASSERT_TRUE(offsets->flush());
  EXPECT_EQ(*fs::read_file(fs, kPath),
            "{\n\t\"dataVersion\":{\n\t\t\"counter\":1,\n\t\t\"stateVersion\":0,\n"
            "\t\t\"timestamp\":1700000000000\n\t},\n\t\"offsetTable\":{\n\t\t\"T@G\":{\n"
            "\t\t\t\"0\":12,\n\t\t\t\"1\":7\n\t\t}\n\t}\n}");
  offsets->commit("G", "T", 1, 7);
  ASSERT_TRUE(offsets->flush());
  EXPECT_EQ(offsets->all().version.counter, 1) << "the same again is no news";
}

TEST_F(ConsumerOffsetsTest, AFlushThatFailedIsRepeated) {
  const auto offsets = open();
  offsets->commit("G", "T", 0, 1);
  fs.fail({.op = test::FsOp::kWrite, .sys_errno = ENOSPC});
  EXPECT_FALSE(offsets->flush());
  ASSERT_TRUE(offsets->flush());
  EXPECT_EQ(open()->find("G", "T", 0), 1);
}

TEST_F(ConsumerOffsetsTest, AFileBeyondReadingIsAnErrorAndNotAnEmptyTable) {
  ASSERT_TRUE(fs::write_file_atomically(fs, kPath, "{\"offsetTable\":{\"T@G\":", false));
  ConsumerOffsets offsets(fs, clock, kPath);
  EXPECT_FALSE(offsets.load());
}

TEST_F(ConsumerOffsetsTest, AResetWinsUntilThePullThatTakesIt) {
  const auto offsets = open();
  offsets->commit("G", "T", 0, 100);
  offsets->commit("G", "T", 1, 100);
  offsets->reset("G", "T", {{0, 5}});
  EXPECT_FALSE(offsets->commit("G", "T", 0, 101)) << "from before the reset";
  EXPECT_TRUE(offsets->commit("G", "T", 1, 101)) << "another queue";
  EXPECT_EQ(offsets->find("G", "T", 0), 5);
  EXPECT_EQ(offsets->take_reset("G", "T", 1), std::nullopt);
  EXPECT_TRUE(offsets->has_reset("G", "T", 0));
  EXPECT_EQ(offsets->take_reset("G", "T", 0), 5);
  EXPECT_FALSE(offsets->has_reset("G", "T", 0));
  EXPECT_EQ(offsets->take_reset("G", "T", 0), std::nullopt) << "once";
  EXPECT_EQ(offsets->find("G", "T", 0), 5);
  EXPECT_TRUE(offsets->commit("G", "T", 0, 6));
  ASSERT_TRUE(offsets->flush());
  EXPECT_EQ(open()->find("G", "T", 0), 6);
}

TEST_F(ConsumerOffsetsTest, ACloneCopiesEveryQueueOfTheTopicAndNothingElse) {
  const auto offsets = open();
  offsets->commit("G", "T", 0, 1);
  offsets->commit("G", "T", 1, 2);
  offsets->commit("G", "U", 0, 3);
  offsets->commit("H", "T", 7, 9);
  offsets->clone("G", "H", "T");
  EXPECT_THAT(offsets->find_all("H", "T"), ElementsAre(Pair(0, 1), Pair(1, 2)));
  EXPECT_THAT(offsets->find_all("H", "U"), IsEmpty());
  offsets->clone("None", "G", "T");
  EXPECT_EQ(offsets->find("G", "T", 0), 1) << "nothing to copy, nothing lost";
}

TEST_F(ConsumerOffsetsTest, KnowsWhoConsumesWhat) {
  const auto offsets = open();
  offsets->commit("G", "T", 0, 1);
  offsets->commit("H", "T", 0, 1);
  offsets->commit("G", "U", 0, 1);
  EXPECT_THAT(offsets->topics_of("G"), ElementsAre("T", "U"));
  EXPECT_THAT(offsets->groups_of("T"), ElementsAre("G", "H"));
  offsets->remove_group("G");
  EXPECT_THAT(offsets->topics_of("G"), IsEmpty());
  EXPECT_EQ(offsets->find("H", "T", 0), 1);
  offsets->remove_topic("T");
  EXPECT_THAT(offsets->groups_of("T"), IsEmpty());
}

TEST_F(ConsumerOffsetsTest, TheSmallestOffsetIsThatOfNobodyLeftOutAndOfNoOneBehindTheQueuesBegin) {
  const auto offsets = open();
  offsets->commit("G", "T", 0, 10);
  offsets->commit("H", "T", 0, 20);
  offsets->commit("I", "T", 0, 3);  // behind what the queue still has
  offsets->commit("H", "T", 1, 5);
  const auto min = [](std::int32_t) -> std::int64_t { return 4; };
  EXPECT_THAT(offsets->smallest("T", {}, min), ElementsAre(Pair(0, 10), Pair(1, 5)));
  EXPECT_THAT(offsets->smallest("T", {"G"}, min), ElementsAre(Pair(0, 20), Pair(1, 5)));
  EXPECT_EQ(offsets->find("G", "T", 0), 10) << "leaving it out does not delete it";
}

TEST_F(ConsumerOffsetsTest, PullsAreRememberedForShowing) {
  const auto offsets = open();
  offsets->note_pull("G", "T", 0, 8);
  EXPECT_EQ(offsets->pulled("G", "T", 0), 8);
  EXPECT_EQ(offsets->find("G", "T", 0), std::nullopt) << "a pull is no commit";
}

}  // namespace
}  // namespace mq::broker

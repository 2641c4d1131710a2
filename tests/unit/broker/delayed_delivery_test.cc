// Goal: a message of a delay level is in its queue when it is due, never before, whatever happens
// to the process, the disk and the clock; and delayOffset.json says no more than is on disk.
// Method: a store in memory, a clock moved by hand, the state machine stepped by hand.
#include "broker/delayed_delivery.h"

#include <chrono>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/log.h"
#include "broker/state_file.h"
#include "support/golden_store.h"
#include "support/seeds.h"
#include "unit/broker/later_fixture.h"

namespace mq::broker {
namespace {

using test::LaterStore;
using test::Seen;

constexpr const char* kPath = "store/config/delayOffset.json";

class DelayedDeliveryTest : public ::testing::Test {
 protected:
  DelayedDeliveryTest() { log::set_level(log::Level::kOff); }
  ~DelayedDeliveryTest() override { log::set_level(log::Level::kInfo); }

  void open(store::FlushMode mode = store::FlushMode::kAsync) {
    s.open(mode);
    load();
  }
  void load() {
    ASSERT_TRUE(s.fs.make_directories("store/config"));
    delayed.emplace(DelayedDelivery::Options{.store = *s.store,
                                             .fs = s.fs,
                                             .stats = &stats,
                                             .path = kPath,
                                             .levels = *format::DelayLevels::parse(s.levels)});
    auto done = delayed->load(s.clock.now_ms());
    ASSERT_TRUE(done) << done.error();
  }
  std::int64_t step(std::int64_t budget = 1000) {
    s.settle();
    return delayed->step(s.clock.now_ms(), budget);
  }
  void send(const std::string& body, int level, std::string_view topic = "T") {
    s.send(topic, body, {{"DELAY", std::to_string(level)}, {"KEYS", "k " + body}});
  }
  [[nodiscard]] std::map<std::int32_t, std::int64_t> saved() {
    std::map<std::int32_t, std::int64_t> out;
    const auto done = load_state_file(s.fs, kPath, [&](std::string_view text) -> Result<void> {
      MQ_TRY(auto parsed, format::parse_delay_offset_json(text));
      out = parsed.offsets;
      return {};
    });
    EXPECT_TRUE(done) << done.error();
    return out;
  }
  // Steps until what has been delivered is on disk and in the file.
  [[nodiscard]] bool saved_soon(const std::map<std::int32_t, std::int64_t>& want) {
    for (int i = 0; i < 5000; ++i) {
      (void)delayed->step(s.clock.now_ms(), 0);
      if (saved() == want) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

  LaterStore s;
  Stats stats{0};
  std::optional<DelayedDelivery> delayed;
};

TEST_F(DelayedDeliveryTest, Case55AMessageIsThereWhenItIsDueAndNotAMillisecondBefore) {
  open();
  const std::int64_t sent_ms = s.clock.now_ms();
  send("two", 2);
  EXPECT_EQ(step(), sent_ms + 5000) << "comes again when the message is due";
  s.clock.advance_ms(4999);
  EXPECT_EQ(step(), sent_ms + 5000);
  EXPECT_TRUE(s.bodies("T").empty());
  s.clock.advance_ms(1);
  EXPECT_EQ(step(), INT64_MAX);
  EXPECT_EQ(s.bodies("T"), std::vector<std::string>{"two"});
  EXPECT_EQ(delayed->delivered_total(), 1);
}

TEST_F(DelayedDeliveryTest, WhatIsDeliveredIsTheRecordButForItsPlaceAndTime) {
  open();
  s.send("T", "body", {{"DELAY", "1"}, {"TAGS", "a"}, {"UNIQ_KEY", "id"}}, 2);
  const Seen waiting = s.seen("SCHEDULE_TOPIC_XXXX", 0).at(0);
  s.clock.advance_ms(1000);
  step();
  const Seen got = s.seen("T", 2).at(0);
  EXPECT_EQ(got.body, "body");
  EXPECT_EQ(got.properties, waiting.properties) << "as the reference: DELAY and REAL_* stay";
  EXPECT_EQ(got.born_ms, waiting.born_ms);
  EXPECT_EQ(got.store_ms, waiting.store_ms + 1000);
  std::array<format::ConsumeQueueEntry, 1> entry;
  ASSERT_EQ(s.store->entries("T", 2, QueueOffset(0), entry).value(), 1U);
  EXPECT_EQ(entry[0].tag_code, format::tag_code(got.properties)) << "the tag's hash, not a time";
  EXPECT_EQ(stats.totals().put_messages.load(), 1);
}

TEST_F(DelayedDeliveryTest, LevelsDoNotWaitForEachOther) {
  open();
  send("late", 3);
  send("early", 1);
  s.clock.advance_ms(1000);
  step();
  EXPECT_EQ(s.bodies("T"), std::vector<std::string>{"early"});
  s.clock.advance_ms(9000);
  step();
  EXPECT_EQ(s.bodies("T"), (std::vector<std::string>{"early", "late"}));
}

TEST_F(DelayedDeliveryTest, ABudgetThatIsUsedUpHoldsUpNoLevelForLong) {
  open();
  for (int i = 0; i < 50; ++i) send("one", 1, "A");
  send("two", 2, "B");
  s.clock.advance_ms(5000);
  for (int i = 0; i < 20; ++i) EXPECT_LE(step(1), s.clock.now_ms());
  EXPECT_EQ(s.bodies("B").size(), 1U);
}

TEST_F(DelayedDeliveryTest, Case57ARestartLosesNothingAndRepeatsNothingThatWasSaved) {
  open();
  for (int i = 0; i < 10; ++i) send(std::to_string(i), 1);
  s.clock.advance_ms(1000);
  step(4);
  ASSERT_TRUE(s.store->sync());
  ASSERT_TRUE(delayed->save(s.clock.now_ms()));
  EXPECT_EQ(saved(), (std::map<std::int32_t, std::int64_t>{{1, 4}}));
  s.close();
  s.clock.advance_ms(12'000);
  open();
  step();
  std::vector<std::string> want;
  for (int i = 0; i < 10; ++i) want.push_back(std::to_string(i));
  EXPECT_EQ(s.bodies("T"), want);
}

TEST_F(DelayedDeliveryTest, TheFileFollowsAtItsIntervalOnceTheCopiesAreOnDisk) {
  open();
  send("a", 1);
  send("b", 18);
  s.clock.advance_ms(1000);
  step();
  EXPECT_TRUE(saved().empty()) << "not yet";
  s.clock.advance_ms(9000);
  step();
  EXPECT_TRUE(saved_soon({{1, 1}, {18, 0}}));
}

TEST_F(DelayedDeliveryTest, TheFileNeverSaysMoreThanTheDiskHolds) {
  open();
  send("a", 1);
  ASSERT_TRUE(s.store->sync());
  s.fs.fail({.op = mq::test::FsOp::kSync, .forever = true, .path_part = "commitlog"});
  s.clock.advance_ms(1000);
  step();
  ASSERT_EQ(delayed->delivered_total(), 1);
  s.clock.advance_ms(10'000);
  for (int i = 0; i < 100; ++i) {
    (void)delayed->step(s.clock.now_ms(), 0);
    s.clock.advance_ms(100);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(saved().empty());
}

TEST_F(DelayedDeliveryTest, APutThatIsRefusedForNowIsTriedAgainInOrder) {
  open();
  send("a", 1);
  send("b", 1);
  s.settle();
  ASSERT_TRUE(s.store->close());  // refuses every put from now on, still reads
  s.clock.advance_ms(1000);
  EXPECT_EQ(delayed->step(s.clock.now_ms(), 10), s.clock.now_ms() + 100);
  EXPECT_EQ(delayed->delivered_total(), 0);
  s.store.reset();
  open();
  step();
  EXPECT_EQ(s.bodies("T"), (std::vector<std::string>{"a", "b"}));
}

TEST_F(DelayedDeliveryTest, WhatCannotBeDeliveredIsPassedOver) {
  open();
  const auto put = [&](const test::Properties& properties) {
    const std::string text = test::encoded(properties);
    (void)s.store->put(store::test::common_of("SCHEDULE_TOPIC_XXXX", 0),
                       {.body = as_bytes("x"), .properties = text});
  };
  put({{"DELAY", "1"}});
  put({{"DELAY", "1"}, {"REAL_TOPIC", "T"}, {"REAL_QID", "-1"}});
  put({{"DELAY", "1"}, {"REAL_TOPIC", "T"}, {"REAL_QID", "zero"}});
  put({{"DELAY", "1"}, {"REAL_TOPIC", "RMQ_SYS_TRANS_HALF_TOPIC"}, {"REAL_QID", "0"}});
  send("good", 1);
  s.clock.advance_ms(1000);
  EXPECT_EQ(step(), INT64_MAX);
  EXPECT_EQ(s.bodies("T"), std::vector<std::string>{"good"});
  EXPECT_TRUE(s.bodies("RMQ_SYS_TRANS_HALF_TOPIC").empty());
}

// The clock was an hour ahead when the messages came, or is set back now: the level's delay from
// now on, neither at once nor in an hour.
TEST_F(DelayedDeliveryTest, AClockSetBackCostsAtMostTheDelayOnceMore) {
  open();
  for (int i = 0; i < 3; ++i) send(std::to_string(i), 2);
  s.settle();
  s.clock.set_wall_ms(s.clock.now_ms() - 3'600'000);
  EXPECT_EQ(step(), s.clock.now_ms() + 5000);
  s.clock.advance_ms(4999);
  step();
  EXPECT_TRUE(s.bodies("T").empty());
  s.clock.advance_ms(1);
  step();
  EXPECT_EQ(s.bodies("T").size(), 3U) << "all of them, not one each five seconds";
}

TEST_F(DelayedDeliveryTest, LevelsThatAreConfiguredNoLongerAreDeliveredAllTheSame) {
  open();
  send("eighteen", 18);
  s.close();
  s.levels = "1s 5s";
  open();
  s.clock.advance_ms(7'200'000);
  step();
  EXPECT_EQ(s.bodies("T"), std::vector<std::string>{"eighteen"});
}

TEST_F(DelayedDeliveryTest, OffsetsOutsideTheirQueueAreMovedIntoIt) {
  open();
  send("a", 1);
  s.settle();
  ASSERT_TRUE(fs::write_file_atomically(s.fs, kPath, "{\"offsetTable\":{1:77,2:-5}}", false));
  load();
  s.clock.advance_ms(1000);
  step();
  EXPECT_TRUE(s.bodies("T").empty()) << "77 is behind the end: everything was delivered";
  send("b", 1);
  s.clock.advance_ms(1000);
  step();
  EXPECT_EQ(s.bodies("T"), std::vector<std::string>{"b"});
}

TEST_F(DelayedDeliveryTest, AFileThatCannotBeReadAtAllIsAnError) {
  open();
  ASSERT_TRUE(fs::write_file_atomically(s.fs, kPath, "{\"offsetTable\":[", false));
  DelayedDelivery other({.store = *s.store, .fs = s.fs, .path = kPath, .levels = {}});
  EXPECT_EQ(other.load(0).error().code(), Errc::kCorrupt);
}

// What the reference had delivered stays delivered, what it had not comes when it is due.
TEST_F(DelayedDeliveryTest, TakesOverWhatTheReferenceLeft) {
  const auto golden = mq::test::GoldenStore::unpack("features");
  mq::test::ManualClock clock(1'795'221'200'000);
  store::StoreOptions options;
  options.root = golden.path();
  options.fs = &fs::posix();
  options.clock = &clock;
  options.commit_log_file_bytes = golden.conf("mappedFileSizeCommitLog", 0);
  options.consume_queue_file_bytes = golden.conf("mappedFileSizeConsumeQueue", 0);
  options.index_shape = {.slots = 500, .entries = 2000};
  auto store = store::MessageStore::open(options);
  ASSERT_TRUE(store) << store.error();
  DelayedDelivery taken({.store = **store,
                         .fs = fs::posix(),
                         .path = golden.path() + "/config/delayOffset.json",
                         .levels = *format::DelayLevels::parse(options.message_delay_level)});
  ASSERT_TRUE(taken.load(clock.now_ms()));
  const auto delivered = [&] {
    return (*store)->max_offset("GoldenFeatDelay", 0).value() +
           (*store)->max_offset("GoldenFeatDelay", 1).value();
  };
  EXPECT_EQ(delivered(), 6);
  EXPECT_EQ(taken.step(clock.now_ms(), 1000), 1'795'221'039'659 + 1'200'000) << "level 15";
  std::vector<std::int64_t> counts;
  for (const std::int64_t delay : {1'200'300, 1'800'300, 3'600'300, 7'200'300}) {
    clock.set_wall_ms(1'795'221'039'659 + delay);
    (void)taken.step(clock.now_ms(), 1000);
    ASSERT_TRUE((*store)->wait_dispatched(60'000));
    counts.push_back(delivered());
  }
  EXPECT_EQ(counts, (std::vector<std::int64_t>{8, 10, 12, 14}));
  ASSERT_TRUE((*store)->close());
}

// Goal: whenever the power goes, each message that was acknowledged as on disk is delivered, and
// none before its time. Method: seeded sends and steps on a file system that forgets; cut, reopen,
// go on; at the end everything acknowledged is there.
TEST_F(DelayedDeliveryTest, APowerCutLosesNothingAndDeliversNothingEarly) {
  for (const std::uint64_t seed : mq::test::seeds(25)) {
    SCOPED_TRACE(testing::Message() << "replay with MQ_SEED=" << seed);
    LaterStore world(seed);
    std::mt19937_64 random(seed);
    std::map<std::string, std::int64_t> due;  // of what was acknowledged
    int number = 0;
    for (int life = 0; life < 3; ++life) {
      world.open(seed % 2 == 0 ? store::FlushMode::kSync : store::FlushMode::kAsync);
      if (HasFatalFailure()) return;
      (void)world.fs.make_directories("store/config");
      DelayedDelivery machine({.store = *world.store,
                               .fs = world.fs,
                               .path = kPath,
                               .levels = *format::DelayLevels::parse(world.levels),
                               .flush_interval_ms = 300});
      ASSERT_TRUE(machine.load(world.clock.now_ms()));
      if (life < 2) world.fs.power_cut_after(20 + static_cast<std::int64_t>(random() % 150));
      for (int i = 0; i < 60 && !world.fs.is_cut(); ++i) {
        const std::string body = std::to_string(number++);
        const std::string text =
            test::encoded({{"DELAY", "1"}, {"REAL_TOPIC", "T"}, {"REAL_QID", "0"}});
        const auto result = world.store->put(store::test::common_of("SCHEDULE_TOPIC_XXXX", 0),
                                             {.body = as_bytes(body), .properties = text});
        if (store::is_stored(result.status) &&
            store::test::wait_durable(*world.store, result.end) == store::PutStatus::kOk) {
          due[body] = result.store_timestamp_ms + 1000;
        }
        world.clock.advance_ms(static_cast<std::int64_t>(random() % 200));
        (void)machine.step(world.clock.now_ms(), 10);
      }
      if (life == 2) {
        world.clock.advance_ms(2000);
        world.settle();
        (void)machine.step(world.clock.now_ms(), 100'000);
        ASSERT_TRUE(world.store->sync());  // readers wait for the disk
        std::set<std::string> there;
        for (const Seen& one : world.seen("T")) {
          there.insert(one.body);
          const auto known = due.find(one.body);
          if (known == due.end()) continue;
          EXPECT_GE(one.store_ms, known->second) << one.body;
        }
        std::vector<std::string> lost;
        for (const auto& [body, at] : due)
          if (!there.contains(body)) lost.push_back(body);
        EXPECT_TRUE(lost.empty()) << testing::PrintToString(lost);
        break;
      }
      if (!world.fs.is_cut()) world.fs.power_cut();
      world.store.reset();
      world.fs.restart();
    }
  }
}

}  // namespace
}  // namespace mq::broker

// Goal: a timed message is delivered at the first tick at or after its time, never before, once as
// long as nothing crashes and at least once whatever does; and the files stay those of the
// reference.
// Method: a store in memory, a clock moved by hand, the state machine stepped by hand.
#include "broker/timer.h"

#include <set>

#include <gtest/gtest.h>

#include "base/log.h"
#include "support/golden_store.h"
#include "support/seeds.h"
#include "unit/broker/later_fixture.h"

namespace mq::broker {
namespace {

using format::find_property;
using test::LaterStore;
using test::Seen;

constexpr const char* kTimerTopic = "rmq_sys_wheel_timer";

class TimerTest : public ::testing::Test {
 protected:
  TimerTest() { log::set_level(log::Level::kOff); }
  ~TimerTest() override {
    timer.reset();
    log::set_level(log::Level::kInfo);
  }

  void open(store::FlushMode mode = store::FlushMode::kAsync) {
    s.open(mode);
    make_timer();
  }
  void make_timer() {
    ASSERT_TRUE(s.fs.make_directories("store/config"));
    timer.emplace(options());
    const auto done = timer->open(s.clock.now_ms());
    ASSERT_TRUE(done) << done.error();
  }
  [[nodiscard]] Timer::Options options() {
    return {.store = *s.store,
            .fs = s.fs,
            .stats = &stats,
            .root = "store",
            .log_file_bytes = 52 * 100 + 16,
            .precision_ms = s.rules.precision_ms,
            .roll_slots = roll_slots};
  }
  // A clean stop.
  void close() {
    ASSERT_TRUE(s.store->sync());
    const auto done = timer->save(s.clock.now_ms());
    ASSERT_TRUE(done) << done.error();
    timer.reset();
    s.close();
  }
  void step(std::int64_t budget = 100'000) {
    s.settle();
    next = timer->step(s.clock.now_ms(), budget);
    s.settle();
  }
  // Advances in small steps, as time does.
  void run_ms(std::int64_t ms, std::int64_t each = 100) {
    for (std::int64_t end = s.clock.now_ms() + ms; s.clock.now_ms() < end;) {
      s.clock.advance_ms(std::min(each, end - s.clock.now_ms()));
      step();
    }
  }
  void send_at(const std::string& body, std::int64_t deliver_ms, std::string_view topic = "T") {
    s.send(topic, body,
           {{"TIMER_DELIVER_MS", std::to_string(deliver_ms)}, {"UNIQ_KEY", "id-" + body}});
  }
  void send_in(const std::string& body, std::int64_t ms) {
    s.send("T", body, {{"TIMER_DELAY_MS", std::to_string(ms)}, {"UNIQ_KEY", "id-" + body}});
  }
  void recall(const std::string& body, std::int64_t deliver_ms) {
    s.send("T", "0",
           {{"TIMER_DELIVER_MS", std::to_string(deliver_ms)},
            {"TIMER_DEL_UNIQKEY", "T+id-" + body},
            {"UNIQ_KEY", "id-" + body}});
  }

  LaterStore s;
  Stats stats{0};
  std::int64_t roll_slots = 172'800;
  std::optional<Timer> timer;
  std::int64_t next = 0;
};

TEST_F(TimerTest, Case58IsDeliveredAtTheTickAfterItsTimeAndNotBefore) {
  open();
  const std::int64_t base = s.clock.now_ms();
  ASSERT_EQ(base % 1000, 0);
  for (const std::int64_t phase : {0, 1, 374, 999}) {
    s.clock.set_wall_ms(base + 60'000 * (phase + 1) + phase);
    const std::int64_t wanted = s.clock.now_ms() + 3000;
    const std::size_t before = s.bodies("T").size();
    send_in("x", 3000);
    step();
    while (s.bodies("T").size() == before) {
      ASSERT_LT(s.clock.now_ms(), wanted + 1000);
      s.clock.advance_ms(1);
      step();
    }
    EXPECT_EQ(s.clock.now_ms(), (wanted + 999) / 1000 * 1000) << "phase " << phase;
    EXPECT_EQ(s.seen("T").back().store_ms, s.clock.now_ms());
  }
}

TEST_F(TimerTest, Case58ATimeThatHasPassedIsNow) {
  open();
  send_at("past", s.clock.now_ms() - 5000);
  send_at("now", s.clock.now_ms());
  EXPECT_EQ(s.bodies("T"), (std::vector<std::string>{"past", "now"}));
  EXPECT_TRUE(s.bodies(kTimerTopic).empty());
}

TEST_F(TimerTest, CarriesWhatTheReferenceWrites) {
  open();
  const std::int64_t sent = s.clock.now_ms() + 250;
  s.clock.set_wall_ms(sent);
  s.send("T", "body", {{"KEYS", "k"}, {"TIMER_DELAY_MS", "1500"}, {"TAGS", "a"}}, 2);
  const Seen waiting = s.seen(kTimerTopic).at(0);
  EXPECT_EQ(waiting.properties, test::encoded({{"KEYS", "k"},
                                               {"TIMER_DELAY_MS", "1500"},
                                               {"TAGS", "a"},
                                               {"TIMER_OUT_MS", std::to_string(sent - 250 + 1000)},
                                               {"REAL_TOPIC", "T"},
                                               {"REAL_QID", "2"}}));
  step();
  run_ms(2000);
  const Seen got = s.seen("T", 2).at(0);
  EXPECT_EQ(
      got.properties,
      waiting.properties + test::encoded({{"TIMER_ENQUEUE_MS", std::to_string(sent - 250)},
                                          {"TIMER_DEQUEUE_MS", std::to_string(got.store_ms)}}));
  EXPECT_EQ(got.born_ms, waiting.born_ms);
  EXPECT_EQ(got.body, "body");
}

TEST_F(TimerTest, HasNoFilesBeforeItIsUsedAndTheReferencesAfter) {
  open();
  step();
  EXPECT_EQ(next, INT64_MAX) << "nothing to come for";
  ASSERT_TRUE(timer->save(s.clock.now_ms()));
  EXPECT_FALSE(s.fs.exists("store/timerwheel"));
  EXPECT_FALSE(s.fs.exists("store/timerlog"));
  EXPECT_FALSE(s.fs.exists("store/config/timercheck"));
  send_in("x", 10'000);
  step();
  EXPECT_LE(next, s.clock.now_ms() + 1000);
  close();
  EXPECT_EQ(s.fs.stat("store/timerwheel")->bytes, format::TimerSlot::kFileBytes);
  EXPECT_EQ(s.fs.stat("store/timerlog/00000000000000000000")->bytes, 52 * 100 + 16);
  EXPECT_EQ(s.fs.stat("store/config/timercheck")->bytes, 4096);
  const auto metrics = fs::read_file(s.fs, "store/config/timermetrics");
  ASSERT_TRUE(metrics);
  EXPECT_EQ(format::parse_timer_metrics_json(*metrics)->topics.at("T").count, 1);
  const auto check = fs::read_file(s.fs, "store/config/timercheck");
  const auto decoded = format::decode_timer_checkpoint(as_bytes(*check));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->last_queue_offset.value(), 1);
  EXPECT_EQ(decoded->master_queue_offset.value(), 1);
  EXPECT_EQ(decoded->last_log_flush_position, 52);
  EXPECT_EQ(decoded->last_read_time_ms, s.clock.now_ms() / 1000 * 1000);
}

TEST_F(TimerTest, ManyForOneSecondComeInOrderAFewAtATime) {
  open();
  std::vector<std::string> want;
  for (int i = 0; i < 500; ++i) {
    want.push_back(std::to_string(i));
    send_in(want.back(), 5000);
  }
  step();
  EXPECT_EQ(timer->state().pending, 500);
  s.clock.advance_ms(6000);
  int turns = 0;
  do {
    step(7);
    ++turns;
    if (turns == 3) {
      EXPECT_TRUE(timer->is_firing());
    }
  } while (next <= s.clock.now_ms());
  EXPECT_EQ(turns, 500 / 7 + 1);
  EXPECT_FALSE(timer->is_firing());
  EXPECT_EQ(s.bodies("T"), want);
  EXPECT_EQ(timer->state().pending, 0);
  EXPECT_EQ(timer->metrics().topics.at("T").count, 0);
}

TEST_F(TimerTest, FarAwayOnesGoRoundTheWheelMoreThanOnce) {
  roll_slots = 12;
  open();
  const std::int64_t sent = s.clock.now_ms();
  for (const std::int64_t seconds : {11, 12, 13, 16, 24, 25, 60, 100})
    send_at(std::to_string(seconds), sent + seconds * 1000);
  step();
  run_ms(101'000);
  const auto seen = s.seen("T");
  ASSERT_EQ(seen.size(), 8U);
  for (const Seen& one : seen) EXPECT_EQ(one.store_ms, sent + std::stoll(one.body) * 1000);
  EXPECT_FALSE(find_property(seen[0].properties, "TIMER_ROLL_TIMES")) << "11 s: not at all";
  EXPECT_EQ(find_property(seen[1].properties, "TIMER_ROLL_TIMES"), std::nullopt)
      << "12 s: its slot is the one before";
  const auto rolled = find_property(seen.back().properties, "TIMER_ROLL_TIMES");
  ASSERT_TRUE(rolled);
  EXPECT_GE(std::stoi(std::string(*rolled)), 7);
  EXPECT_EQ(timer->state().pending, 0);
}

TEST_F(TimerTest, Case60ARecalledMessageIsNotDeliveredAndNorIsTheRecall) {
  open();
  const std::int64_t at = s.clock.now_ms() + 5500;
  send_at("keep", at);
  send_at("drop", at);
  step();
  recall("drop", at);
  step();
  EXPECT_EQ(timer->state().pending, 1);
  run_ms(8000);
  EXPECT_EQ(s.bodies("T"), std::vector<std::string>{"keep"});
  EXPECT_EQ(timer->state().pending, 0);
  EXPECT_EQ(timer->metrics().topics.at("T").count, 0);
}

TEST_F(TimerTest, ARecallWorksAcrossRoundsOfTheWheel) {
  roll_slots = 12;
  open();
  const std::int64_t at = s.clock.now_ms() + 50'500;
  send_at("drop", at);
  run_ms(3000);
  recall("drop", at);
  run_ms(60'000);
  EXPECT_TRUE(s.bodies("T").empty());
  EXPECT_EQ(timer->state().pending, 0);
}

TEST_F(TimerTest, ARecallOfNothingOrTooLateIsForgotten) {
  open();
  const std::int64_t at = s.clock.now_ms() + 2500;
  recall("nobody", at);
  step();
  EXPECT_EQ(timer->state().pending, -1) << "it stands for a message that it takes away";
  run_ms(4000);
  EXPECT_EQ(timer->state().pending, 0);
  // In the queue, but not taken in before its slot was over.
  recall("late", s.clock.now_ms() + 1500);
  s.clock.advance_ms(5000);
  step();
  EXPECT_TRUE(s.bodies("T").empty());
}

// Found by killing brokers with everything pending: what was due while the broker was down was
// delivered before the recall behind it in the queue was looked at.
TEST_F(TimerTest, ARecallInTimeHoldsThoughTheBrokerWasDownMeanwhile) {
  open();
  const std::int64_t at = s.clock.now_ms() + 2500;
  send_at("taken in", at);
  step();
  send_at("keep", at);
  send_at("drop", at);
  recall("drop", at);
  recall("taken in", at);
  close();  // nobody has looked at these
  s.clock.advance_ms(60'000);
  open();
  step();
  run_ms(3000);
  EXPECT_EQ(s.bodies("T"), std::vector<std::string>{"keep"});
  EXPECT_EQ(timer->state().pending, 0);
}

TEST_F(TimerTest, ABusySenderHoldsNoDeliveryUp) {
  open();
  send_in("due", 1500);
  step();
  const auto send_far = [&](int count) {
    for (int i = 0; i < count; ++i) send_in("far", 1'000'000);
  };
  send_far(50);
  s.clock.advance_ms(3000);
  for (int i = 0; i < 8 && s.bodies("T").empty(); ++i) {
    send_far(20);
    step(/*budget=*/10);
  }
  EXPECT_EQ(s.bodies("T"), std::vector<std::string>{"due"});
}

TEST_F(TimerTest, WhatIsTakenInTooLateIsDeliveredAtOnce) {
  open();
  s.clock.advance_ms(5000);
  step();  // its slot is over when it comes
  const std::string text = test::encoded({{"TIMER_OUT_MS", std::to_string(s.clock.now_ms() - 3000)},
                                          {"REAL_TOPIC", "T"},
                                          {"REAL_QID", "0"}});
  (void)s.store->put(store::test::common_of(kTimerTopic, 0),
                     {.body = as_bytes("late"), .properties = text});
  step();
  ASSERT_EQ(s.bodies("T"), std::vector<std::string>{"late"});
  EXPECT_EQ(find_property(s.seen("T")[0].properties, "TIMER_ENQUEUE_MS"), "9223372036854775807");
  close();
  open();
  run_ms(5000);
  EXPECT_EQ(s.bodies("T").size(), 1U) << "and not again after a restart";
}

// The reference puts nothing into the log for what it delivers at once; its check alone tells.
TEST_F(TimerTest, WhatTheReferenceDeliveredAtOnceIsNotDeliveredAgain) {
  open();
  send_in("waits", 60'000);
  step();
  send_in("late", 1500);
  s.clock.advance_ms(5000);
  step();
  ASSERT_EQ(s.bodies("T"), std::vector<std::string>{"late"});
  close();
  {
    auto log = s.fs.open("store/timerlog/00000000000000000000", fs::OpenMode::kReadWrite);
    ASSERT_TRUE((*log)->write_at(52, std::vector<std::byte>(52)));
    auto file = s.fs.open("store/config/timercheck", fs::OpenMode::kReadWrite);
    std::array<std::byte, format::TimerCheckpoint::kEncodedBytes> raw{};
    ASSERT_TRUE((*file)->read_at(0, raw));
    auto check = format::decode_timer_checkpoint(raw);
    ASSERT_TRUE(check);
    EXPECT_EQ(check->last_log_flush_position, 104);
    check->last_log_flush_position = 52;
    format::encode(*check, raw);
    ASSERT_TRUE((*file)->write_at(0, raw));
  }
  open();
  run_ms(3000);
  EXPECT_EQ(s.bodies("T"), std::vector<std::string>{"late"});
  EXPECT_EQ(timer->state().pending, 1);
}

TEST_F(TimerTest, ARestartLosesNothingAndRepeatsNothing) {
  roll_slots = 12;
  open();
  const std::int64_t sent = s.clock.now_ms();
  std::map<std::string, std::int64_t> due;
  for (int i = 0; i < 60; ++i) {
    const std::int64_t at = sent + 500 * i + 137;
    due[std::to_string(i)] = (at + 999) / 1000 * 1000;
    send_at(std::to_string(i), at);
    if (i % 10 == 0) step();
    if (i % 13 == 7) {
      close();
      s.clock.advance_ms(900);
      open();
    }
    if (i % 9 == 0) run_ms(400);
  }
  run_ms(40'000);
  std::set<std::string> seen;
  for (const Seen& one : s.seen("T")) {
    EXPECT_TRUE(seen.insert(one.body).second) << one.body << " twice";
    EXPECT_GE(one.store_ms, due[one.body]);
  }
  EXPECT_EQ(seen.size(), due.size());
}

TEST_F(TimerTest, WhatCameDueWhileTheBrokerWasDownComesAtOnce) {
  open();
  send_in("a", 5000);
  send_in("b", 100'000'000);
  step();
  close();
  s.clock.advance_ms(90LL * 86'400'000);  // longer than the wheel is round
  open();
  step();
  EXPECT_EQ(s.bodies("T"), (std::vector<std::string>{"a", "b"}));
}

TEST_F(TimerTest, WithoutItsCheckOrWheelTheLogStillTells) {
  for (const char* lost : {"store/config/timercheck", "store/timerwheel"}) {
    SCOPED_TRACE(lost);
    open();
    const std::size_t before = s.bodies("T").size();
    send_in("x", 30'000);
    step();
    close();
    ASSERT_TRUE(s.fs.remove(lost));
    open();
    EXPECT_EQ(timer->state().pending, 1);
    run_ms(31'000);
    EXPECT_EQ(s.bodies("T").size(), before + 1);
    close();
  }
}

// The log lost its end: what the wheel says of it is mended, and the queue is read again.
TEST_F(TimerTest, SlotsThatPointBehindTheLogAreMended) {
  open();
  for (int i = 0; i < 10; ++i) send_in(std::to_string(i), 30'000 + i % 2 * 1000);
  step();
  close();
  {
    auto file = s.fs.open("store/timerlog/00000000000000000000", fs::OpenMode::kReadWrite);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write_at(52 * 6, std::vector<std::byte>(52 * 4)));
  }
  open();
  run_ms(33'000);
  const std::vector<std::string> bodies = s.bodies("T");
  EXPECT_EQ(bodies.size(), 10U);
  EXPECT_EQ(std::set(bodies.begin(), bodies.end()).size(), 10U);
}

// A power cut took messages and left their units in the timer log: the messages that are stored in
// their places next are not delivered at their times.
TEST_F(TimerTest, UnitsOfLostMessagesAreForgotten) {
  open();
  send_in("kept", 30'000);
  step();
  ASSERT_TRUE(s.store->sync());
  const std::string log = "store/timerlog/00000000000000000000";
  close();
  {
    // As written for a message behind the end of the commit log.
    s.open();
    const PhysicalOffset end = s.store->stats().written;
    auto file = s.fs.open(log, fs::OpenMode::kReadWrite);
    ASSERT_TRUE(file);
    std::array<std::byte, 52> raw{};
    format::encode(format::TimerUnit{.write_time_ms = s.clock.now_ms(),
                                     .delay_ms = 2000,
                                     .commitlog_offset = end,
                                     .record_bytes = 200},
                   raw);
    ASSERT_TRUE((*file)->write_at(52, raw));
    make_timer();
  }
  send_in("next", 20'000);  // stored where the lost one was
  step();
  run_ms(19'900);
  EXPECT_TRUE(s.bodies("T").empty());
  run_ms(15'000);
  EXPECT_EQ(s.bodies("T"), (std::vector<std::string>{"next", "kept"}));
}

TEST_F(TimerTest, AnotherPrecisionIsRefusedWhileTimersWait) {
  open();
  send_in("x", 30'000);
  step();
  close();
  s.open();
  s.rules.precision_ms = 100;
  Timer other(options());
  const auto done = other.open(s.clock.now_ms());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Errc::kInvalid);
  EXPECT_NE(done.error().text().find("written with 1000"), std::string::npos);
}

TEST_F(TimerTest, AFinerPrecisionDeliversFiner) {
  s.rules.precision_ms = 100;
  open();
  send_in("x", 250);
  step();
  run_ms(299, 1);
  EXPECT_TRUE(s.bodies("T").empty());
  run_ms(1);
  EXPECT_EQ(s.bodies("T").size(), 1U);
}

TEST_F(TimerTest, AClockSetBackDeliversNothingEarlyAndNothingTwice) {
  open();
  send_in("before", 2000);
  step();
  run_ms(20'000);
  ASSERT_EQ(s.bodies("T").size(), 1U);
  ASSERT_TRUE(s.store->sync());  // what was delivered must be safe before time goes back
  s.clock.set_wall_ms(s.clock.now_ms() - 15'000);
  step();
  EXPECT_LE(timer->state().read_ms, s.clock.now_ms());
  const std::int64_t sent = s.clock.now_ms();
  send_in("after", 4000);
  step();
  run_ms(3999 - (s.clock.now_ms() - sent));
  EXPECT_EQ(s.bodies("T").size(), 1U);
  run_ms(20'000);
  EXPECT_EQ(s.bodies("T"), (std::vector<std::string>{"before", "after"}));
  EXPECT_LT(s.seen("T")[1].store_ms, sent + 60'000);
}

TEST_F(TimerTest, APutThatIsRefusedForNowIsTriedAgainInOrder) {
  open();
  for (const char* body : {"a", "b", "c"}) send_in(body, 2000);
  step();
  ASSERT_TRUE(s.store->sync());
  ASSERT_TRUE(timer->save(s.clock.now_ms()));
  ASSERT_TRUE(s.store->close());  // refuses every put from now on, still reads
  s.clock.advance_ms(3000);
  EXPECT_EQ(timer->step(s.clock.now_ms(), 100), s.clock.now_ms() + 100);
  EXPECT_EQ(timer->state().pending, 3);
  timer.reset();
  s.store.reset();
  open();
  run_ms(1000);
  EXPECT_EQ(s.bodies("T"), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(TimerTest, NothingSaysItIsDeliveredBeforeTheDiskHasIt) {
  open();
  send_in("x", 2000);
  step();
  ASSERT_TRUE(s.store->sync());
  run_ms(1500);
  const std::int64_t read_before = timer->check().last_read_time_ms;
  s.fs.fail({.op = mq::test::FsOp::kSync, .forever = true, .path_part = "commitlog"});
  run_ms(5000);
  EXPECT_EQ(s.bodies("T").size(), 1U);
  EXPECT_EQ(timer->check().last_read_time_ms, read_before);
}

TEST_F(TimerTest, WhatDoesNotSayWhenOrWhereIsPassedOver) {
  open();
  const auto put = [&](const test::Properties& properties) {
    const std::string text = test::encoded(properties);
    (void)s.store->put(store::test::common_of(kTimerTopic, 0),
                       {.body = as_bytes("x"), .properties = text});
  };
  put({{"KEYS", "k"}});
  put({{"TIMER_OUT_MS", "soon"}, {"REAL_TOPIC", "T"}, {"REAL_QID", "0"}});
  put({{"TIMER_OUT_MS", std::to_string(s.clock.now_ms() + 2000)}});
  put({{"TIMER_OUT_MS", std::to_string(s.clock.now_ms() + 2000)}, {"REAL_TOPIC", "T"}});
  send_in("good", 2000);
  step();
  run_ms(5000);
  EXPECT_EQ(s.bodies("T"), std::vector<std::string>{"good"});
}

// What the reference had pending is delivered when it is due, what it had delivered is not again.
TEST_F(TimerTest, TakesOverWhatTheReferenceLeft) {
  const auto golden = mq::test::GoldenStore::unpack("features");
  mq::test::ManualClock clock(1'795'221'200'000);
  store::StoreOptions o;
  o.root = golden.path();
  o.fs = &fs::posix();
  o.clock = &clock;
  o.commit_log_file_bytes = golden.conf("mappedFileSizeCommitLog", 0);
  o.consume_queue_file_bytes = golden.conf("mappedFileSizeConsumeQueue", 0);
  o.index_shape = {.slots = 500, .entries = 2000};
  auto store = store::MessageStore::open(o);
  ASSERT_TRUE(store) << store.error();
  Timer taken({.store = **store,
               .fs = fs::posix(),
               .root = golden.path(),
               .log_file_bytes = golden.conf("mappedFileSizeTimerLog", 0)});
  ASSERT_TRUE(taken.open(clock.now_ms()));
  EXPECT_EQ(taken.state().pending, 7);
  EXPECT_EQ(taken.metrics().topics.at("GoldenFeatTimer").count, 7);
  EXPECT_EQ(taken.check().last_queue_offset.value(), 12);
  const auto delivered = [&] {
    EXPECT_TRUE((*store)->wait_dispatched(60'000));
    return (*store)->max_offset("GoldenFeatTimer", 0).value() +
           (*store)->max_offset("GoldenFeatTimer", 1).value();
  };
  const auto run_to = [&](std::int64_t time_ms) {
    clock.set_wall_ms(time_ms);
    while (taken.step(clock.now_ms(), 1000) <= clock.now_ms()) {
    }
    return delivered();
  };
  EXPECT_EQ(run_to(1'795'221'300'000), 5);
  std::int64_t want = 5;
  for (const std::int64_t out_s :
       {1795242640, 1795249840, 1795257040, 1795260640, 1795267840, 1795275040}) {
    EXPECT_EQ(run_to(out_s * 1000 + 999), want) << out_s;
    EXPECT_EQ(run_to(out_s * 1000 + 1000), ++want) << out_s;
  }
  // The last one is 60 hours away: it goes round once more on its way.
  EXPECT_EQ(run_to(1'795'307'441'000), want);
  EXPECT_EQ(run_to(1'795'437'040'999), want);
  EXPECT_EQ(run_to(1'795'437'041'000), want + 1);
  EXPECT_EQ(taken.state().pending, 0);
  ASSERT_TRUE((*store)->sync());
  ASSERT_TRUE(taken.save(clock.now_ms()));
  ASSERT_TRUE((*store)->close());
}

// Goal: whenever the power goes, each message that was acknowledged as on disk is delivered, and
// none before its time. Method: seeded sends, steps, recalls and clean restarts on a file system
// that forgets; cut, reopen, go on; at the end everything acknowledged and not recalled is there.
TEST_F(TimerTest, APowerCutLosesNothingAndDeliversNothingEarly) {
  for (const std::uint64_t seed : mq::test::seeds(25)) {
    SCOPED_TRACE(testing::Message() << "replay with MQ_SEED=" << seed);
    LaterStore world(seed);
    std::mt19937_64 random(seed);
    std::map<std::string, std::int64_t> due;  // of what was acknowledged
    int number = 0;
    for (int life = 0; life < 4; ++life) {
      world.open(seed % 2 == 0 ? store::FlushMode::kSync : store::FlushMode::kAsync);
      if (HasFatalFailure()) return;
      (void)world.fs.make_directories("store/config");
      Timer machine({.store = *world.store,
                     .fs = world.fs,
                     .root = "store",
                     .log_file_bytes = 52 * 20 + 16,
                     .roll_slots = 8,
                     .flush_interval_ms = 200});
      const auto opened = machine.open(world.clock.now_ms());
      ASSERT_TRUE(opened) << opened.error();
      if (life < 3) world.fs.power_cut_after(20 + static_cast<std::int64_t>(random() % 200));
      for (int i = 0; i < 60 && !world.fs.is_cut(); ++i) {
        const std::string body = std::to_string(number++);
        const std::int64_t at = world.clock.now_ms() + static_cast<std::int64_t>(random() % 20'000);
        const std::string given = test::encoded({{"TIMER_DELIVER_MS", std::to_string(at)}});
        std::string text = given;
        const auto placed =
            postpone(world.rules, read_asked(given), "T", 0, world.clock.now_ms(), text);
        ASSERT_TRUE(placed);
        const auto result =
            world.store->put(store::test::common_of(placed->topic, placed->queue_id),
                             {.body = as_bytes(body), .properties = text});
        if (store::is_stored(result.status) &&
            store::test::wait_durable(*world.store, result.end) == store::PutStatus::kOk) {
          due[body] = at;
        }
        world.clock.advance_ms(static_cast<std::int64_t>(random() % 400));
        (void)machine.step(world.clock.now_ms(), 10);
      }
      if (life == 3) {
        for (int i = 0; i < 400; ++i) {
          world.clock.advance_ms(100);
          ASSERT_TRUE(world.store->sync());  // readers wait for the disk
          world.settle();
          (void)machine.step(world.clock.now_ms(), 100'000);
        }
        ASSERT_TRUE(world.store->sync());
        std::set<std::string> there;
        for (const Seen& one : world.seen("T")) {
          there.insert(one.body);
          const auto known = due.find(one.body);
          if (known == due.end()) continue;
          EXPECT_GE(one.store_ms, known->second) << one.body << " " << one.properties;
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

// Where a put goes when its message is to be delivered later, and what it then carries.
#include "broker/postpone.h"

#include <gtest/gtest.h>

#include "format/properties.h"
#include "unit/broker/later_fixture.h"

namespace mq::broker {
namespace {

using format::find_property;
using test::encoded;
using test::Properties;

constexpr std::int64_t kNow = 1'700'000'000'374;

struct Outcome {
  Postponed placed;
  std::string properties;
};
Outcome placed(const Properties& properties, const PostponeRules& rules = {}) {
  const std::string given = encoded(properties);
  Outcome out{{}, given};
  const auto done = postpone(rules, read_asked(given), "T", 3, kNow, out.properties);
  EXPECT_TRUE(done) << done.error();
  if (done) out.placed = *done;
  return out;
}

TEST(Asked, IsReadInOnePassAndTheLastOfANameWins) {
  const std::string text = encoded({{"DELAY", "3"},
                                    {"WAIT", "false"},
                                    {"UNIQ_KEY", "id"},
                                    {"TRAN_MSG", "True"},
                                    {"POP_CK", "x"},
                                    {"DELAY", "4"}});
  const Asked asked = read_asked(text);
  EXPECT_EQ(asked.delay, "4");
  EXPECT_FALSE(asked.wait);
  EXPECT_EQ(asked.unique_key, "id");
  EXPECT_TRUE(asked.transaction);
  EXPECT_TRUE(asked.has_brokers_own);
  EXPECT_FALSE(asked.has_timer());
  EXPECT_TRUE(read_asked(encoded({{"TIMER_DELIVER_MS", "1"}})).has_timer());
  EXPECT_TRUE(read_asked("").wait);
}

TEST(Postpone, LeavesAMessageWithoutALevelAlone) {
  for (const Properties& properties : {Properties{}, Properties{{"KEYS", "k"}},
                                       Properties{{"DELAY", "0"}}, Properties{{"DELAY", "-1"}}}) {
    const Outcome got = placed(properties);
    EXPECT_FALSE(got.placed.later);
    EXPECT_EQ(got.placed.topic, "T");
    EXPECT_EQ(got.placed.queue_id, 3);
    EXPECT_EQ(got.properties, encoded(properties));
  }
}

TEST(Postpone, PutsALevelIntoItsQueueAndRemembersWhereTheMessageBelongs) {
  const Outcome got = placed({{"KEYS", "k"}, {"DELAY", "2"}});
  EXPECT_TRUE(got.placed.later);
  EXPECT_EQ(got.placed.topic, "SCHEDULE_TOPIC_XXXX");
  EXPECT_EQ(got.placed.queue_id, 1);
  EXPECT_EQ(got.properties,
            encoded({{"KEYS", "k"}, {"DELAY", "2"}, {"REAL_TOPIC", "T"}, {"REAL_QID", "3"}}));
}

TEST(Postpone, Case56ALevelAboveTheHighestIsTheHighest) {
  const Outcome got = placed({{"DELAY", "99"}});
  EXPECT_EQ(got.placed.queue_id, 17);
  EXPECT_EQ(find_property(got.properties, "DELAY"), "18");
}

TEST(Postpone, Case59ALevelWinsOverATimeWhichIsDropped) {
  const Outcome got =
      placed({{"TIMER_DELAY_MS", "5000"}, {"DELAY", "1"}, {"TIMER_DELIVER_MS", "9"}});
  EXPECT_EQ(got.placed.topic, "SCHEDULE_TOPIC_XXXX");
  EXPECT_EQ(got.properties, encoded({{"DELAY", "1"}, {"REAL_TOPIC", "T"}, {"REAL_QID", "3"}}));
}

TEST(Postpone, RefusesALevelThatIsNoNumber) {
  for (const char* level : {"x", "1x", "99999999999999999999"}) {
    std::string text = encoded({{"DELAY", level}});
    const std::string given = text;
    const auto done = postpone({}, read_asked(given), "T", 0, kNow, text);
    ASSERT_FALSE(done) << level;
    EXPECT_EQ(done.error().code(), Errc::kInvalid);
  }
}

// A delayed message that was delivered keeps DELAY and REAL_TOPIC; sent back, it gets new ones.
TEST(Postpone, ReplacesTheTargetOfAnEarlierTime) {
  const Outcome got = placed({{"REAL_TOPIC", "Old"}, {"REAL_QID", "9"}, {"DELAY", "3"}});
  EXPECT_EQ(got.properties, encoded({{"DELAY", "3"}, {"REAL_TOPIC", "T"}, {"REAL_QID", "3"}}));
}

TEST(Postpone, PutsATimeIntoTheSlotBeforeIt) {
  const auto out_of = [](const Properties& properties) {
    const Outcome got = placed(properties);
    EXPECT_EQ(got.placed.topic, "rmq_sys_wheel_timer");
    EXPECT_EQ(got.placed.queue_id, 0);
    EXPECT_EQ(find_property(got.properties, "TIMER_OUT_MS"),
              std::to_string(got.placed.timer_out_ms));
    EXPECT_EQ(find_property(got.properties, "REAL_TOPIC"), "T");
    EXPECT_EQ(find_property(got.properties, "REAL_QID"), "3");
    return got.placed.timer_out_ms - 1'700'000'000'000;
  };
  EXPECT_EQ(out_of({{"TIMER_DELAY_MS", "3000"}}), 3000);
  EXPECT_EQ(out_of({{"TIMER_DELAY_SEC", "3"}}), 3000);
  EXPECT_EQ(out_of({{"TIMER_DELIVER_MS", "1700000005000"}}), 4000) << "a whole tick";
  EXPECT_EQ(out_of({{"TIMER_DELIVER_MS", "1700000005001"}}), 5000);
  EXPECT_EQ(out_of({{"TIMER_DELIVER_MS", "1700000000375"}}), 0);
  EXPECT_EQ(out_of({{"TIMER_DELIVER_MS", "1700000009000"}, {"TIMER_DELAY_SEC", "1"}}), 1000)
      << "seconds first";
  EXPECT_EQ(out_of({{"TIMER_DELAY_SEC", "259200"}}), 259'200'000) << "three days to the second";
}

TEST(Postpone, ATimeThatHasPassedOrWasServedIsNow) {
  for (const Properties& properties :
       {Properties{{"TIMER_DELIVER_MS", "1700000000374"}}, Properties{{"TIMER_DELIVER_MS", "-5"}},
        Properties{{"TIMER_DELAY_SEC", "0"}},
        Properties{{"TIMER_DELAY_MS", "-9223372036854775808"}},
        Properties{{"TIMER_DELAY_MS", "5000"}, {"TIMER_OUT_MS", "1"}}}) {
    const Outcome got = placed(properties);
    EXPECT_FALSE(got.placed.later);
    EXPECT_EQ(got.placed.topic, "T");
    EXPECT_EQ(got.properties, encoded(properties));
  }
}

TEST(Postpone, Case59RefusesTimesThatAreTooFarAwayOrNoTimes) {
  for (const Properties& properties :
       {Properties{{"TIMER_DELAY_SEC", "259201"}}, Properties{{"TIMER_DELAY_MS", "259200001"}},
        Properties{{"TIMER_DELIVER_MS", "1700259200375"}},
        Properties{{"TIMER_DELAY_SEC", "9223372036854775807"}},
        Properties{{"TIMER_DELIVER_MS", "9223372036854775807"}},
        Properties{{"TIMER_DELAY_SEC", "99999999999999999999"}},
        Properties{{"TIMER_DELAY_MS", "soon"}},
        Properties{{"TIMER_DELAY_MS", "-1"}, {"TIMER_DEL_UNIQKEY", "T+id"}}}) {
    const std::string given = encoded(properties);
    std::string text = given;
    const auto done = postpone({}, read_asked(given), "T", 3, kNow, text);
    ASSERT_FALSE(done) << given;
    EXPECT_EQ(done.error().code(), Errc::kInvalid) << done.error();
  }
}

TEST(Postpone, TimersMayBeOffAndSlotsMayBeFull) {
  const std::string given = encoded({{"TIMER_DELAY_MS", "5000"}});
  std::string text = given;
  EXPECT_EQ(postpone({.timers = false}, read_asked(given), "T", 0, kNow, text).error().code(),
            Errc::kUnsupported);
  std::int64_t waiting = 0;
  double chance = 0;
  const PostponeRules rules{.congested_at = 100,
                            .timers_at =
                                [&](std::int64_t out_ms) {
                                  EXPECT_EQ(out_ms, 1'700'000'005'000);
                                  return waiting;
                                },
                            .chance = [&] { return chance; }};
  const auto taken = [&](std::int64_t there, double luck) {
    waiting = there;
    chance = luck;
    text = given;
    const auto done = postpone(rules, read_asked(given), "T", 0, kNow, text);
    if (!done) {
      EXPECT_EQ(done.error().code(), Errc::kBusy);
    }
    return done.has_value();
  };
  EXPECT_TRUE(taken(100, 0));
  EXPECT_TRUE(taken(150, 0.51));
  EXPECT_FALSE(taken(150, 0.49));
  EXPECT_FALSE(taken(200, 0.999));
}

}  // namespace
}  // namespace mq::broker

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

struct Outcome {
  Postponed placed;
  std::string properties;
};
Outcome placed(const Properties& properties, const PostponeRules& rules = {}) {
  const std::string given = encoded(properties);
  Outcome out{{}, given};
  const auto done = postpone(rules, read_asked(given), "T", 3, out.properties);
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
    const auto done = postpone({}, read_asked(given), "T", 0, text);
    ASSERT_FALSE(done) << level;
    EXPECT_EQ(done.error().code(), Errc::kInvalid);
  }
}

// A delayed message that was delivered keeps DELAY and REAL_TOPIC; sent back, it gets new ones.
TEST(Postpone, ReplacesTheTargetOfAnEarlierTime) {
  const Outcome got = placed({{"REAL_TOPIC", "Old"}, {"REAL_QID", "9"}, {"DELAY", "3"}});
  EXPECT_EQ(got.properties, encoded({{"DELAY", "3"}, {"REAL_TOPIC", "T"}, {"REAL_QID", "3"}}));
}

}  // namespace
}  // namespace mq::broker

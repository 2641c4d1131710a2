// What the properties of a half message say, and which of them count.
#include "broker/half_message.h"

#include <gtest/gtest.h>

#include "broker/half_done.h"
#include "format/properties.h"

namespace mq::broker {
namespace {

std::string with(std::string_view name, std::string_view value) {
  std::string out;
  format::append_property(out, name, value);
  return out;
}

TEST(HalfMessage, IsOneThatSaysTrueUnlessItIsADelayedRetry) {
  const auto asked = [](const char* transaction, const char* delay) {
    static std::string text;
    text = with("TRAN_MSG", transaction) + with("DELAY", delay);
    return read_asked(text);
  };
  EXPECT_TRUE(is_half(asked("true", "0"), 0));
  EXPECT_TRUE(is_half(asked("TRUE", "3"), 0));
  EXPECT_TRUE(is_half(asked("true", "0"), 2));
  EXPECT_FALSE(is_half(asked("true", "3"), 2));
  EXPECT_FALSE(is_half(asked("yes", "0"), 0));
}

TEST(HalfMessage, SaysWhereItBelongsAndWhoseItIs) {
  std::string properties = with("UNIQ_KEY", "ID") + with("REAL_TOPIC", "forged");
  make_half(properties, "T", 3);
  EXPECT_EQ(format::find_property(properties, "REAL_TOPIC"), "T");
  EXPECT_EQ(format::find_property(properties, "REAL_QID"), "3");
  EXPECT_EQ(format::find_property(properties, "__transactionId__"), "ID");
}

TEST(HalfMessage, ImmunityIsInSecondsAndWhatIsNoNumberIsTheTimeout) {
  const auto immune = [](const char* text) {
    return immunity_ms(with("CHECK_IMMUNITY_TIME_IN_SECONDS", text), 6000);
  };
  EXPECT_EQ(immunity_ms("", 6000), std::nullopt);
  EXPECT_EQ(immune("60"), 60'000);
  EXPECT_EQ(immune("0"), 0);
  EXPECT_EQ(immune("-1"), 6000);
  EXPECT_EQ(immune("soon"), 6000);
  EXPECT_GT(immune("9223372036854775807"), 1LL << 60);
}

TEST(HalfMessage, ItsProducerMayEndItWithinItsImmunityButNotLessThanTheTimeout) {
  const auto within = [](const char* text) {
    return ends_within_ms(with("CHECK_IMMUNITY_TIME_IN_SECONDS", text), 6000);
  };
  EXPECT_EQ(ends_within_ms("", 6000), std::nullopt);
  EXPECT_EQ(within("60"), 60'000);
  EXPECT_EQ(within("1"), 6000);
  EXPECT_EQ(within("soon"), 6000);
}

TEST(HalfMessage, CountsItsChecks) {
  EXPECT_EQ(checks_of(""), 0);
  EXPECT_EQ(checks_of(with("TRANSACTION_CHECK_TIMES", "14")), 14);
  EXPECT_EQ(checks_of(with("TRANSACTION_CHECK_TIMES", "many")), 0);
  EXPECT_EQ(checks_of(with("TRANSACTION_CHECK_TIMES", "-3")), 0);
  EXPECT_EQ(first_half_offset(with("TRAN_PREPARED_QUEUE_OFFSET", "7")), QueueOffset(7));
  EXPECT_EQ(first_half_offset(with("TRAN_PREPARED_QUEUE_OFFSET", "-7")), std::nullopt);
}

TEST(OffsetWindow, HoldsWhatWasAddedFromItsBaseOn) {
  OffsetWindow window(1000);
  for (const std::int64_t at : {1000, 1001, 1063, 1064, 5000, 999}) window.add(at);
  for (const std::int64_t at : {1000, 1001, 1063, 1064, 5000}) EXPECT_TRUE(window.contains(at));
  for (const std::int64_t at : {0, 999, 1002, 1065, 4999, 5001, 100'000})
    EXPECT_FALSE(window.contains(at)) << at;
  window.drop_below(1063);
  EXPECT_FALSE(window.contains(1000));
  EXPECT_TRUE(window.contains(1063));
  EXPECT_TRUE(window.contains(5000));
  window.drop_below(1'000'000);
  EXPECT_FALSE(window.contains(5000));
  window.add(1'000'001);
  EXPECT_TRUE(window.contains(1'000'001));
  window.drop_below(10);  // changes nothing
  window.add(999'999);
  EXPECT_FALSE(window.contains(999'999));
}

TEST(OffsetWindow, TakesNoMemoryForOffsetsThatAreNone) {
  OffsetWindow window(7);
  window.add(INT64_MAX);
  window.add(7 + OffsetWindow::kSpanMax);
  EXPECT_FALSE(window.contains(INT64_MAX));
}

}  // namespace
}  // namespace mq::broker

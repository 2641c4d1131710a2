// The language of `mqdump grep`: what it finds, what it says about the part of the log to look at,
// and what it refuses.
#include "inspect/expression.h"

#include <charconv>

#include <gtest/gtest.h>

#include "format/properties.h"

namespace mq::inspect {
namespace {

Result<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    return Error{Errc::kInvalid, "no number: " + std::string(text)};
  return value;
}
const ExpressionHooks kHooks{.time_ms = number, .size = number};

Bytes as_stored(const format::Record& record, std::string&) { return record.body; }

class ExpressionTest : public testing::Test {
 protected:
  ExpressionTest() {
    format::append_property(properties_, "TAGS", "paid");
    format::append_property(properties_, "KEYS", "o-17 o-18");
    format::append_property(properties_, "UNIQ_KEY", "C0A80001");
    format::append_property(properties_, "region", "eu west");
    record_.topic = "orders";
    record_.queue_id = 3;
    record_.queue_offset = QueueOffset(41);
    record_.physical_offset = PhysicalOffset(10737);
    record_.total_bytes = 231;
    record_.store_timestamp_ms = 1000;
    record_.born_timestamp_ms = 900;
    record_.sys_flag = format::kTransactionCommit;
    record_.body = as_bytes("an error (again)");
    record_.properties = properties_;
  }
  [[nodiscard]] bool finds(std::string_view text) const {
    const auto expression = Expression::parse(text, kHooks);
    EXPECT_TRUE(expression) << text << ": " << expression.error();
    std::string buffer;
    return expression && expression->matches(record_, as_stored, buffer);
  }

  std::string properties_;
  format::Record record_;
};

TEST_F(ExpressionTest, FindsByEachField) {
  for (const char* text : {"topic = orders",
                           "topic==orders",
                           "topic != other",
                           "queue = 3",
                           "offset >= 41",
                           "offset < 42",
                           "physical = 10737",
                           "size > 230",
                           "size <= 231",
                           "body ~ err.r",
                           "body contains 'error (a'",
                           "body ~ (again|never)",
                           "bodysize = 16",
                           "tag = paid",
                           "key = o-17",
                           "key = o-18",
                           "key ~ ^o-1[0-9]$",
                           "id = C0A80001",
                           "stored = 1000",
                           "born < 950",
                           "flag = 0",
                           "sysflag = 8",
                           "reconsumed = 0",
                           "transaction = commit",
                           "property.region = 'eu west'",
                           "property.region = \"eu west\"",
                           "property.none = ''",
                           "storehost ~ ^0\\.0"}) {
    EXPECT_TRUE(finds(text)) << text;
  }
}

TEST_F(ExpressionTest, DoesNotFindWhatDiffers) {
  for (const char* text : {"topic = order", "queue != 3", "offset > 41", "body ~ ^error",
                           "body !~ error", "body contains Error", "key = o-1", "key != o-18",
                           "key !~ 17", "tag < paid", "transaction = none", "stored > 1000"}) {
    EXPECT_FALSE(finds(text)) << text;
  }
}

TEST_F(ExpressionTest, AndBindsCloserThanOr) {
  EXPECT_TRUE(finds("topic = orders or topic = a and queue = 9"));
  EXPECT_FALSE(finds("(topic = orders or topic = a) and queue = 9"));
  EXPECT_TRUE(finds("not (topic = a or queue = 9) and not tag = unpaid"));
  EXPECT_TRUE(finds("not not topic = orders"));
  EXPECT_TRUE(finds("((topic=orders)and(queue=3))"));
  EXPECT_TRUE(finds("body contains 'it''s' or queue=3"));
}

TEST_F(ExpressionTest, TellsWhichPartOfTheLogCanMatch) {
  const auto scan = [](std::string_view text) { return Expression::parse(text, kHooks)->scan(); };
  EXPECT_EQ(scan("physical >= 100 and physical < 200").from, PhysicalOffset(100));
  EXPECT_EQ(scan("physical >= 100 and physical < 200").to, PhysicalOffset(200));
  EXPECT_EQ(scan("stored > 100 and topic = a").from_ms, 101);
  EXPECT_EQ(scan("stored <= 100 or stored = 500").to_ms, 501);
  EXPECT_EQ(scan("stored >= 100 or topic = a").from_ms, INT64_MIN);
  EXPECT_EQ(scan("not stored >= 100").from_ms, INT64_MIN);
  EXPECT_EQ(scan("stored != 100").to_ms, INT64_MAX);
  EXPECT_EQ(scan("topic = a").to, PhysicalOffset(INT64_MAX));
}

TEST_F(ExpressionTest, RefusesWhatItDoesNotUnderstandAndSaysWhere) {
  for (const auto& [text, place] : std::vector<std::pair<const char*, const char*>>{
           {"", "at 0: expected a field"},
           {"topics = a", "at 0: expected a field"},
           {"topic a", "at 6: expected one of"},
           {"topic =", "at 7: expected a value"},
           {"topic = 'a", "closing '"},
           {"topic = a queue = 3", "at 10: expected 'and'"},
           {"(topic = a", "at 10: expected ')'"},
           {"topic = a)", "at 9: expected 'and'"},
           {"topic = a and", "at 13: expected a field"},
           {"queue = x", "'x' is no number"},
           {"queue ~ 3", "this field is a number"},
           {"stored > yesterday", "no number: yesterday"},
           {"body ~ [", "pattern '['"},
           {"property. = a", "expected a field"}}) {
    const auto expression = Expression::parse(text, kHooks);
    ASSERT_FALSE(expression) << text;
    EXPECT_EQ(expression.error().code(), Errc::kInvalid);
    EXPECT_NE(expression.error().text().find(place), std::string::npos)
        << text << ": " << expression.error().text();
  }
}

TEST_F(ExpressionTest, DoesNotGoDownForEver) {
  EXPECT_FALSE(Expression::parse(std::string(100'000, '('), kHooks));
  std::string nots;
  for (int i = 0; i < 100'000; ++i) nots += "not ";
  EXPECT_FALSE(Expression::parse(nots + "queue = 3", kHooks));
}

}  // namespace
}  // namespace mq::inspect

// The SQL filter: the numbered cases of semantics.md 25.3, the rules of section 8, and hostile
// texts. tests/interop/sql_filter_test.sh holds the same code against the reference's classes.
#include "broker/sql_expression.h"

#include <algorithm>
#include <chrono>
#include <map>

#include <gtest/gtest.h>

#include "broker/sql_cache.h"
#include "format/properties.h"

namespace mq::broker {
namespace {

class Given final : public sql::Properties {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;
  explicit Given(Map map) : map_(std::move(map)) {}
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const override {
    const auto found = map_.find(name);
    if (found == map_.end()) return std::nullopt;
    return found->second;
  }

 private:
  Map map_;
};

bool selects(std::string_view text, Given::Map properties) {
  const auto expression = SqlExpression::compile(text);
  EXPECT_TRUE(expression) << text << ": " << expression.error();
  return expression && expression->selects(Given(std::move(properties)));
}
char state(std::string_view text, Given::Map properties) {
  const auto expression = SqlExpression::compile(text);
  if (!expression) return 'E';
  const sql::Value value = expression->evaluate(Given(std::move(properties)));
  if (value.is_failed()) return 'X';
  return value.is_null() ? 'N' : (value.is_true() ? 'T' : 'F');
}
bool compiles(std::string_view text) { return SqlExpression::compile(text).has_value(); }

TEST(SqlExpression, Case30WholeNumbersWantWholeNumbers) {
  EXPECT_TRUE(selects("a > 5", {{"a", "6"}}));
  for (const char* value : {"5", "5.5", "abc", "", " 6", "3000000000"})
    EXPECT_FALSE(selects("a > 5", {{"a", value}})) << value;
  EXPECT_FALSE(selects("a > 5", {}));
}

TEST(SqlExpression, Case31FractionsAndWideNumbersAreTakenByTheConstant) {
  EXPECT_TRUE(selects("a > 5.0", {{"a", "5.5"}}));
  EXPECT_TRUE(selects("a > 3000000000", {{"a", "3000000001"}}));
}

TEST(SqlExpression, Case32AnOperandThatFailsAbortsUnlessItWasSkipped) {
  EXPECT_TRUE(selects("b = 'x' OR a > 5", {{"b", "x"}, {"a", "abc"}}));
  EXPECT_FALSE(selects("a > 5 OR b = 'x'", {{"b", "x"}, {"a", "abc"}}));
}

TEST(SqlExpression, Case33NullOnTheLeftIsUnknownOnTheRightFalse) {
  EXPECT_TRUE(selects("NOT (1 = a)", {}));
  EXPECT_FALSE(selects("NOT (a = 1)", {}));
  EXPECT_TRUE(selects("a = b", {}));
}

TEST(SqlExpression, Case34AbsenceAndBetween) {
  EXPECT_TRUE(selects("a IS NULL", {}));
  EXPECT_FALSE(selects("a IS NULL", {{"a", ""}}));
  EXPECT_TRUE(selects("a BETWEEN 1 AND 3", {{"a", "3"}}));
  EXPECT_TRUE(selects("a NOT BETWEEN 1 AND 3", {{"a", "4"}}));
}

TEST(SqlExpression, Case35In) {
  EXPECT_TRUE(selects("a IN ('x','y')", {{"a", "y"}}));
  EXPECT_FALSE(selects("a NOT IN ('x')", {}));
  EXPECT_TRUE(selects("a NOT IN ('x')", {{"a", "z"}}));
}

TEST(SqlExpression, Case36PartsOfStrings) {
  EXPECT_TRUE(selects("a CONTAINS 'bc'", {{"a", "abcd"}}));
  EXPECT_FALSE(selects("a NOT CONTAINS 'q'", {}));
  EXPECT_TRUE(selects("a NOT CONTAINS 'q'", {{"a", "b"}}));
  EXPECT_TRUE(selects("a STARTSWITH 'ab'", {{"a", "abcd"}}));
  EXPECT_TRUE(selects("a ENDSWITH 'cd'", {{"a", "abcd"}}));
}

TEST(SqlExpression, Case37QuotesAndTruthAsText) {
  EXPECT_TRUE(selects("a = 'it''s'", {{"a", "it's"}}));
  EXPECT_TRUE(selects("a = TRUE", {{"a", "TRUE"}}));
}

TEST(SqlExpression, Case38RulesOfCompilation) {
  for (const char* text : {"a = NULL", "a > 'x'", "a IN (1)", "a BETWEEN 10 AND 0", "a = 0.0",
                           "TRUE = 1", "5", "'x'", "", "a =", "a NOT 5", "(a", "a = 1 #"})
    EXPECT_FALSE(compiles(text)) << text;
  for (const char* text : {"a = 1 garbage", "a LIKE 'b%'", "1 = TRUE", "a NOT BETWEEN 10 AND 0"})
    EXPECT_TRUE(compiles(text)) << text;
}

TEST(SqlExpression, Case39APropertyByItselfIsNeverTrue) {
  EXPECT_FALSE(selects("a", {{"a", "true"}}));
  EXPECT_TRUE(selects("NOT a", {{"a", "1"}}));
  EXPECT_FALSE(selects("NOT a", {}));
}

TEST(SqlExpression, WhatFollowsIsPassedOverOrRefused) {
  using Rest = SqlExpression::Rest;
  const auto refused = SqlExpression::compile("a = 1 garbage", Rest::kRefused);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text(), "at byte 6: 'garbage' is not part of the expression");
  EXPECT_TRUE(SqlExpression::compile("a = 1 -- to the end\n /* and */", Rest::kRefused));
}

TEST(SqlExpression, ErrorsNameThePlace) {
  EXPECT_EQ(SqlExpression::compile("a = ) 1").error().text(),
            "at byte 4: expected a value, a property or '(', found ')'");
  EXPECT_EQ(SqlExpression::compile("a IS").error().text(),
            "ends where NULL or NOT NULL is expected");
}

TEST(SqlExpression, NotBindsMoreTightlyThanAComparison) {
  EXPECT_EQ(state("NOT a = 1", {{"a", "1"}}), 'F');  // (NOT a) = 1: TRUE against a number
  EXPECT_EQ(state("NOT a CONTAINS 'x'", {{"a", "x"}}), 'F');
  EXPECT_EQ(state("NOT (a = 1)", {{"a", "2"}}), 'T');
}

TEST(SqlExpression, ThreeValuesAsKleeneSays) {
  const Given::Map p = {{"t", "1"}};  // t = 1 is TRUE, t = 2 FALSE, n = 1 unknown
  for (const auto& [text, expected] : std::map<std::string, char>{
           {"t = 1 AND n = 1", 'N'},
           {"n = 1 AND t = 2", 'F'},
           {"t = 2 AND n = 1", 'F'},
           {"n = 1 OR t = 1", 'T'},
           {"n = 1 OR t = 2", 'N'},
           {"NOT (n = 1)", 'N'},
           {"n > 1", 'N'},
           {"n BETWEEN 1 AND 2", 'N'},
           {"n IN ('1')", 'N'},
           {"-t > 1", 'N'},
           {"(t = 1) = t", 'X'},  // a truth value on the left of a text fails
           {"t = 1 = TRUE", 'T'},
           {"1 = t", 'T'},
       }) {
    EXPECT_EQ(state(text, p), expected) << text;
  }
}

TEST(SqlExpression, NumbersOfPropertiesReadAsJavaReadsThem) {
  for (const char* good : {" 1.5 ", "1.5f", "+1.5D", "0x1.8p0", "15e-1", "1.5e+00", ".15e1"})
    EXPECT_TRUE(selects("a = 1.5", {{"a", good}})) << good;
  for (const char* bad : {"1.5x", "", ".", "e1", "0x1.8", "1,5", "--1.5", "1.5 2", "nan", "inf"})
    EXPECT_EQ(state("a = 1.5", {{"a", bad}}), 'X') << bad;
  EXPECT_TRUE(selects("a > 1.5", {{"a", "NaN"}}));
  EXPECT_TRUE(selects("a > 1.5", {{"a", "Infinity"}}));
  EXPECT_TRUE(selects("a > 1.5", {{"a", "1e999"}}));
  EXPECT_TRUE(selects("a < 1.5", {{"a", "-1e999"}}));
  EXPECT_TRUE(selects("a < 4.9E-324", {{"a", "1e-999"}}));
  EXPECT_TRUE(selects("a > b", {{"a", "0.0"}, {"b", "-0.0"}}));
  EXPECT_EQ(state("a > b", {{"a", "x"}, {"b", "1"}}), 'X');
  EXPECT_TRUE(selects("a = 5", {{"a", "+5"}}));
  EXPECT_EQ(state("a = 5", {{"a", "+-5"}}), 'X');
  EXPECT_EQ(state("a = 9223372036854775807", {{"a", "9223372036854775807"}}), 'T');
  EXPECT_FALSE(compiles("a = 9223372036854775808"));
}

TEST(SqlExpression, FindsPropertiesWhereTheyLieInTheRecord) {
  std::string stored;
  format::append_property(stored, "region", "eu");
  format::append_property(stored, "TAGS", "paid");
  format::append_property(stored, "amount", "12");
  const auto compiled = SqlExpression::compile(
      "TAGS = 'paid' AND region IN ('eu', 'us') AND amount BETWEEN 10 AND 20 AND x IS NULL");
  ASSERT_TRUE(compiled);
  EXPECT_TRUE(compiled->wants(stored));
  EXPECT_FALSE(compiled->wants(""));
}

TEST(SqlExpression, HostileTextsAreRefusedAndNotDiedOf) {
  const auto repeated = [](std::string_view what, std::size_t times, std::string_view end) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += what;
    return out.append(end);
  };
  for (const char* what : {"(", "NOT ", "- ", "+ ", "(NOT (", "-("})
    EXPECT_FALSE(compiles(repeated(what, 8000, "a"))) << what;
  EXPECT_FALSE(compiles(repeated("a = 1 OR ", 2000, "a = 1")));
  EXPECT_FALSE(compiles("a" + repeated(" IS NULL", 1000, "")));
  EXPECT_FALSE(compiles(repeated(" ", kSqlBytesMax, "a")));
  EXPECT_TRUE(compiles(repeated("a = 1 OR ", 1000, "a = 1")));
  EXPECT_TRUE(compiles("a" + repeated(" IS NULL", 100, "")));
}

TEST(SqlExpression, NestedBetweenCostsNoMoreThanItsLength) {
  // Looking at the middle operand twice would double the work at each level.
  std::string text = "a";
  for (int i = 0; i < 100; ++i) text = "-(" + text + " BETWEEN 1 AND 2)";
  text += " BETWEEN 1 AND 2";
  EXPECT_EQ(state(text, {{"a", "1"}}), 'N');
}

TEST(SqlCache, KeepsExpressionsAndErrorsAndForgetsTheOldest) {
  SqlCache cache;
  const auto first = cache.compile("a = 1");
  ASSERT_TRUE(first);
  EXPECT_EQ(*cache.compile("a = 1"), *first);
  EXPECT_FALSE(cache.compile("a ="));
  EXPECT_EQ(cache.compile("a =").error().text(), cache.compile("a =").error().text());
  for (std::size_t i = 0; i < kSqlCached; ++i)
    ASSERT_TRUE(cache.compile("a = " + std::to_string(i + 2)));
  EXPECT_NE(*cache.compile("a = 1"), *first);
}

}  // namespace
}  // namespace mq::broker

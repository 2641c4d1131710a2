// The lenient JSON reader, the writers, the accessors.
#include "base/json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace mq {
namespace {

std::string again(std::string_view text) {
  const auto value = parse_json(text);
  return value ? to_json(*value) : value.error().to_string();
}

TEST(Json, ReadsWhatTheStandardSays) {
  for (const std::string_view text :
       {"{}", "[]", "null", "true", "false", "0", "-1", "12", "9223372036854775807",
        "-9223372036854775808", "18446744073709551615", "1.5", "-0.25", "\"\"", "\"a\\\"b\\\\\"",
        "[1,[2,[]],{\"a\":{\"b\":null}}]", "{\"a\":1,\"b\":[true,false]}", "\"标签\""}) {
    EXPECT_EQ(again(text), text);
    EXPECT_EQ(*parse_json(text), json::parse(std::string(text)));
  }
  EXPECT_EQ(again(" \t\r\n{ \"a\" : [ 1 , 2 ] } "), "{\"a\":[1,2]}");
  EXPECT_EQ(again("1e3"), "1000.0");
  EXPECT_EQ(again("1E-7"), "1e-07");
  EXPECT_EQ(again("18446744073709551616"), "18446744073709551616.0");
  EXPECT_EQ(again(R"("\u0041\/\b\f\n\r\t\u00e9\ud83d\ude00")"), "\"A/\\b\\f\\n\\r\\té😀\"");
}

TEST(Json, ReadsTheDialectOfFastjson) {
  EXPECT_EQ(again("{0:12,1:7}"), R"({"0":12,"1":7})");
  EXPECT_EQ(again("{-1:12,}"), R"({"-1":12})");
  EXPECT_EQ(again("{name:'it''s'}"), "kCorrupt: JSON at byte 10: expected ',' or '}'");
  EXPECT_EQ(again("{name:'a\"b', $ref_1:[1,],}"), R"({"name":"a\"b","$ref_1":[1]})");
  EXPECT_EQ(again("{\"t\":{1:17,2:3\n\t}\n}"), R"({"t":{"1":17,"2":3}})");
  EXPECT_EQ(again("{\"a\":1,\"b\":2,\"a\":3}"), R"({"a":3,"b":2})");
  EXPECT_EQ(again(R"({"table":{{"brokerName":"b","queueId":0}:{"offset":5},{"q":1}:6}})"),
            R"({"table":{"{\"brokerName\":\"b\",\"queueId\":0}":{"offset":5},"{\"q\":1}":6}})");
  EXPECT_EQ(again("'it\\'s'"), "\"it's\"");
  EXPECT_EQ(again("\"raw\ttab\""), "\"raw\\ttab\"");
}

TEST(Json, BytesThatAreNotUtf8BecomeReplacements) {
  EXPECT_EQ(again("\"a\xFFz\""), "\"a\xEF\xBF\xBDz\"");
  EXPECT_EQ(again("{\"k\xC3\":1,\xE6\xA0:2}"), "{\"k\xEF\xBF\xBD\":1,\"\xEF\xBF\xBD\":2}");
  EXPECT_EQ(again("{{\"\xFF\":1}:2}"), "{\"{\\\"\xEF\xBF\xBD\\\":1}\":2}");
  EXPECT_EQ(again(R"("\ud83d")"), "\"\xEF\xBF\xBD\"") << "half a pair";
  EXPECT_EQ(again(R"("\ude00\ud83dA")"),
            "\"\xEF\xBF\xBD\xEF\xBF\xBD"
            "A\"");
  EXPECT_EQ(again(R"("\ud83d\ud83d\ude00")"), "\"\xEF\xBF\xBD😀\"");
}

TEST(Json, SaysWhereAndWhatWasExpected) {
  const std::vector<std::pair<std::string_view, std::string_view>> all{
      {"", "at byte 0: expected a value"},
      {"  ", "at byte 2: expected a value"},
      {"{", "at byte 1: expected a key"},
      {"{\"a\"", "at byte 4: expected ':'"},
      {"{\"a\":", "at byte 5: expected a value"},
      {"{\"a\":1", "at byte 6: expected ',' or '}'"},
      {"{,}", "at byte 1: expected a key"},
      {"[1", "at byte 2: expected ',' or ']'"},
      {"[1 2]", "at byte 3: expected ',' or ']'"},
      {"[,]", "at byte 1: expected a value"},
      {"\"abc", "at byte 4: expected the end of a string"},
      {"\"\\x\"", "at byte 2: expected an escape"},
      {"\"\\", "at byte 2: expected an escape"},
      {"\"\\u12g4\"", "at byte 3: expected four hex digits"},
      {"\"\\u12", "at byte 3: expected four hex digits"},
      {"tru", "at byte 0: expected a value"},
      {"nullx", "at byte 0: expected a value"},
      {"-", "at byte 1: expected a digit"},
      {"1.", "at byte 2: expected a digit"},
      {"1e", "at byte 2: expected a digit"},
      {"01", "at byte 0: expected a number without leading zeros"},
      {"1e999", "at byte 5: expected a number that a double can hold"},
      {"{} x", "at byte 3: expected the end of the text"},
      {"{-:1}", "at byte 2: expected a digit"},
      {"{1a:1}", "at byte 2: expected ':'"},
  };
  for (const auto& [text, expected] : all) {
    EXPECT_EQ(again(text), "kCorrupt: JSON " + std::string(expected)) << text;
  }
  EXPECT_FALSE(parse_json(std::string_view("\0", 1)));
}

TEST(Json, DepthIsLimited) {
  const std::string open(64, '[');
  const std::string close(64, ']');
  EXPECT_TRUE(parse_json(open + close));
  EXPECT_EQ(parse_json("[" + open + close + "]").error().text(),
            "JSON at byte 64: expected at most 64 levels");
  std::string keys;
  for (int i = 0; i < 1'000'000; ++i) keys += '{';
  EXPECT_FALSE(parse_json(keys)) << "objects as keys of objects as keys";
}

TEST(Json, EveryPrefixIsRefusedWithoutHarm) {
  const std::string text = R"({"a":[1,2.5,{"b":'c'}],{"k":1}:"\u00e9\ud83d\ude00",7:true,id:null})";
  ASSERT_TRUE(parse_json(text));
  for (std::size_t n = 0; n < text.size(); ++n) {
    const std::vector<char> cut(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_FALSE(parse_json(std::string_view(cut.data(), cut.size()))) << n;
  }
}

TEST(Json, PrettyTextHasTabsAndSortedMembers) {
  const auto value = parse_json(R"({b:{},a:[1,"x"],d:[{y:1},{}],c:{2:1,1:2.0}})");
  EXPECT_EQ(to_pretty_json(*value),
            "{\n\t\"a\":[1,\"x\"],\n\t\"b\":{},\n\t\"c\":{\n\t\t\"1\":2.0,\n\t\t\"2\":1\n\t},\n"
            "\t\"d\":[\n\t\t{\n\t\t\t\"y\":1\n\t\t},\n\t\t{}\n\t]\n}");
  EXPECT_EQ(*parse_json(to_pretty_json(*value)), *value);
  EXPECT_EQ(to_pretty_json(json::value()), "null");
}

TEST(Json, NumbersThatJsonCannotWriteBecomeNull) {
  EXPECT_EQ(to_json(json::value(std::numeric_limits<double>::infinity())), "null");
  EXPECT_EQ(to_json(json::value(std::numeric_limits<double>::quiet_NaN())), "null");
  EXPECT_EQ(to_json(json::value(1e22)), "1e+22");
}

TEST(Json, AccessorsTakeNumbersAsTextAndYieldDefaults) {
  const auto v = parse_json(
      R"({i:5,s:"7",d:8.0,f:8.5,u:18446744073709551615,t:"TRUE",b:false,n:null,o:{},x:"x",one:1})");
  ASSERT_TRUE(v) << v.error();
  const auto at = [&](std::string_view name) { return member(*v, name); };
  EXPECT_EQ(int_or(at("i"), -1), 5);
  EXPECT_EQ(int_or(at("s"), -1), 7);
  EXPECT_EQ(int_or(at("d"), -1), 8);
  for (const char* unfit : {"f", "u", "t", "b", "n", "o", "x", "absent"}) {
    EXPECT_EQ(int_or(at(unfit), -1), -1) << unfit;
  }
  EXPECT_TRUE(bool_or(at("t"), false));
  EXPECT_TRUE(bool_or(at("one"), false));
  EXPECT_FALSE(bool_or(at("b"), true));
  for (const char* unfit : {"d", "n", "o", "x", "absent"}) EXPECT_TRUE(bool_or(at(unfit), true));
  EXPECT_EQ(string_or(at("s"), "-"), "7");
  EXPECT_EQ(string_or(at("i"), "-"), "5");
  EXPECT_EQ(string_or(at("b"), "-"), "false");
  for (const char* unfit : {"n", "o", "absent"}) EXPECT_EQ(string_or(at(unfit), "-"), "-");
  EXPECT_EQ(member(json::value(3), "a"), nullptr);
}

}  // namespace
}  // namespace mq

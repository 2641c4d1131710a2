// Names of files and topics.
#include "format/names.h"

#include <gtest/gtest.h>

namespace mq::format {
namespace {

TEST(StreamFileName, IsTwentyDigits) {
  EXPECT_EQ(stream_file_name(0), "00000000000000000000");
  EXPECT_EQ(stream_file_name(1'073'741'824), "00000000001073741824");
  EXPECT_EQ(parse_stream_file_name("00000000001073741824"), 1'073'741'824);
  EXPECT_EQ(parse_stream_file_name("09223372036854775807"), INT64_MAX);
  for (const std::string_view no :
       {"", "0", "0000000000107374182", "000000000010737418240", "0000000000107374182x",
        "-0000000001073741824", "+0000000001073741824", " 0000000001073741824",
        "09223372036854775808", "99999999999999999999", "00000000000000000.00"}) {
    EXPECT_FALSE(parse_stream_file_name(no)) << no;
  }
}

TEST(TopicName, TakesTheCharactersAndLengthsOfTheReference) {
  EXPECT_TRUE(check_topic_name("Orders_X-1|%"));
  EXPECT_TRUE(check_topic_name(std::string(127, 't')));
  EXPECT_TRUE(check_topic_name("%RETRY%" + std::string(248, 'g')));
  EXPECT_EQ(check_topic_name("").error().text(), "topic name is empty");
  EXPECT_EQ(check_topic_name(std::string(128, 't')).error().text(),
            "topic name of 128 bytes, at most 127 are allowed");
  EXPECT_FALSE(check_topic_name("%RETRY%" + std::string(249, 'g')));
  EXPECT_EQ(check_topic_name("a.b").error().text(),
            "topic name has '.' at position 1, allowed are letters, digits and _ - % |");
  EXPECT_EQ(check_topic_name("标").error().text(),
            "topic name has byte 0xE6 at position 0, allowed are letters, digits and _ - % |");
  for (const char* no : {" ", "a/b", "a b", "a\n", "..", "a\x7F"})
    EXPECT_FALSE(check_topic_name(no));
}

TEST(GroupName, MayBeLonger) {
  EXPECT_TRUE(check_group_name(std::string(255, 'g')));
  EXPECT_FALSE(check_group_name(std::string(256, 'g')));
  EXPECT_FALSE(check_group_name(""));
  EXPECT_FALSE(check_group_name("g@h"));
}

}  // namespace
}  // namespace mq::format

// Text on its way into JSON: escapes, and bytes that are not text.
#include <gtest/gtest.h>

#include "base/json.h"

namespace mq {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonText, EscapesWhatJsonForbidsAndLeavesTheRestRaw) {
  EXPECT_EQ(quoted(""), "\"\"");
  EXPECT_EQ(quoted("TAGS\x01TagA\x02"), "\"TAGS\\u0001TagA\\u0002\"");
  EXPECT_EQ(quoted("a\"b\\c/d\b\t\n\f\r\x1f\x7f"),
            "\"a\\\"b\\\\c/d\\b\\t\\n\\f\\r\\u001F\\u007F\"");
  EXPECT_EQ(quoted("标签 a\xF0\x9F\x98\x80"), "\"标签 a\xF0\x9F\x98\x80\"");
  EXPECT_EQ(quoted(std::string_view("\0", 1)), "\"\\u0000\"");
}

TEST(JsonText, BytesThatAreNotUtf8BecomeReplacementCharacters) {
  EXPECT_EQ(quoted("a\xFF"
                   "b"),
            "\"a\xEF\xBF\xBD"
            "b\"");
  EXPECT_EQ(quoted("\xE6\xA0"), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(quoted("\xEF\xBF\xBD"), "\"\xEF\xBF\xBD\"");
}

TEST(JsonText, TellsUtf8FromOtherBytes) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("标签 \xEF\xBF\xBD"));
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));  // a surrogate
  EXPECT_FALSE(is_utf8("\xC0\x80"));
  EXPECT_FALSE(is_utf8("abc\xE6\xA0"));
}

}  // namespace
}  // namespace mq

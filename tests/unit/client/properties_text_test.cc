// Goal: what brokers write is read, and what is written reads back the same, here and in Java.
#include "client/properties_text.h"

#include <gtest/gtest.h>

namespace mq::client {
namespace {

TEST(PropertiesText, ReadsWhatBrokersWrite) {
  const auto table = parse_properties(
      "#a comment\n"
      "namesrvAddr=127.0.0.1\\:9876;127.0.0.2\\:9876\r\n"
      "empty=\n"
      "no pair\n"
      "messageDelayLevel=1s 5s = 2\n"
      "path=a\\\\b\\nc");
  const wire::KvTable expected = {{"namesrvAddr", "127.0.0.1:9876;127.0.0.2:9876"},
                                  {"empty", ""},
                                  {"messageDelayLevel", "1s 5s = 2"},
                                  {"path", "a\\b\nc"}};
  EXPECT_EQ(table, expected);
}

TEST(PropertiesText, HidesWhatJavaWouldTakeForSomethingElseAndNoMore) {
  EXPECT_EQ(properties_text({{"a b", " x=y:z\\"}}), "a\\ b=\\ x=y:z\\\\\n");
  EXPECT_EQ(properties_text({{"messageDelayLevel", "1s 5s"}}), "messageDelayLevel=1s 5s\n");
}

TEST(PropertiesText, ReadsBackTheSame) {
  const wire::KvTable table = {{"a", ""},        {"b", " lead"},      {"c", "x\ny\rz"},
                               {"d", "back\\s"}, {"e", "#! = : \\n"}, {"f", "\\"}};
  EXPECT_EQ(parse_properties(properties_text(table)), table);
}

}  // namespace
}  // namespace mq::client

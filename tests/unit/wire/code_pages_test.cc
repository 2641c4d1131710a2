// The man pages know every code that has a name.
#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "wire/codes.h"

namespace mq::wire {
namespace {

std::string page(const std::string& name) {
  std::ifstream in(MQ_SOURCE_DIR "/man/" + name);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(CodePages, EveryResponseCodeWithANameIsExplained) {
  const std::string text = page("mq-errors.7");
  int named = 0;
  for (std::int32_t code = 1; code < 4000; ++code) {
    const std::string name = response_name(code);
    if (name == "UNKNOWN") continue;
    ++named;
    EXPECT_NE(text.find(fmt::format(".It Sy {} No ({})\n", name, code)), std::string::npos) << name;
  }
  EXPECT_GT(named, 15);
}

TEST(CodePages, RequestsAreListedWithTheirCodes) {
  const std::string text = page("mqwire.7");
  // Sent by us, not answered by the daemons.
  const std::vector<std::int32_t> not_served = {kNotifyMinBrokerIdChange};
  int named = 0;
  for (std::int32_t code = 1; code < 4000; ++code) {
    const std::string name = request_name(code);
    if (name == "UNKNOWN") continue;
    ++named;
    const bool listed = text.find(fmt::format(".It {} Ta {} Ta", name, code)) != std::string::npos;
    EXPECT_EQ(listed, std::find(not_served.begin(), not_served.end(), code) == not_served.end())
        << name;
  }
  EXPECT_GT(named, 30);
}

}  // namespace
}  // namespace mq::wire

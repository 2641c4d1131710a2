// Message ids of both kinds.
#include "format/message_id.h"

#include <set>

#include <gtest/gtest.h>

namespace mq::format {
namespace {

TEST(OffsetMessageId, IsWrittenAndReadAsTheReferenceDoes) {
  const std::vector<std::tuple<std::string, std::int64_t, std::string>> all{
      {"10.0.0.5:10911", 0, "0A00000500002A9F0000000000000000"},
      {"10.0.0.5:10911", 182, "0A00000500002A9F00000000000000B6"},
      {"[2001:db8::5]:10911", 380, "20010DB800000000000000000000000500002A9F000000000000017C"},
  };
  for (const auto& [host, offset, text] : all) {
    EXPECT_EQ(offset_message_id(*parse_host(host), PhysicalOffset(offset)), text);
    for (const bool lower : {false, true}) {
      std::string typed = text;
      if (lower)
        std::transform(typed.begin(), typed.end(), typed.begin(),
                       [](char c) { return std::tolower(c); });
      const auto id = parse_offset_message_id(typed);
      ASSERT_TRUE(id) << id.error();
      EXPECT_EQ(to_string(id->store_host), host);
      EXPECT_EQ(id->offset, PhysicalOffset(offset));
    }
  }
}

TEST(OffsetMessageId, OtherLengthsAndCharactersAreInvalid) {
  const std::string id = "20010DB800000000000000000000000500002A9F000000000000017C";
  for (std::size_t n = 0; n < id.size(); ++n) {
    EXPECT_EQ(parse_offset_message_id(id.substr(0, n)).has_value(), n == 32) << n;
  }
  EXPECT_FALSE(parse_offset_message_id(id + "0"));
  for (std::size_t i = 0; i < id.size(); ++i) {
    std::string bad = id;
    bad[i] = 'G';
    EXPECT_EQ(parse_offset_message_id(bad).error().code(), Errc::kInvalid);
  }
}

TEST(UniqKeyMaker, KeysAreHexAndNeverTheSame) {
  UniqKeyMaker first;
  UniqKeyMaker second;
  std::set<std::string> seen;
  for (int i = 0; i < 3000; ++i) {
    for (UniqKeyMaker* maker : {&first, &second}) {
      std::string key(32, '?');
      maker->make(1'700'000'000'000 + i / 1000, key.data());
      EXPECT_EQ(key.find_first_not_of("0123456789ABCDEF"), std::string::npos) << key;
      EXPECT_TRUE(seen.insert(key).second) << key;
    }
  }
}

TEST(UniqKeyMaker, CountsMillisecondsFromTheStartOfTheLocalMonth) {
  std::tm first{};
  first.tm_year = 124;
  first.tm_mon = 11;
  first.tm_mday = 1;
  first.tm_isdst = -1;
  const std::int64_t december = static_cast<std::int64_t>(mktime(&first)) * 1000;
  first = {};
  first.tm_year = 125;
  first.tm_mday = 1;
  first.tm_isdst = -1;
  const std::int64_t january = static_cast<std::int64_t>(mktime(&first)) * 1000;
  UniqKeyMaker maker;
  const auto ms_of = [&](std::int64_t now) {
    std::string key(32, '?');
    maker.make(now, key.data());
    return std::stoul(key.substr(20, 8), nullptr, 16);
  };
  EXPECT_EQ(ms_of(december), 0U);
  EXPECT_EQ(ms_of(december + 123'456), 123'456U);
  EXPECT_EQ(ms_of(january - 1), static_cast<std::uint64_t>(january - december - 1));
  EXPECT_EQ(ms_of(january), 0U);
  EXPECT_EQ(ms_of(december + 5), 5U) << "a clock that stepped back";
}

}  // namespace
}  // namespace mq::format

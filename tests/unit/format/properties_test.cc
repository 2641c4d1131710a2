// The property string, as the reference reads and writes it.
#include "format/properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "record_vectors.h"

namespace mq::format {
namespace {

using test::properties_of;
using testing::ElementsAre;
using testing::Eq;
using testing::Optional;

TEST(Properties, AreFoundByName) {
  const std::string p = properties_of("KEYS|order-1001;UNIQ_KEY|C0A8;TAGS|TagA;");
  EXPECT_THAT(find_property(p, "KEYS"), Optional(Eq("order-1001")));
  EXPECT_THAT(find_property(p, "UNIQ_KEY"), Optional(Eq("C0A8")));
  EXPECT_THAT(find_property(p, "TAGS"), Optional(Eq("TagA")));
  for (const std::string_view absent : {"", "KEY", "EYS", "TagA", "TAGS\x01", "C0A8", "ORDER"}) {
    EXPECT_FALSE(find_property(p, absent)) << absent;
  }
  EXPECT_FALSE(find_property("", "KEYS"));
}

TEST(Properties, AMissingLastEndIsTakenAsThere) {
  EXPECT_THAT(find_property(properties_of("A|1;B|2"), "B"), Optional(Eq("2")));
  EXPECT_THAT(parse_properties(properties_of("A|1;B|2")),
              ElementsAre(Property{"A", "1"}, Property{"B", "2"}));
}

TEST(Properties, TheLastOfDuplicatesCountsAtThePlaceOfTheFirst) {
  const std::string p = properties_of("A|1;B|2;A|3;");
  EXPECT_THAT(find_property(p, "A"), Optional(Eq("3")));
  EXPECT_THAT(parse_properties(p), ElementsAre(Property{"A", "3"}, Property{"B", "2"}));
}

TEST(Properties, MalformedPiecesArePassedOver) {
  const std::string p = properties_of("|x;A|;AB;A;;B|1|2;C|3;A|;");
  EXPECT_THAT(parse_properties(p),
              ElementsAre(Property{"B", properties_of("1|2")}, Property{"C", "3"}));
  EXPECT_FALSE(find_property(p, "A"));
  EXPECT_FALSE(find_property(p, ""));
  EXPECT_THAT(find_property(p, "B"), Optional(Eq(properties_of("1|2"))));
  EXPECT_FALSE(find_property(p, properties_of("B|1"))) << "a name ends at the first 0x01";
}

TEST(Properties, AnEmptyLaterDuplicateDoesNotHideTheFirst) {
  EXPECT_THAT(find_property(properties_of("A|1;A|;"), "A"), Optional(Eq("1")));
}

TEST(Properties, AppendingEndsAnUnterminatedString) {
  std::string p;
  append_property(p, "A", "1");
  EXPECT_EQ(p, properties_of("A|1;"));
  append_property(p, "B", "2");
  EXPECT_EQ(p, properties_of("A|1;B|2;"));
  p.pop_back();
  append_property(p, "C", "3");
  EXPECT_EQ(p, properties_of("A|1;B|2;C|3;"));
}

TEST(Properties, RemovingKeepsAllOthersByteForByte) {
  EXPECT_EQ(remove_property(properties_of("A|1;B|2;A|3;"), "A"), properties_of("B|2;"));
  EXPECT_EQ(remove_property(properties_of(";;AB;A|1;B|2"), "A"), properties_of(";;AB;B|2"));
  EXPECT_EQ(remove_property(properties_of("B|2;A|1"), "A"), properties_of("B|2;"));
  EXPECT_EQ(remove_property(properties_of("A|;AA|1;"), "A"), properties_of("A|;AA|1;"));
  EXPECT_EQ(remove_property("", "A"), "");
}

TEST(Properties, WhatCannotBeReadBackIsRefused) {
  EXPECT_TRUE(check_property("A", "1"));
  EXPECT_TRUE(check_property("A", "1\x01"));
  EXPECT_EQ(check_property("", "1").error().text(), "property without a name");
  EXPECT_EQ(check_property("A\x01", "1").error().code(), Errc::kInvalid);
  EXPECT_EQ(check_property("A\x02", "1").error().code(), Errc::kInvalid);
  EXPECT_EQ(check_property("A", "").error().text(), "property A has no value");
  EXPECT_EQ(check_property("A", "1\x02").error().code(), Errc::kInvalid);
}

TEST(TagCode, IsTheHashOfTheTagsSignExtended) {
  EXPECT_EQ(tag_code(properties_of("KEYS|a;TAGS|TagA;")), 2598919);
  EXPECT_EQ(tag_code(properties_of("TAGS|TagB")), 2598920);
  EXPECT_EQ(tag_code(properties_of("TAGS|refund;")), -934813832);
  EXPECT_EQ(tag_code(properties_of("TAGS|标签;")), 857175);
  EXPECT_EQ(tag_code(properties_of("TAGS|polygenelubricants;")), -2147483648LL);
  EXPECT_EQ(tag_code(properties_of("KEYS|a;")), 0);
  EXPECT_EQ(tag_code(properties_of("TAGS|;")), 0);
  EXPECT_EQ(tag_code(""), 0);
}

// Goal: find_property, parse_properties and for_each_property agree. Method: every string of up to
// nine characters over the letters that matter.
TEST(Properties, AllReadersAgreeOnEveryShortString) {
  constexpr std::string_view kAlphabet = "Ax\x01\x02";
  std::string p;
  for (std::size_t length = 0; length <= 9; ++length) {
    p.assign(length, 'A');
    for (std::size_t n = 0; n < (std::size_t{1} << (2 * length)); ++n) {
      for (std::size_t i = 0; i < length; ++i) p[i] = kAlphabet[(n >> (2 * i)) & 3];
      std::optional<std::string_view> last;
      std::size_t names = 0;
      for_each_property(p, [&](const Property& pair) {
        if (pair.name == "A") last = pair.value;
      });
      for (const Property& pair : parse_properties(p)) {
        ++names;
        ASSERT_EQ(find_property(p, pair.name), pair.value);
      }
      ASSERT_EQ(find_property(p, "A"), last);
      ASSERT_LE(names, 3U);
      ASSERT_FALSE(find_property(remove_property(p, "A"), "A"));
    }
  }
}

TEST(Properties, AreFoundAtEveryPlaceOfALongString) {
  for (std::size_t before = 0; before < 70; ++before) {
    for (std::size_t behind = 0; behind < 40; ++behind) {
      std::string p;
      append_property(p, "x", std::string(before + 1, 'S'));
      append_property(p, "TAGS", "lost");
      append_property(p, "TAGS", "TagA");
      append_property(p, "yTAGS", std::string(behind + 1, 'S'));
      ASSERT_THAT(find_property(p, "TAGS"), Optional(Eq("TagA"))) << before << ' ' << behind;
      ASSERT_THAT(find_property(p, "yTAGS"), Optional(Eq(std::string(behind + 1, 'S'))));
      ASSERT_FALSE(find_property(p, "AGS"));
      ASSERT_FALSE(find_property(p, properties_of("TagA;yTAGS")));
      p.resize(p.size() - behind - 3);  // nothing behind the last name
      ASSERT_FALSE(find_property(p, "yTAGS"));
    }
  }
}

TEST(Properties, ThousandsOfPairsAreParsedInOneGo) {
  std::string p;
  for (int i = 0; i < 5000; ++i) append_property(p, "n" + std::to_string(i % 2500), "v");
  append_property(p, "n7", "last");
  const auto all = parse_properties(p);
  EXPECT_EQ(all.size(), 2500U);
  EXPECT_EQ(all[7], (Property{"n7", "last"}));
}

}  // namespace
}  // namespace mq::format

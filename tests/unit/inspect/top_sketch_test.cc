// The heaviest names: exact while they fit, and within the error that is told when they do not.
#include "inspect/top_sketch.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "support/seeds.h"

namespace mq::inspect {
namespace {

TEST(TopSketch, IsExactWhileTheNamesFit) {
  TopSketch sketch(10, TopSketch::By::kMessages);
  for (int i = 0; i < 20; ++i)
    for (int n = 0; n <= i; ++n) sketch.add("name" + std::to_string(i), 1, 10);
  EXPECT_EQ(sketch.error(), 0);
  const auto top = sketch.top(3);
  ASSERT_EQ(top.size(), 3U);
  EXPECT_EQ(top[0].name, "name19");
  EXPECT_EQ(top[0].messages, 20);
  EXPECT_EQ(top[0].bytes, 200);
  EXPECT_EQ(top[2].name, "name17");
}

TEST(TopSketch, RanksByWhatItIsAskedFor) {
  TopSketch by_bytes(10, TopSketch::By::kBytes);
  by_bytes.add("many", 100, 100);
  by_bytes.add("large", 1, 1000);
  EXPECT_EQ(by_bytes.top(1)[0].name, "large");
}

TEST(TopSketch, NeverTellsTooMuchAndNoMoreThanTheErrorTooLittle) {
  for (const std::uint64_t seed : test::seeds(20)) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    TopSketch one(50, TopSketch::By::kMessages);
    TopSketch other(50, TopSketch::By::kMessages);
    std::map<std::string, std::int64_t> exact;
    for (int i = 0; i < 20'000; ++i) {
      // Few names are frequent, most come once.
      const std::string name = random() % 2 == 0 ? "hot" + std::to_string(random() % 5)
                                                 : "cold" + std::to_string(random() % 5000);
      (i % 2 == 0 ? one : other).add(name, 1, 1);
      ++exact[name];
    }
    one.merge(other);
    EXPECT_GT(one.error(), 0);
    const auto top = one.top(5);
    ASSERT_EQ(top.size(), 5U);
    for (const TopEntry& entry : top) {
      EXPECT_TRUE(entry.name.starts_with("hot")) << entry.name;
      EXPECT_LE(entry.messages, exact[entry.name]);
      EXPECT_GE(entry.messages + one.error(), exact[entry.name]);
    }
  }
}

TEST(TopSketch, CutsLongNames) {
  TopSketch sketch(10, TopSketch::By::kMessages);
  sketch.add(std::string(10'000, 'x'), 1, 1);
  sketch.add(std::string(20'000, 'x'), 1, 1);
  ASSERT_EQ(sketch.top(5).size(), 1U);
  EXPECT_EQ(sketch.top(1)[0].name.size(), TopSketch::kNameBytesMax);
}

}  // namespace
}  // namespace mq::inspect

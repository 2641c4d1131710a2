// Goal: percentiles within the promised 3 %. Method: against sorted samples.
#include "cli/histogram.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace mq::cli {
namespace {

TEST(Histogram, IsZeroWhenEmptyAndExactForSmallNumbers) {
  Histogram h;
  EXPECT_EQ(h.quantile(0.5), 0);
  for (std::int64_t us : {1, 2, 3, 4, 5}) h.add(us);
  EXPECT_EQ(h.quantile(0), 1);
  EXPECT_EQ(h.quantile(0.5), 3);
  EXPECT_EQ(h.quantile(1), 5);
  EXPECT_EQ(h.max(), 5);
}

TEST(Histogram, PercentilesAreWithinThreePercentOfTheSamples) {
  std::mt19937_64 random(42);
  Histogram all;
  std::vector<std::int64_t> samples;
  for (int part = 0; part < 4; ++part) {
    Histogram h;
    for (int i = 0; i < 5000; ++i) {
      const auto us = static_cast<std::int64_t>(random() >> (24 + random() % 40));
      h.add(us);
      samples.push_back(us);
    }
    all.merge(h);
  }
  std::sort(samples.begin(), samples.end());
  ASSERT_EQ(all.count(), static_cast<std::int64_t>(samples.size()));
  for (double q : {0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto exact =
        samples[static_cast<std::size_t>(q * static_cast<double>(samples.size() - 1))];
    EXPECT_GE(all.quantile(q), exact) << q;
    EXPECT_LE(static_cast<double>(all.quantile(q)), static_cast<double>(exact) * 1.0321 + 1) << q;
  }
}

TEST(Histogram, TakesTheExtremes) {
  Histogram h;
  h.add(-5);
  h.add(INT64_MAX);
  EXPECT_EQ(h.quantile(0), 0);
  EXPECT_EQ(h.quantile(1), INT64_MAX);
}

}  // namespace
}  // namespace mq::cli

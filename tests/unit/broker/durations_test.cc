// How long puts took, as brokerStatus shows it.
#include "broker/durations.h"

#include <gtest/gtest.h>

namespace mq::broker {
namespace {

TEST(Durations, NothingIsZero) {
  const Durations none;
  EXPECT_EQ(none.longest_ms(), 0);
  EXPECT_EQ(none.quantile_ms(0.99), 0);
  EXPECT_TRUE(none.distribution().starts_with("[<=0ms]:0 [0~10ms]:0 ")) << none.distribution();
  EXPECT_TRUE(none.distribution().ends_with("[10s~]:0 ")) << none.distribution();
}

TEST(Durations, ASpanHasItsUpperEnd) {
  Durations d;
  for (const std::int64_t ms : {0, 1, 10, 11, 50, 500, 1000, 1001, 10'000, 10'001, 100'000'000})
    d.add(ms * 1000);
  d.add(999);
  d.add(-5);  // a clock that steps back is no reason to fail
  EXPECT_EQ(d.distribution(),
            "[<=0ms]:3 [0~10ms]:2 [10~50ms]:2 [50~100ms]:0 [100~200ms]:0 [200~500ms]:1 "
            "[500ms~1s]:1 [1~2s]:1 [2~3s]:0 [3~4s]:0 [4~5s]:0 [5~10s]:1 [10s~]:2 ");
  EXPECT_EQ(d.longest_ms(), 100'000'000);
}

TEST(Durations, QuantilesAreAnEighthTooLongAtMost) {
  Durations d;
  for (std::int64_t us = 1; us <= 100'000; ++us) d.add(us);
  for (const double q : {0.0, 0.25, 0.5, 0.9, 0.99, 0.999}) {
    const double wanted = std::max(0.001, q * 100);
    EXPECT_GE(d.quantile_ms(q), wanted * 0.999) << q;
    EXPECT_LE(d.quantile_ms(q), wanted * 1.126) << q;
  }
}

TEST(Durations, QuantilesForgetAfterTwoMinutes) {
  Durations d;
  d.sample(1'000'000);
  d.add(5'000'000);
  d.sample(1'059'999);  // not yet a minute
  EXPECT_GE(d.quantile_ms(0.5), 5000);
  d.sample(1'060'000);
  EXPECT_GE(d.quantile_ms(0.5), 5000);
  d.add(100);
  EXPECT_GE(d.quantile_ms(0.99), 5000);
  d.sample(1'120'000);
  EXPECT_LT(d.quantile_ms(0.99), 0.2);
  EXPECT_EQ(d.longest_ms(), 5000);
}

}  // namespace
}  // namespace mq::broker

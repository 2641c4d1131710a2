// Goal: nothing unfinished is ever committed, and everything is once all is finished.
#include "client/window.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace mq::client {
namespace {

TEST(Window, StandsAtItsBeginningUntilSomethingIsFinished) {
  Window window(7);
  EXPECT_EQ(window.position(), 7);
  window.take(7);
  window.take(8);
  EXPECT_EQ(window.position(), 7);
  EXPECT_EQ(window.in_flight(), 2U);
}

TEST(Window, WaitsForTheFirstWhenALaterOneIsFinished) {
  Window window(0);
  for (std::int64_t offset : {0, 1, 2}) window.take(offset);
  EXPECT_TRUE(window.finish(2));
  EXPECT_TRUE(window.finish(1));
  EXPECT_EQ(window.position(), 0);
  EXPECT_TRUE(window.finish(0));
  EXPECT_EQ(window.position(), 3);
}

TEST(Window, GoesOverWhatWasFilteredOut) {
  Window window(0);
  window.take(4);
  window.pass(10);
  EXPECT_EQ(window.position(), 4);
  window.finish(4);
  EXPECT_EQ(window.position(), 10);
  window.pass(6);  // never back
  EXPECT_EQ(window.position(), 10);
}

TEST(Window, FinishingTwiceOrAStrangerChangesNothing) {
  Window window(0);
  window.take(0);
  EXPECT_FALSE(window.finish(5));
  EXPECT_TRUE(window.finish(0));
  EXPECT_FALSE(window.finish(0));
  EXPECT_EQ(window.position(), 1);
}

TEST(Window, AgreesWithASetOfWhatIsUnfinished) {
  std::mt19937 random(4711);
  Window window(0);
  std::set<std::int64_t> unfinished;
  std::int64_t next = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (unfinished.size() < 50 && random() % 2 == 0) {
      next += static_cast<std::int64_t>(random() % 3);  // gaps
      window.take(next);
      unfinished.insert(next++);
    } else if (!unfinished.empty()) {
      const auto at =
          std::next(unfinished.begin(), static_cast<std::ptrdiff_t>(random() % unfinished.size()));
      EXPECT_TRUE(window.finish(*at));
      unfinished.erase(at);
    }
    ASSERT_EQ(window.position(),
              unfinished.empty() ? std::max<std::int64_t>(next, 0) : *unfinished.begin());
  }
}

}  // namespace
}  // namespace mq::client

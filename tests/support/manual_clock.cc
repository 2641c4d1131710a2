#include "support/manual_clock.h"

namespace mq::test {

void ManualClock::advance_ms(std::int64_t ms) noexcept {
  now_ms_ += ms;
  monotonic_us_ += ms * 1000;
}

}  // namespace mq::test

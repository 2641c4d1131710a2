// The time, handed in wherever it is needed so that tests can hold it still.
#pragma once

#include <cstdint>

namespace mq {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock, milliseconds since 1970-01-01 UTC. May step backwards.
  [[nodiscard]] virtual std::int64_t now_ms() const noexcept = 0;
  // Never steps back; for measuring. Microseconds since an arbitrary start.
  [[nodiscard]] virtual std::int64_t monotonic_us() const noexcept = 0;
};

// The system's. Any thread. Not the coarse clock: up to 4 ms late, it would have messages stored
// before they were born.
Clock& system_clock() noexcept;

}  // namespace mq

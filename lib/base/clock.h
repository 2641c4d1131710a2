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

// The system's. Any thread. now_ms() uses the coarse clock (a few ns, up to 4 ms late), as every
// append asks for it.
Clock& system_clock() noexcept;

}  // namespace mq

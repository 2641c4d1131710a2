// The messages of one slot in the order in which they are to be delivered, oldest first. The chain
// leads from the newest back, so it is walked to its end; of a long one a bounded number of units
// is held at a time, and the walk is repeated for the rest.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>

#include "broker/timer_log.h"

namespace mq::broker {

class TimerFiring {
 public:
  struct Due {
    std::int64_t position = 0;  // in the timer log
    std::int64_t write_ms = 0;
    PhysicalOffset record_at{};
    bool is_roll = false;
  };
  struct Options {
    std::int64_t slot_ms = 0;
    std::int64_t precision_ms = 1000;
    std::int64_t last = -1;  // position of the slot's newest unit
    std::size_t held_max = 1 << 18;
  };
  // Walks the chain; `on_marker` is called for every delete marker that takes effect in this slot.
  // `log` is borrowed. What leads nowhere (a deleted file, damage) ends the chain with a line in
  // the log.
  TimerFiring(const TimerLog& log, const Options& options,
              const std::function<void(PhysicalOffset record_at)>& on_marker);

  [[nodiscard]] std::int64_t slot_ms() const noexcept { return options_.slot_ms; }
  // The next one; null when there is none left.
  [[nodiscard]] const Due* front();
  void pop() noexcept { due_.pop_back(); }

 private:
  void walk(const std::function<void(PhysicalOffset)>& on_marker);

  const TimerLog& log_;
  const Options options_;
  std::deque<Due> due_;     // newest first
  std::int64_t done_ = -1;  // units up to this position have been handed out, or are in due_
  bool has_more_ = false;   // newer ones than due_ holds
};

}  // namespace mq::broker

#include "broker/timer_firing.h"

#include "base/log.h"

namespace mq::broker {

TimerFiring::TimerFiring(const TimerLog& log, const Options& options,
                         const std::function<void(PhysicalOffset)>& on_marker)
    : log_(log), options_(options) {
  walk(on_marker);
}

const TimerFiring::Due* TimerFiring::front() {
  if (due_.empty() && has_more_) walk({});
  return due_.empty() ? nullptr : &due_.back();
}

void TimerFiring::walk(const std::function<void(PhysicalOffset)>& on_marker) {
  has_more_ = false;
  const std::int64_t done = done_;
  for (std::int64_t at = options_.last; at > done;) {
    const auto unit = log_.read(at);
    if (!unit || unit->previous >= at ||
        unit->due_ms() / options_.precision_ms != options_.slot_ms / options_.precision_ms) {
      log::error("timer: the chain of {} is broken at {} of the timer log: {}", options_.slot_ms,
                 at, unit ? "a unit of another slot" : unit.error().to_string());
      break;
    }
    if (unit->is_done()) {
      // Not ours to deliver again, whoever put it into the chain.
    } else if (unit->is_delete() && !unit->is_roll()) {
      if (on_marker) on_marker(unit->commitlog_offset);
    } else {
      due_.push_back({at, unit->write_time_ms, unit->commitlog_offset, unit->is_roll()});
      if (due_.size() > options_.held_max) {
        due_.pop_front();
        has_more_ = true;
      }
    }
    at = unit->previous;
  }
  if (!due_.empty()) done_ = due_.front().position;
}

}  // namespace mq::broker

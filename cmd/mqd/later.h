// Everything of mqd that is delivered at its time: delay levels, timed messages, and the thread
// that turns their state machines.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "broker/config.h"
#include "broker/delayed_delivery.h"
#include "broker/postpone.h"
#include "broker/stats.h"
#include "broker/timer.h"
#include "timer_thread.h"

namespace mq::mqd {

class Later {
 public:
  // All borrowed, all outlive this.
  struct Parts {
    store::MessageStore& store;
    fs::Fs& fs;
    Clock& clock;
    broker::Stats& stats;
    const broker::BrokerConfig& config;
    std::vector<TimerThread::Turn> more{};  // of others, after its own
  };
  explicit Later(const Parts& parts);

  // Reads the state; nothing is delivered before start(). Errors: those of the two machines.
  Result<void> open();
  void start();
  // Ends the thread; a slot that is being delivered is delivered to its end. May be called again.
  void stop();
  // Writes how far it came, once everything in the store is on disk (MessageStore::sync()). Errors:
  // kNoSpace, kIo; then messages that have been delivered may be delivered again.
  Result<void> save();
  // A message was stored in that topic. Any thread; cheap.
  void on_arrival(std::string_view topic) noexcept;

  [[nodiscard]] const broker::PostponeRules& rules() const noexcept { return rules_; }
  [[nodiscard]] broker::Timer& timer() noexcept { return timer_; }

 private:
  [[nodiscard]] std::vector<TimerThread::Turn> turns();

  Parts parts_;
  broker::PostponeRules rules_;
  broker::DelayedDelivery delayed_;
  broker::Timer timer_;
  TimerThread thread_;
};

}  // namespace mq::mqd

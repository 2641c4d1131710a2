// The thread `timer`: what happens at its time and not because somebody asks. It appends to the log
// like any sender.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"

namespace mq::mqd {

class TimerThread {
 public:
  // One state machine's turn: does what is due at `now_ms` (milliseconds since 1970), returns when
  // it wants to be called again.
  using Turn = std::function<std::int64_t(std::int64_t now_ms)>;
  TimerThread(Clock& clock, std::vector<Turn> turns) : clock_(clock), turns_(std::move(turns)) {}
  ~TimerThread() { stop(); }
  TimerThread(const TimerThread&) = delete;
  TimerThread& operator=(const TimerThread&) = delete;

  void start();
  // Ends the thread after the turn it is at; idempotent.
  void stop();
  // Something has come that may be due before the time last asked for. Any thread; cheap.
  void wake() noexcept;

 private:
  void run(const std::stop_token& stop);
  void wait_until(std::int64_t due_ms, const std::stop_token& stop);

  Clock& clock_;
  const std::vector<Turn> turns_;
  std::atomic<bool> woken_{false};
  Mutex mu_;
  CondVar cv_;
  std::jthread thread_;
};

}  // namespace mq::mqd

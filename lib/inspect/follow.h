// The end of a log that a broker is writing to.
#pragma once

#include "inspect/log_reader.h"

namespace mq::inspect {

class LogFollower {
 public:
  // Goes on at `from`, where a walk ended. `log` is borrowed.
  LogFollower(LogReader& log, PhysicalOffset from) : log_(log), at_(from) {}

  // Visits what is new, until `visit` says false; returns whether there was anything. Call again
  // after a while. What does not become a record within kPatienceMs although the log goes on behind
  // it is damage: told to `note`, and passed over. Errors: kIo.
  Result<bool> step(std::int64_t now_ms, const LogReader::Visit& visit,
                    const LogReader::Note& note = {});
  static constexpr std::int64_t kPatienceMs = 3000;

 private:
  // True when it moved.
  Result<bool> advance(const LogReader::Visit& visit);
  // Whether there is a record in a later file.
  Result<bool> goes_on_behind();

  LogReader& log_;
  PhysicalOffset at_;
  bool stop_ = false;
  std::int64_t stuck_since_ms_ = -1;
};

}  // namespace mq::inspect

// What a put does with a message that is to be delivered later (semantics.md 14 and 15): it goes to
// a system topic and carries where it belongs. No state; the time is handed in.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "broker/asked.h"

namespace mq::broker {

struct PostponeRules {
  std::int32_t levels = 18;                                              // of messageDelayLevel
  bool timers = true;                                                    // timerWheelEnable
  std::int64_t precision_ms = 1000;                                      // timerPrecisionMs
  std::int64_t delay_ms_max = 259'200'000;                               // timerMaxDelaySec
  std::int64_t congested_at = std::numeric_limits<std::int32_t>::max();  // timerCongestNumEachSlot
  // Messages that wait for a TIMER_OUT_MS, and a number in [0, 1): asked for where a slot may be
  // congested. Any thread.
  std::function<std::int64_t(std::int64_t out_ms)> timers_at{};
  std::function<double()> chance{};
};

// Where the message is put; `topic` is a constant or the caller's.
struct Postponed {
  std::string_view topic;
  QueueId queue_id = 0;
  bool later = false;              // not in its own topic
  std::int64_t timer_out_ms = -1;  // of a timed message: TIMER_OUT_MS
};

// `properties` are rewritten if the message is to wait: REAL_TOPIC and REAL_QID tell where it
// belongs. `asked` must have been read from another copy of them. A level wins over a time, which
// is then dropped; a level above the highest is the highest; a time that has passed is now. Errors:
// kInvalid (no number, too far away, a delete marker for the past), kUnsupported (timers are off),
// kBusy (too many for that time).
Result<Postponed> postpone(const PostponeRules& rules, const Asked& asked, std::string_view topic,
                           QueueId queue_id, std::int64_t now_ms, std::string& properties);

}  // namespace mq::broker

// What a put does with a message that is to be delivered later (semantics.md 14 and 15): it goes to
// a system topic and carries where it belongs. Pure: no state, the time is handed in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "broker/asked.h"

namespace mq::broker {

struct PostponeRules {
  std::int32_t levels = 18;  // of messageDelayLevel
};

// Where the message is put; `topic` is a constant or the caller's.
struct Postponed {
  std::string_view topic;
  QueueId queue_id = 0;
  bool later = false;  // not in its own topic
};

// `properties` (what `asked` was read from may be another copy of it) are rewritten if the message
// is to wait: REAL_TOPIC and REAL_QID tell where it belongs. A level wins over a time; what the
// message says of a time is then dropped, and a level above the highest is the highest. Errors:
// kInvalid (a level that is not a number).
Result<Postponed> postpone(const PostponeRules& rules, const Asked& asked, std::string_view topic,
                           QueueId queue_id, std::string& properties);

}  // namespace mq::broker

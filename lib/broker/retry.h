// Where a message goes that its consumers could not handle, and what it then carries (semantics.md
// 13). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "format/record.h"
#include "format/state_files.h"

namespace mq::broker {

struct RetryPlan {
  std::string topic;  // %RETRY%group or %DLQ%group
  bool dead = false;
  std::int32_t delay_level = 0;  // of the retry; 0 for a dead letter
};

// A message that is sent back (R 36). `asked_level`: 0 leaves it to the number of attempts so far,
// below 0 wants a dead letter. `asked_max`: the client's own limit of attempts, if it said one.
[[nodiscard]] RetryPlan plan_send_back(const format::GroupConfig& group,
                                       std::int32_t reconsume_times, std::int32_t asked_level,
                                       std::optional<std::int32_t> asked_max);

// Is a message that a client itself sends to a retry topic a dead letter? One attempt more than a
// message that is sent back, as the reference counts. A negative limit was not said.
[[nodiscard]] bool is_dead_letter(const format::GroupConfig& group, std::int32_t reconsume_times,
                                  std::int32_t asked_max);

// The properties of the copy of `record` that `plan` asks for: RETRY_TOPIC and ORIGIN_MESSAGE_ID
// keep their first values, nobody waits for the disk.
[[nodiscard]] std::string send_back_properties(const format::Record& record, const RetryPlan& plan);

}  // namespace mq::broker

// What the properties of a message ask of the broker, from one pass over them: everything that the
// send path has to know before it stores one.
#pragma once

#include <cstdint>
#include <string_view>

namespace mq::broker {

// Views into the properties; empty: not there.
struct Asked {
  std::string_view delay;        // DELAY, a level
  std::string_view timer_sec;    // TIMER_DELAY_SEC
  std::string_view timer_ms;     // TIMER_DELAY_MS
  std::string_view timer_at;     // TIMER_DELIVER_MS
  std::string_view timer_out;    // TIMER_OUT_MS: has been through the timer
  std::string_view timer_drop;   // TIMER_DEL_UNIQKEY: takes another one back
  std::string_view unique_key;   // UNIQ_KEY
  bool transaction = false;      // TRAN_MSG
  bool wait = true;              // WAIT: for the disk, where the broker does
  bool inner_num = false;        // INNER_NUM, which is for closed batches alone
  bool has_brokers_own = false;  // names that a stock broker sets or removes itself

  [[nodiscard]] bool has_timer() const noexcept {
    return !timer_sec.empty() || !timer_ms.empty() || !timer_at.empty();
  }
};
[[nodiscard]] Asked read_asked(std::string_view properties) noexcept;

// The names that a stock broker sets (MSG_REGION, TRACE_ON, CLUSTER) or removes (POP_CK): a
// client's own value of these does not survive.
[[nodiscard]] bool is_brokers_own(std::string_view name) noexcept;

}  // namespace mq::broker

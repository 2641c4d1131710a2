#include "server/flow_control.h"

#include <fmt/format.h>

#include "server/send_parts.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

// What the thread has read and works on.
struct Input {
  Bytes bytes;
  std::int64_t waited_us = 0;  // for the store, since it was read
};
thread_local Input input_of_thread;

// Whole frames in what was read, behind the one being handled.
std::size_t frames_behind(const Call& call) {
  Bytes rest = input_of_thread.bytes;
  const std::byte* const begin = call.frame.data() + call.frame.size();
  if (begin < rest.data() || begin > rest.data() + rest.size()) return 0;
  rest = rest.subspan(static_cast<std::size_t>(begin - rest.data()));
  std::size_t count = 0;
  while (true) {
    const auto bytes = wire::frame_bytes(rest);
    if (!bytes || *bytes == 0 || *bytes > rest.size()) return count;
    rest = rest.subspan(*bytes);
    ++count;
  }
}

void clean(const Call& call, std::string_view which) {
  refuse_send(call, wire::kSystemBusy,
              fmt::format("[{}]broker busy, start flow control for a while, period in queue: {}ms, "
                          "size of queue: {}",
                          which, input_of_thread.waited_us / 1000, frames_behind(call)));
}

// True when the send has been refused.
bool refuse_when_busy(const Call& call) {
  const broker::BrokerConfig& config = call.p.config;
  const std::int64_t waited_us = input_of_thread.waited_us;
  if (const std::int64_t held_ms = call.p.store.held_up_ms();
      held_ms > config.store.page_cache_busy_ms) [[unlikely]] {
    if (waited_us > 0 && config.fast_failure) return clean(call, "PCBUSY_CLEAN_QUEUE"), true;
    refuse_send(call, wire::kSystemBusy,
                fmt::format("[REJECTREQUEST]system busy, start flow control for a while: the "
                            "commit log has taken nothing for {} ms",
                            held_ms));
    return true;
  }
  if (waited_us > config.send_wait_max_ms * 1000 && config.fast_failure) [[unlikely]] {
    return clean(call, "TIMEOUT_CLEAN_QUEUE"), true;
  }
  const std::int64_t waiting = call.p.store.durable_waiters();
  if (waiting < config.sends_waiting_max) [[likely]]
    return false;
  const std::int64_t longest_ms = call.p.store.durable_wait_ms();
  if (longest_ms <= config.send_wait_max_ms) return false;
  refuse_send(call, wire::kSystemBusy,
              fmt::format("[OVERLOAD]system busy, start flow control for a while: {} messages wait "
                          "for the disk, the first for {} ms",
                          waiting, longest_ms));
  return true;
}

}  // namespace

void begin_input(Bytes input) noexcept { input_of_thread = {.bytes = input}; }

void held_up(std::int64_t waited_us) noexcept { input_of_thread.waited_us += waited_us; }

void handle_send_unless_busy(const Call& call) {
  if (!refuse_when_busy(call)) handle_send(call);
}

void handle_send_back_unless_busy(const Call& call) {
  if (!refuse_when_busy(call)) handle_send_back(call);
}

}  // namespace mq::server

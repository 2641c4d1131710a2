#include "notify.h"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

namespace mq::daemon {
namespace {

void tell(const std::string& state) { sd_notify(0, state.c_str()); }

}  // namespace

void notify_ready(const std::string& status) { tell(fmt::format("READY=1\nSTATUS={}", status)); }
void notify_status(const std::string& status) {
  tell(fmt::format("STATUS={}\nEXTEND_TIMEOUT_USEC=30000000", status));
}
void notify_reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  tell(
      fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000LL + now.tv_nsec / 1000));
}
void notify_stopping() { tell("STOPPING=1\nEXTEND_TIMEOUT_USEC=120000000"); }
void notify_watchdog() { tell("WATCHDOG=1"); }

std::vector<int> activated_sockets() {
  std::vector<int> out;
  const int count = sd_listen_fds(1);
  out.reserve(static_cast<std::size_t>(std::max(0, count)));
  for (int i = 0; i < count; ++i) out.push_back(SD_LISTEN_FDS_START + i);
  return out;
}

}  // namespace mq::daemon

// What the service manager is told (sd_notify), and the sockets it hands over. Nothing happens
// without systemd.
#pragma once

#include <string>
#include <vector>

namespace mq::daemon {

void notify_ready(const std::string& status);
void notify_status(const std::string& status);  // also asks for 30 s more: recovery may take longer
                                                // than the manager waits
void notify_reloading();
void notify_stopping();
void notify_watchdog();
[[nodiscard]] std::vector<int> activated_sockets();

}  // namespace mq::daemon

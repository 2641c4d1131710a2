// Named threads that stop by token and join when destroyed.
#pragma once

#include <functional>
#include <stop_token>
#include <thread>

namespace mq {

// Starts `body` on a thread called `name` (15 characters at most, shown by ps and gdb). Signals are
// blocked in it: main alone handles them. An exception that leaves `body` ends the process with its
// text.
[[nodiscard]] std::jthread start_thread(const char* name,
                                        std::function<void(std::stop_token)> body);

}  // namespace mq

// The links of one member of a group to the brokers that it reads from. One thread, driven by
// poll(), as each Link is.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <poll.h>

#include "client/link.h"

namespace mq::client {

class Links {
 public:
  std::map<std::string, std::unique_ptr<Link>> by_name;  // of the broker

  // Connects all. Errors: kUnavailable, with each one's reason, when none is up.
  Result<void> connect();
  // Waits until one of them, or of `extra`, has something, and serves the links; revents of `extra`
  // are set.
  void poll_once(std::int64_t timeout_ms, std::span<pollfd> extra = {});
  template <typename Visit>
  void for_each_up(const Visit& visit) {
    for (auto& [name, link] : by_name)
      if (link->is_up()) visit(*link);
  }

 private:
  std::vector<pollfd> polled_;
};

}  // namespace mq::client

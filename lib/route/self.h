// Who this broker is to others.
#pragma once

#include <cstdint>
#include <string>

namespace mq::route {

struct Self {
  std::string cluster;
  std::string broker;
  std::int64_t id = 0;
  std::string address;  // ip:port as clients use it
};

}  // namespace mq::route

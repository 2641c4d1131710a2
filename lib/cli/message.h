// A message as the tools show it: a stored record with its body inflated, and where it came from.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "format/record.h"

namespace mq::cli {

struct Message {
  const format::Record* record = nullptr;  // borrowed, like all views in it
  Bytes body{};                            // inflated
  std::string_view broker{};               // "" when it was read from files
  std::int64_t number = 0;                 // running number in this output, from 1
};

}  // namespace mq::cli

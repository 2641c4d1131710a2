// A part of a log as typed: `first`, `last`, N, +N, -N, N:M, :M, @T, @T1:@T2, where N and M are
// physical offsets, +N and -N count records from either end, and T is a time of storing.
#pragma once

#include <string_view>

#include "inspect/log_reader.h"

namespace mq::mqdump {

struct LogRange {
  PhysicalOffset from{};
  PhysicalOffset to{};  // excluded
  std::int64_t from_ms = INT64_MIN;
  std::int64_t to_ms = INT64_MAX;  // excluded
  [[nodiscard]] bool has(std::int64_t store_ms) const {
    return store_ms >= from_ms && store_ms < to_ms;
  }
};
// Reads what it takes to find the places. Errors: kInvalid, kIo.
Result<LogRange> find_range(std::string_view text, inspect::LogReader& log);

}  // namespace mq::mqdump

// Which part of a queue: `first`, `last`, N, +N, -N, N:M, :M, @T, @T1:@T2.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace mq::mqrecv {

// One end of a range.
struct Bound {
  enum class Kind { kFirst, kLast, kAbsolute, kFromFirst, kFromLast, kTime };
  Kind kind = Kind::kFirst;
  std::int64_t value = 0;  // an offset, a count, or ms
};
struct Range {
  Bound begin;
  std::optional<Bound> end;  // excluded; nothing: as far as there is
};
// Errors: kInvalid.
Result<Range> parse_range(std::string_view text, std::int64_t now_ms);

}  // namespace mq::mqrecv

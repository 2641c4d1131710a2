// The delays of the classic levels (messageDelayLevel, store-format.md 4.2): `1s 5s 10s … 2h`,
// level 1 first. Messages of level n wait in queue n-1 of SCHEDULE_TOPIC_XXXX.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mq::format {

class DelayLevels {
 public:
  // A number with one of the units s m h d, blanks between. Errors: kInvalid, naming the piece.
  static Result<DelayLevels> parse(std::string_view text);

  [[nodiscard]] std::int32_t count() const noexcept {
    return static_cast<std::int32_t>(ms_.size());
  }
  // Delay of a level of 1 or more; above count() that of the last. Without any level: 1 s.
  [[nodiscard]] std::int64_t ms(std::int64_t level) const noexcept;

 private:
  std::vector<std::int64_t> ms_;
};

}  // namespace mq::format

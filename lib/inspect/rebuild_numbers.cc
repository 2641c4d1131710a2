#include "inspect/rebuild_numbers.h"

#include <bit>

namespace mq::inspect {
namespace {

bool is_one_bit_off(std::int64_t a, std::int64_t b) {
  return std::popcount(static_cast<std::uint64_t>(a ^ b)) == 1;
}

}  // namespace

QueueNumbering::Placed QueueNumbering::at_gap(const Held& held) {
  const std::int64_t missing = held.number - next_;
  next_ = held.number + 1;
  return {How::kAfterGap, held.number, held.number, missing, held.entry};
}

QueueNumbering::Placed QueueNumbering::at_restart(const Held& held) {
  next_ = held.number + 1;
  repeat_ = kUnknown;
  return {How::kRestart, held.number, held.number, 0, held.entry};
}

// Nothing follows that could tell: an older queue's word counts, then whether one flipped bit
// explains it.
QueueNumbering::Placed QueueNumbering::decide_last(const Held& held,
                                                   std::optional<std::int64_t> known) {
  const bool is_wrong =
      known ? *known == next_ && held.number != next_ : is_one_bit_off(held.number, next_);
  if (is_wrong) return {How::kCorrected, next_++, held.number, 0, held.entry};
  if (is_gap(held.number)) return at_gap(held);
  if (held.number == 0) return at_restart(held);
  return {How::kStray, held.number, held.number, 0, held.entry};
}

}  // namespace mq::inspect

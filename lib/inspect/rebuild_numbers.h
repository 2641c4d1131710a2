// The numbers of one queue as its records tell them, in the order of the log. Numbers normally go
// up by one; where they do not, the next record of the same queue decides what it was: records are
// missing, a record's number is damaged, the topic was deleted and made again, or numbers were
// given out a second time. So one record is held back, never more. Pure; one thread.
#pragma once

#include <cstdint>
#include <optional>

#include "format/consume_queue_entry.h"

namespace mq::inspect {

class QueueNumbering {
 public:
  enum class How : std::uint8_t {
    kInOrder,
    kAfterGap,   // `missing` numbers in front of it have no record
    kRestart,    // numbering begins again here: what was placed before is of a deleted topic
    kCorrected,  // the record claims another number than `number`
    kStray,      // has no place in the queue: `claimed` belongs to another record
  };
  struct Placed {
    How how = How::kInOrder;
    std::int64_t number = 0;   // where it belongs; of a stray: what it claims
    std::int64_t claimed = 0;  // as the record says
    std::int64_t missing = 0;
    format::ConsumeQueueEntry entry{};
  };
  // Numbers further ahead than this are no gap.
  static constexpr std::int64_t kGapMax = 16'000'000;

  // `begins_at_zero`: the log reaches back to the queue's first record, so number 0 is expected.
  explicit QueueNumbering(bool begins_at_zero) : next_(begins_at_zero ? 0 : kUnknown) {}

  // Number that the next record should have; -1 while nothing is known.
  [[nodiscard]] std::int64_t next() const noexcept { return next_; }
  [[nodiscard]] bool has_held_back() const noexcept { return held_.has_value(); }

  // Takes a record; calls place(Placed) for those that are decided, none to two.
  // `is_explained(gap)` is asked whether that many numbers may be missing here: damage between the
  // last record of the queue and this one.
  template <typename Explained, typename Place>
  void take(std::int64_t number, const format::ConsumeQueueEntry& entry, Explained&& is_explained,
            Place&& place) {
    if (number == next_ && !held_) [[likely]] {
      ++next_;
      place(Placed{How::kInOrder, number, number, 0, entry});
      return;
    }
    take_odd(number, entry, is_explained, place);
  }
  // No more records: decides about one held back. `known`: the number that an older consume queue
  // had for it, if there is one.
  template <typename Place>
  void finish(std::optional<std::int64_t> known, Place&& place) {
    if (!held_) return;
    const Held held = *held_;
    held_.reset();
    place(decide_last(held, known));
  }
  [[nodiscard]] const format::ConsumeQueueEntry& held_back() const noexcept { return held_->entry; }

 private:
  static constexpr std::int64_t kUnknown = -1;
  struct Held {
    std::int64_t number = 0;
    format::ConsumeQueueEntry entry{};
  };

  template <typename Explained, typename Place>
  void take_odd(std::int64_t number, const format::ConsumeQueueEntry& entry,
                Explained& is_explained, Place& place);
  [[nodiscard]] Placed decide_last(const Held& held, std::optional<std::int64_t> known);
  [[nodiscard]] bool is_gap(std::int64_t number) const noexcept {
    return number > next_ && number - next_ <= kGapMax;
  }
  Placed at_gap(const Held& held);
  Placed at_restart(const Held& held);

  std::int64_t next_;
  std::int64_t repeat_ = kUnknown;  // numbers below next_ are given out again; this one is due
  std::optional<Held> held_;
};

template <typename Explained, typename Place>
void QueueNumbering::take_odd(std::int64_t number, const format::ConsumeQueueEntry& entry,
                              Explained& is_explained, Place& place) {
  const Held now{number, entry};
  if (next_ == kUnknown && number >= 0) {  // a queue whose beginning is gone starts anywhere
    next_ = number + 1;
    place(Placed{How::kInOrder, number, number, 0, entry});
    return;
  }
  if (held_) {
    const Held before = *held_;
    held_.reset();
    if (number == next_ + 1) {
      place(Placed{How::kCorrected, next_++, before.number, 0, before.entry});
    } else if (number == before.number + 1 && before.number == 0) {
      place(at_restart(before));
    } else if (number == before.number + 1 && is_gap(before.number)) {
      place(at_gap(before));
    } else {
      if (number == before.number + 1 && number < next_) repeat_ = number;
      place(Placed{How::kStray, before.number, before.number, 0, before.entry});
    }
  }
  if (number == next_) {
    repeat_ = kUnknown;
    ++next_;
    place(Placed{How::kInOrder, number, number, 0, entry});
  } else if (number == repeat_ && number < next_) {
    ++repeat_;
    place(Placed{How::kStray, number, number, 0, entry});
  } else if (is_gap(number) && is_explained(number - next_)) {
    place(at_gap(now));
  } else {
    held_ = now;
  }
}

}  // namespace mq::inspect

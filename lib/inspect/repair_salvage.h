// Undoes a single flipped bit in a record. Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "format/record.h"

namespace mq::inspect {

struct Salvaged {
  std::string bytes;     // of the whole record; empty: nothing to be saved
  std::size_t byte = 0;  // in it, where a bit was wrong
};
// The record at the start of `in`, which stands at `at` and ends within `in`, if one flipped bit in
// what holds it together is all that is wrong with it: its body has its CRC, and it ends where `in`
// does or where a blank or another record begins. `accept` has the last word.
[[nodiscard]] Salvaged salvage_record(
    Bytes in, PhysicalOffset at,
    const std::function<bool(const format::Record&, std::size_t byte)>& accept);

// Store times in the order of the log. They never fall but for a clock that is set back; one that
// stands out alone, and fits in with its neighbours with one bit flipped, is damaged.
class TimeOrder {
 public:
  struct Odd {
    PhysicalOffset at{};
    std::int64_t ms = 0;
    std::int64_t better_ms = 0;
  };
  // The next record; tells about it or the one before it.
  std::optional<Odd> take(PhysicalOffset at, std::int64_t ms);
  // No record follows.
  std::optional<Odd> finish(std::int64_t now_ms);

 private:
  struct One {
    PhysicalOffset at{};
    std::int64_t ms = 0;
  };
  std::optional<Odd> take_lower(const One& now);
  std::optional<Odd> take_behind_low(const One& now);

  std::optional<One> first_;  // until the third tells about it
  std::optional<One> last_;
  std::optional<std::int64_t> before_ms_;  // of the record before last_
  std::optional<One> low_;                 // out of order behind last_, until the next tells
};

// How many bits differ between what the record says it is and that place in a queue: topic, queue,
// number, and the bits that keep a record out of its queue. 1000 if it cannot be that record.
[[nodiscard]] int bits_off(const format::Record& record, std::string_view topic, QueueId queue,
                           std::int64_t number);
// The record with exactly that place; `record` is a view of `bytes`.
[[nodiscard]] std::string moved_record(Bytes bytes, const format::Record& record,
                                       std::string_view topic, QueueId queue, std::int64_t number);
// The record with that store time.
[[nodiscard]] std::string retimed_record(Bytes bytes, const format::Record& record,
                                         std::int64_t store_timestamp_ms);

inline constexpr std::size_t kPhysicalOffsetAt = 28;

}  // namespace mq::inspect

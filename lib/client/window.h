// How far a queue is consumed: messages are handed out in order and dealt with in any order, and
// only what has nothing unfinished before it may be committed.
#pragma once

#include <cstdint>
#include <set>

namespace mq::client {

class Window {
 public:
  explicit Window(std::int64_t begin) noexcept : next_(begin) {}

  void take(std::int64_t offset);  // handed out
  void pass(std::int64_t next);    // nothing more is to be handed out before `next`
  // Dealt with; false when it was not in flight.
  bool finish(std::int64_t offset);

  // Everything before it is dealt with: what may be committed.
  [[nodiscard]] std::int64_t position() const noexcept {
    return in_flight_.empty() ? next_ : *in_flight_.begin();
  }
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_.size(); }

 private:
  std::int64_t next_;
  std::set<std::int64_t> in_flight_;
};

}  // namespace mq::client

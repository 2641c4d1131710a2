// Asks once whether the commit log is on disk as far as a position, and remembers the answer: for
// positions that may be written down only when what they say has been done is safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/ids.h"
#include "store/message_store.h"

namespace mq::broker {

class DurableMark {
 public:
  enum class State : std::uint8_t { kNone, kWaiting, kReached, kFailed };

  // Forgets what was asked before. One thread; the answer comes on the store's.
  void ask(store::MessageStore& store, PhysicalOffset end) {
    state_ = std::make_shared<std::atomic<State>>(State::kWaiting);
    store.when_durable(end, [state = state_](store::PutStatus status) {
      state->store(status == store::PutStatus::kOk ? State::kReached : State::kFailed,
                   std::memory_order_release);
    });
  }
  void forget() noexcept { state_.reset(); }
  [[nodiscard]] State state() const noexcept {
    return state_ ? state_->load(std::memory_order_acquire) : State::kNone;
  }

 private:
  std::shared_ptr<std::atomic<State>> state_;
};

}  // namespace mq::broker

// Who may consume which queue in order (semantics.md 12): locks of one minute, held by client ids,
// in memory alone. They end by unlocking or by time, not with the connection, as in the reference:
// a client that comes back finds its own. A state machine, handed the time. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "wire/message_queue.h"

namespace mq::broker {

class QueueLocks {
 public:
  static constexpr std::int64_t kLifeMs = 60'000;  // valid up to and with this age

  // Takes or renews the locks; returns the queues that are the client's now.
  std::vector<wire::MessageQueue> lock(std::string_view group, std::string_view client_id,
                                       const std::vector<wire::MessageQueue>& queues,
                                       std::int64_t now_ms);
  // Those that are not the client's stay as they are.
  void unlock(std::string_view group, std::string_view client_id,
              const std::vector<wire::MessageQueue>& queues);
  // True while anybody holds a lock of the group: then it consumes in order, and what is sent to
  // its retry topic is a dead letter (13.3).
  [[nodiscard]] bool holds_any(std::string_view group, std::int64_t now_ms) const;
  // Who holds the queue; "" for nobody.
  [[nodiscard]] std::string holder(std::string_view group, const wire::MessageQueue& queue,
                                   std::int64_t now_ms) const;
  // Forgets locks that are over; changes nothing that anybody can see.
  void expire(std::int64_t now_ms);

 private:
  struct Lock {
    std::string client_id;
    std::int64_t renewed_ms = 0;
    [[nodiscard]] bool is_over(std::int64_t now_ms) const noexcept {
      return now_ms - renewed_ms > kLifeMs;
    }
  };
  mutable Mutex mu_;
  std::map<std::string, std::map<wire::MessageQueue, Lock>, std::less<>> groups_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::broker

// Locks of queues for consuming in order: bodies of R(41), its answer, and R(42) (remoting.md 6.8).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/message_queue.h"

namespace mq::wire {

struct QueueLockRequest {
  std::string group;
  std::string client_id;
  std::vector<MessageQueue> queues;
  bool only_this_broker = false;
  friend bool operator==(const QueueLockRequest&, const QueueLockRequest&) = default;
};
// Errors: kCorrupt.
Result<QueueLockRequest> decode_queue_lock_request(std::string_view body);
[[nodiscard]] std::string encode_queue_lock_request(const QueueLockRequest& request);

// {"lockOKMQSet":[MQ…]}: what belongs to the client now.
Result<std::vector<MessageQueue>> decode_queue_lock_response(std::string_view body);
[[nodiscard]] std::string encode_queue_lock_response(const std::vector<MessageQueue>& granted);

}  // namespace mq::wire

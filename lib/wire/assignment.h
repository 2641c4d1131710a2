// Which queues a member of a group gets from the broker: R(400) and its answer (remoting.md 7.7).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/heartbeat.h"
#include "wire/message_queue.h"

namespace mq::wire {

struct AssignmentRequest {
  std::string client_id;
  std::string group;
  std::string topic;
  std::string strategy;
  MessageModel model = MessageModel::kClustering;
};
// Errors of both decoders: kCorrupt.
Result<AssignmentRequest> decode_assignment_request(std::string_view body);

struct Assignments {
  bool known = false;  // false: the broker cannot say; without queues
  bool pop = false;
  std::vector<MessageQueue> queues;
};
[[nodiscard]] std::string encode_assignments(const Assignments& assignments);
Result<Assignments> decode_assignments(std::string_view body);

}  // namespace mq::wire

#include "wire/assignment.h"

#include "wire/body_json.h"

namespace mq::wire {

Result<AssignmentRequest> decode_assignment_request(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return AssignmentRequest{
      .client_id = string_member(value, "clientId"),
      .group = string_member(value, "consumerGroup"),
      .topic = string_member(value, "topic"),
      .strategy = string_member(value, "strategyName"),
      .model = string_member(value, "messageModel") == name_of(MessageModel::kBroadcasting)
                   ? MessageModel::kBroadcasting
                   : MessageModel::kClustering};
}

std::string encode_assignments(const Assignments& assignments) {
  if (!assignments.known) return "{}";
  json::array list;
  for (const MessageQueue& queue : assignments.queues) {
    list.push_back(json::object{{"messageQueue", queue_object(queue)},
                                {"mode", assignments.pop ? "POP" : "PULL"}});
  }
  return to_json(json::object{{"messageQueueAssignments", std::move(list)}});
}

Result<Assignments> decode_assignments(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  Assignments out;
  out.known = member(value, "messageQueueAssignments") != nullptr;
  for (const json::value& one : array_member(value, "messageQueueAssignments")) {
    out.pop = string_member(one, "mode") == "POP";
    if (const json::value* queue = member(one, "messageQueue"))
      out.queues.push_back(queue_from(*queue));
  }
  return out;
}

}  // namespace mq::wire

#include "wire/queue_lock.h"

#include "wire/body_json.h"

namespace mq::wire {
namespace {

json::array to_array(const std::vector<MessageQueue>& queues) {
  json::array out;
  for (const MessageQueue& queue : queues) out.push_back(queue_object(queue));
  return out;
}
std::vector<MessageQueue> to_queues(const json::array& array) {
  std::vector<MessageQueue> out;
  for (const json::value& queue : array) out.push_back(queue_from(queue));
  return out;
}

}  // namespace

Result<QueueLockRequest> decode_queue_lock_request(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return QueueLockRequest{.group = string_member(value, "consumerGroup"),
                          .client_id = string_member(value, "clientId"),
                          .queues = to_queues(array_member(value, "mqSet")),
                          .only_this_broker = bool_member(value, "onlyThisBroker", false)};
}
std::string encode_queue_lock_request(const QueueLockRequest& request) {
  return to_json(json::object{{"clientId", text_value(request.client_id)},
                              {"consumerGroup", text_value(request.group)},
                              {"mqSet", to_array(request.queues)},
                              {"onlyThisBroker", request.only_this_broker}});
}

Result<std::vector<MessageQueue>> decode_queue_lock_response(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return to_queues(array_member(value, "lockOKMQSet"));
}
std::string encode_queue_lock_response(const std::vector<MessageQueue>& granted) {
  return to_json(json::object{{"lockOKMQSet", to_array(granted)}});
}

}  // namespace mq::wire

// What brokers ask of a member: to look at the group again, to go on elsewhere, and how it is
// (remoting.md 9).
#include <fmt/format.h>

#include "base/json.h"
#include "client/member.h"
#include "format/names.h"
#include "wire/codes.h"
#include "wire/consume_stats.h"

namespace mq::client {
namespace {

// R(220) as Java's clients get it, members named by queues, or as those of C++ do, a list.
wire::QueueOffsets offsets_of(std::string_view body) {
  wire::QueueOffsets out;
  const auto value = parse_json(body);
  const json::value* table = value ? member(*value, "offsetTable") : nullptr;
  if (table == nullptr) return out;
  if (table->is_object()) {
    if (auto offsets = wire::queue_offsets_from(*table)) out = *std::move(offsets);
  } else if (table->is_array()) {
    for (const json::value& one : table->get_array())
      out[wire::queue_from(one)] = int_or(member(one, "offset"), 0);
  }
  return out;
}

}  // namespace

void Member::serve_request(Link& link, const wire::Command& request) {
  const auto group = request.ext.find("consumerGroup");
  switch (request.code) {
    case wire::kNotifyConsumerIdsChanged:
      if (!group || *group == options_.group) rebalance_us_ = 0;
      return;
    case wire::kResetConsumerClientOffset:
      return reset_by_broker(request);
    default:
      break;
  }
  if (request.is_oneway()) return;
  std::string frame;
  std::string body;
  std::int32_t code = wire::kSuccess;
  if (request.code == wire::kGetConsumerStatusFromClient) {
    body = wire::encode_consumer_status({.consumers = {}, .queues = positions()});
  } else if (request.code == wire::kGetConsumerRunningInfo) {
    body = running_info();
  } else {
    code = wire::kRequestCodeNotSupported;
  }
  wire::append_frame(frame, wire::answer_to(request, code), {}, as_bytes(body));
  link.answer(std::move(frame));
}

void Member::reset_by_broker(const wire::Command& request) {
  if (request.ext.find("group") != options_.group) return;
  for (const auto& [name, offset] : offsets_of(as_text(request.body))) {
    left_at_.erase(name);
    const auto at = queues_.find(name);
    if (at != queues_.end() && at->second->next >= 0) reset(*at->second, offset);
  }
}

std::string Member::running_info() const {
  json::object queues;
  for (const auto& [name, queue] : queues_) {
    std::int64_t bytes = 0;
    for (const Delivery& waiting : queue->waiting)
      bytes += static_cast<std::int64_t>(waiting.records.size());
    const auto in_flight = static_cast<std::int64_t>(queue->window.in_flight());
    queues[wire::queue_key(name)] = json::object{{"cachedMsgCount", in_flight},
                                                 {"cachedMsgMaxOffset", queue->next},
                                                 {"cachedMsgMinOffset", queue->window.position()},
                                                 {"cachedMsgSizeInMiB", bytes >> 20},
                                                 {"commitOffset", queue->committed},
                                                 {"droped", false},
                                                 {"lastConsumeTimestamp", 0},
                                                 {"lastLockTimestamp", 0},
                                                 {"lastPullTimestamp", 0},
                                                 {"locked", queue->locked},
                                                 {"transactionMsgCount", 0},
                                                 {"transactionMsgMaxOffset", 0},
                                                 {"transactionMsgMinOffset", 0},
                                                 {"tryUnlockTimes", 0}};
  }
  json::array subscriptions;
  for (const Topic& topic : topics_) {
    subscriptions.push_back(wire::subscription_object(
        {.topic = topic.name,
         .expression = topic.is_retry ? "*" : options_.expression,
         .expression_type = topic.is_retry ? "TAG" : options_.expression_type,
         .version = topic.version}));
  }
  return to_json(json::object{
      {"mqPopTable", json::object()},
      {"mqTable", std::move(queues)},
      {"properties",
       json::object{{"PROP_CLIENT_VERSION", "V5_3_3"},
                    {"PROP_CONSUMEORDERLY", options_.orderly ? "true" : "false"},
                    {"PROP_CONSUMER_START_TIMESTAMP", std::to_string(topics_.front().version)},
                    {"PROP_CONSUME_TYPE", "CONSUME_PASSIVELY"},
                    {"PROP_NAMESERVER_ADDR", ""},
                    {"PROP_THREADPOOL_CORE_SIZE", "1"}}},
      {"statusTable", json::object()},
      {"subscriptionSet", std::move(subscriptions)},
      {"userConsumerInfo", json::object()}});
}

}  // namespace mq::client

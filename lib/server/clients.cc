// Clients that stay: heartbeats, membership, committed offsets (R 14, 15, 34, 35, 38), as far as
// single consumers need them.
#include <fmt/format.h>

#include "base/json.h"
#include "base/log.h"
#include "format/names.h"
#include "server/call.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

broker::Subscription subscription_of(const json::value& data) {
  broker::Subscription out;
  out.expression = string_or(member(data, "subString"), "*");
  out.type = string_or(member(data, "expressionType"), "TAG");
  out.version = int_or(member(data, "subVersion"), 0);
  // By the tags themselves: the hashes that some clients send are not those of Java.
  out.tags = broker::TagExpression::parse(out.expression);
  return out;
}

}  // namespace

void handle_heartbeat(const Call& call) {
  auto body = parse_json(as_text(call.request.body));
  if (!body) return call.reply(wire::kSystemError, body.error().to_string());
  const std::string client_id = string_or(member(*body, "clientID"), "");
  const json::value* groups = member(*body, "consumerDataSet");
  if (groups != nullptr && groups->is_array()) {
    for (const json::value& data : groups->get_array()) {
      const std::string group = string_or(member(data, "groupName"), "");
      const auto config = call.p.groups.find_or_create(group);
      if (config == nullptr) continue;  // may not be made: others of this heartbeat count
      std::map<std::string, broker::Subscription, std::less<>> subscriptions;
      const json::value* list = member(data, "subscriptionDataSet");
      if (list != nullptr && list->is_array()) {
        for (const json::value& one : list->get_array()) {
          subscriptions[string_or(member(one, "topic"), "")] = subscription_of(one);
        }
      }
      call.p.consumers.heartbeat(group, client_id, call.connection.id(), std::move(subscriptions));
      // Push consumers pull their retry topic from the first moment on.
      constexpr std::int32_t kUnitSubscription = 2;
      auto retry = call.p.topics.find_or_create(
          std::string(format::kRetryPrefix) + group, config->retry_queues,
          mq::bool_or(member(data, "unitMode"), false) ? kUnitSubscription : 0);
      if (!retry) log::error("retry topic of group '{}': {}", group, retry.error().to_string());
    }
  }
  const std::array<wire::Field, 2> ext = {wire::Field{"IS_SUPPORT_HEART_BEAT_V2", false},
                                          wire::Field{"IS_SUB_CHANGE", true}};
  call.reply(wire::kSuccess, {}, ext);
}

void handle_unregister(const Call& call) {
  const auto client = call.request.ext.find("clientID");
  const auto group = call.request.ext.find("consumerGroup");
  if (client && group) call.p.consumers.leave(*group, *client);
  call.reply(wire::kSuccess);
}

void handle_consumer_list(const Call& call) {
  auto group = wire::text_field(call.request.ext, "consumerGroup");
  if (!group) return call.reply_error(group.error());
  json::array ids;
  for (const std::string& id : call.p.consumers.client_ids(*group)) ids.emplace_back(id);
  if (ids.empty())
    return call.reply(wire::kSystemError,
                      fmt::format("no consumer of group '{}' is on line", *group));
  call.reply_body(to_json(json::object{{"consumerIdList", std::move(ids)}}));
}

void handle_query_offset(const Call& call) {
  const auto& ext = call.request.ext;
  auto group = wire::text_field(ext, "consumerGroup");
  auto topic = wire::text_field(ext, "topic");
  auto queue = wire::int32_field(ext, "queueId");
  if (!group || !topic || !queue)
    return call.reply(wire::kSystemError, "consumerGroup, topic and queueId are needed");
  auto& p = call.p;
  std::int64_t offset = p.consumers.offset(*group, *topic, *queue);
  const bool from_zero = wire::bool_or(ext, "setZeroIfNotFound", true);
  if (offset < 0 && from_zero && p.store.min_offset(*topic, *queue).value() <= 0 &&
      p.store.is_in_memory(*topic, *queue, QueueOffset(0))) {
    offset = 0;  // the reference starts a new group on a young queue at its beginning, whatever the
                 // client wanted
  }
  if (offset < 0)
    return call.reply(wire::kQueryNotFound, "Not found, maybe this group is consumer boot first");
  const std::array<wire::Field, 1> answer = {wire::Field{"offset", offset}};
  call.reply(wire::kSuccess, {}, answer);
}

void handle_update_offset(const Call& call) {
  const auto& ext = call.request.ext;
  auto group = wire::text_field(ext, "consumerGroup");
  auto topic = wire::text_field(ext, "topic");
  auto queue = wire::int32_field(ext, "queueId");
  auto offset = wire::int64_field(ext, "commitOffset");
  if (!group || !topic || !queue || !offset) {
    return call.reply(wire::kSystemError,
                      "consumerGroup, topic, queueId and commitOffset are needed");
  }
  if (call.p.groups.find(*group) == nullptr) {  // a commit makes no group
    return call.reply(wire::kSubscriptionGroupNotExist,
                      fmt::format("group '{}' does not exist", *group));
  }
  if (!call.p.topics.find(*topic))
    return call.reply(wire::kTopicNotExist, fmt::format("topic '{}' does not exist", *topic));
  if (*queue < 0 || *offset < 0)
    return call.reply(wire::kInvalidParameter, "negative queueId or commitOffset");
  call.p.consumers.commit(*group, *topic, *queue, *offset);
  call.reply(wire::kSuccess);
}

}  // namespace mq::server

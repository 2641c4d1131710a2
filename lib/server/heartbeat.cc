// Clients that stay: heartbeats, leaving, who is a member (R 34, 35, 38).
#include "wire/heartbeat.h"

#include <fmt/format.h>

#include "base/log.h"
#include "format/names.h"
#include "server/call.h"
#include "server/membership.h"
#include "wire/client_view.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

constexpr std::int32_t kUnitSubscription = 2;  // of a topic's sysFlag

broker::Subscriptions to_subscriptions(const wire::ConsumerData& data) {
  broker::Subscriptions out;
  for (const wire::SubscriptionData& one : data.subscriptions) {
    broker::Subscription subscription{.expression = one.expression,
                                      .type = one.expression_type,
                                      .version = one.version,
                                      .tags = {}};
    // By the tags themselves: the hashes that some clients send are not those of Java.
    if (one.expression_type == "TAG")
      subscription.tags = broker::TagExpression::parse(one.expression);
    out.insert_or_assign(one.topic, std::move(subscription));
  }
  return out;
}

// Push consumers pull their retry topic from the first moment on. It is made again by any
// heartbeat.
void make_retry_topic(const Parts& p, const wire::ConsumerData& data,
                      const format::GroupConfig& group) {
  auto made = p.topics.find_or_create(std::string(format::kRetryPrefix) + data.group,
                                      group.retry_queues, data.unit_mode ? kUnitSubscription : 0,
                                      broker::Topics::Durable::kSoon);
  if (!made) log::error("retry topic of group '{}': {}", data.group, made.error().to_string());
}

// True when the broker knows the subscriptions that the client counts on.
bool register_consumer(const Call& call, const broker::Client& client,
                       const wire::Heartbeat& heartbeat, const wire::ConsumerData& data) {
  const auto& p = call.p;
  const auto group = p.groups.find_or_create(data.group);
  if (group == nullptr) return false;  // may not be made: others of this heartbeat count
  make_retry_topic(p, data, *group);
  broker::ConsumerGroups::Registration wanted{
      .group = data.group,
      .mode = {.type = data.type, .model = data.model, .from = data.from},
      .subscriptions = {},
      .fingerprint = heartbeat.fingerprint};
  if (heartbeat.fingerprint == 0 || !heartbeat.without_sub)
    wanted.subscriptions = to_subscriptions(data);
  if (wanted.subscriptions) p.filters.subscribe(data.group, *wanted.subscriptions);
  const auto done = p.consumers.heartbeat(client, std::move(wanted), p.clock.now_ms());
  if (!done.conflict.empty()) log::warn("{}", done.conflict);
  tell_members(p, done.change, &call.connection);
  return done.subscriptions_known;
}

}  // namespace

void handle_heartbeat(const Call& call) {
  auto heartbeat = wire::decode_heartbeat(as_text(call.request.body));
  if (!heartbeat) return call.reply(wire::kSystemError, heartbeat.error().to_string());
  if (heartbeat->client_id.empty())
    return call.reply(wire::kSystemError, "a heartbeat without clientID");
  const broker::Client client{
      .connection = call.connection.id(),
      .id = heartbeat->client_id,
      .address = fmt::format("{}:{}", call.connection.peer_ip(), call.connection.peer_port()),
      .language = call.request.language,
      .version = call.request.version};
  bool all_known = true;
  for (const wire::ConsumerData& data : heartbeat->consumers)
    all_known = register_consumer(call, client, *heartbeat, data) && all_known;
  for (const std::string& group : heartbeat->producer_groups)
    call.p.producers.heartbeat(group, client, call.p.clock.now_ms());
  if (!call.wants_answer()) return;
  wire::append_heartbeat_response(
      call.connection.out(), call.header(wire::kSuccess),
      {.supports_v2 = true, .subscription_changed = heartbeat->fingerprint == 0 || !all_known});
}

void handle_unregister(const Call& call) {
  auto asked = wire::decode_unregister_request(call.request);
  if (!asked) return call.reply_error(asked.error());
  const auto& p = call.p;
  if (!asked->producer_group.empty())
    p.producers.leave(asked->producer_group, call.connection.id());
  if (!asked->consumer_group.empty()) {
    tell_members(p, p.consumers.leave(asked->consumer_group, call.connection.id()),
                 &call.connection);
  }
  call.reply(wire::kSuccess);
}

void handle_consumer_list(const Call& call) {
  auto group = wire::text_field(call.request.ext, "consumerGroup");
  if (!group) return call.reply_error(group.error());
  const auto ids = call.p.consumers.client_ids(*group);
  if (ids.empty()) {
    return call.reply(wire::kSystemError,
                      fmt::format("no consumer of group '{}' is on line", *group));
  }
  call.reply_body(wire::encode_consumer_ids(ids));
}

}  // namespace mq::server

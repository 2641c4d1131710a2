// Who is on line, and who consumes what, shown to administrators (R 203, 204, 300, 328, 343, 345).
#include <fmt/format.h>

#include "server/call.h"
#include "wire/client_view.h"
#include "wire/codes.h"
#include "wire/topic_body.h"

namespace mq::server {
namespace {

wire::ClientConnection to_wire(const broker::Client& client) {
  return {.client_id = client.id,
          .address = client.address,
          .language = std::string(wire::language_name(client.language)),
          .version = client.version};
}

wire::SubscriptionData to_wire(std::string_view topic, const broker::Subscription& subscription) {
  return {.topic = std::string(topic),
          .expression = subscription.expression,
          .expression_type = subscription.type,
          .version = subscription.version};
}

}  // namespace

void handle_consumer_connections(const Call& call) {
  auto group = wire::text_field(call.request.ext, "consumerGroup");
  if (!group) return call.reply_error(group.error());
  const auto view = call.p.consumers.view(*group);
  if (!view) {
    return call.reply(wire::kConsumerNotOnline,
                      fmt::format("the consumer group[{}] not online", *group));
  }
  wire::ConsumerConnections out{.connections = {},
                                .type = view->mode.type,
                                .model = view->mode.model,
                                .from = view->mode.from,
                                .subscriptions = {},
                                .conflicts = view->conflicts};
  for (const broker::Client& client : view->clients) out.connections.push_back(to_wire(client));
  for (const auto& [topic, subscription] : view->subscriptions)
    out.subscriptions.emplace(topic, to_wire(topic, subscription));
  call.reply_body(wire::encode_consumer_connections(out));
}

void handle_producer_connections(const Call& call) {
  auto group = wire::text_field(call.request.ext, "producerGroup");
  if (!group) return call.reply_error(group.error());
  std::vector<wire::ClientConnection> out;
  for (const auto& member : call.p.producers.members(*group)) out.push_back(to_wire(member.client));
  if (out.empty()) {
    return call.reply(wire::kSystemError, fmt::format("the producer group[{}] not exist", *group));
  }
  call.reply_body(wire::encode_producer_connections(out));
}

void handle_all_producers(const Call& call) {
  wire::ProducerTable table;
  for (const auto& [group, members] : call.p.producers.all()) {
    for (const auto& member : members)
      table[group].push_back(
          {.connection = to_wire(member.client), .last_update_ms = member.seen_ms});
  }
  call.reply_body(wire::encode_producer_table(table));
}

void handle_groups_of_topic(const Call& call) {
  auto topic = wire::text_field(call.request.ext, "topic");
  if (!topic) return call.reply_error(topic.error());
  std::set<std::string> groups = call.p.consumers.groups_subscribing(*topic);
  groups.merge(call.p.offsets.groups_of(*topic));
  call.reply_body(wire::encode_group_list({groups.begin(), groups.end()}));
}

void handle_topics_of_group(const Call& call) {
  auto group = wire::text_field(call.request.ext, "group");
  if (!group) return call.reply_error(group.error());
  const auto topics = call.p.offsets.topics_of(*group);
  call.reply_body(wire::encode_topic_list(
      {.topics = {topics.begin(), topics.end()}, .broker_addr = call.p.self.address}));
}

void handle_subscription_of_group(const Call& call) {
  auto group = wire::text_field(call.request.ext, "group");
  auto topic = wire::text_field(call.request.ext, "topic");
  if (!group || !topic) return call.reply(wire::kInvalidParameter, "group and topic are needed");
  wire::GroupSubscription out{
      .group = std::string(*group), .topic = std::string(*topic), .data = {}};
  if (const auto subscription = call.p.consumers.subscription(*group, *topic))
    out.data = to_wire(*topic, *subscription);
  call.reply_body(wire::encode_group_subscription(out));
}

}  // namespace mq::server

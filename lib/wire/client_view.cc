#include "wire/client_view.h"

#include "wire/body_json.h"

namespace mq::wire {
namespace {

json::object to_object(const ClientConnection& c) {
  return {{"clientAddr", text_value(c.address)},
          {"clientId", text_value(c.client_id)},
          {"language", text_value(c.language)},
          {"version", c.version}};
}
ClientConnection to_connection(const json::value& value) {
  return {.client_id = string_member(value, "clientId"),
          .address = string_member(value, "clientAddr"),
          .language = string_member(value, "language", "JAVA"),
          .version = int32_member(value, "version", 0)};
}
json::array to_array(const std::vector<ClientConnection>& connections) {
  json::array out;
  for (const auto& connection : connections) out.push_back(to_object(connection));
  return out;
}
std::vector<ClientConnection> to_connections(const json::array& array) {
  std::vector<ClientConnection> out;
  for (const json::value& connection : array) out.push_back(to_connection(connection));
  return out;
}

// As Java prints a socket's address: without a name in front of the slash.
json::object to_object(const ProducerInfo& info) {
  return {{"clientId", text_value(info.connection.client_id)},
          {"language", text_value(info.connection.language)},
          {"lastUpdateTimestamp", info.last_update_ms},
          {"remoteIP", text_value("/" + info.connection.address)},
          {"version", info.connection.version}};
}
ProducerInfo to_producer_info(const json::value& value) {
  std::string address = string_member(value, "remoteIP");
  if (address.starts_with('/')) address.erase(0, 1);
  return {.connection = {.client_id = string_member(value, "clientId"),
                         .address = std::move(address),
                         .language = string_member(value, "language", "JAVA"),
                         .version = int32_member(value, "version", 0)},
          .last_update_ms = int64_member(value, "lastUpdateTimestamp", 0)};
}

}  // namespace

std::string encode_consumer_ids(const std::vector<std::string>& ids) {
  return to_json(json::object{{"consumerIdList", wire::to_array(ids)}});
}
Result<std::vector<std::string>> decode_consumer_ids(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return to_strings(array_member(value, "consumerIdList"));
}

std::string encode_consumer_connections(const ConsumerConnections& view) {
  json::object subscriptions;
  for (const auto& [topic, data] : view.subscriptions)
    subscriptions[topic] = subscription_object(data);
  json::object out{{"connectionSet", to_array(view.connections)},
                   {"consumeFromWhere", text_value(name_of(view.from))},
                   {"consumeType", text_value(name_of(view.type))},
                   {"messageModel", text_value(name_of(view.model))}};
  if (!view.conflicts.empty()) out["subscriptionConflicts"] = wire::to_array(view.conflicts);
  out["subscriptionTable"] = std::move(subscriptions);
  return to_json(out);
}
Result<ConsumerConnections> decode_consumer_connections(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  const ConsumerData mode = consumer_from(value);
  ConsumerConnections out{.connections = to_connections(array_member(value, "connectionSet")),
                          .type = mode.type,
                          .model = mode.model,
                          .from = mode.from,
                          .subscriptions = {},
                          .conflicts = to_strings(array_member(value, "subscriptionConflicts"))};
  for (const auto& [topic, data] : object_member(value, "subscriptionTable"))
    out.subscriptions.insert_or_assign(std::string(view_of(topic)), subscription_from(data));
  return out;
}

std::string encode_producer_connections(const std::vector<ClientConnection>& list) {
  return to_json(json::object{{"connectionSet", to_array(list)}});
}
Result<std::vector<ClientConnection>> decode_producer_connections(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return to_connections(array_member(value, "connectionSet"));
}

std::string encode_producer_table(const ProducerTable& table) {
  json::object data;
  for (const auto& [group, producers] : table) {
    json::array list;
    for (const ProducerInfo& info : producers) list.push_back(to_object(info));
    data[group] = std::move(list);
  }
  return to_json(json::object{{"data", std::move(data)}});
}
Result<ProducerTable> decode_producer_table(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  ProducerTable out;
  for (const auto& [group, producers] : object_member(value, "data")) {
    auto& list = out[std::string(view_of(group))];
    if (!producers.is_array()) continue;
    for (const json::value& info : producers.get_array()) list.push_back(to_producer_info(info));
  }
  return out;
}

std::string encode_group_list(const std::vector<std::string>& groups) {
  return to_json(json::object{{"groupList", wire::to_array(groups)}});
}
Result<std::vector<std::string>> decode_group_list(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return to_strings(array_member(value, "groupList"));
}

std::string encode_group_subscription(const GroupSubscription& subscription) {
  json::object out{{"group", text_value(subscription.group)}};
  if (subscription.data) out["subscriptionData"] = subscription_object(*subscription.data);
  out["topic"] = text_value(subscription.topic);
  return to_json(out);
}
Result<GroupSubscription> decode_group_subscription(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  GroupSubscription out{
      .group = string_member(value, "group"), .topic = string_member(value, "topic"), .data = {}};
  if (const json::value* data = member(value, "subscriptionData");
      data != nullptr && data->is_object())
    out.data = subscription_from(*data);
  return out;
}

}  // namespace mq::wire

#include "wire/route.h"

#include <charconv>

#include "wire/body_json.h"

namespace mq::wire {
namespace {

json::object addr_object(const BrokerData& broker) {
  json::object addrs;
  for (const auto& [id, addr] : broker.addrs) addrs[std::to_string(id)] = text_value(addr);
  return addrs;
}
json::object to_object(const BrokerData& broker) {
  json::object out{{"brokerAddrs", addr_object(broker)},
                   {"brokerName", text_value(broker.name)},
                   {"cluster", text_value(broker.cluster)},
                   {"enableActingMaster", broker.enable_acting_master}};
  if (!broker.zone.empty()) out["zoneName"] = text_value(broker.zone);
  return out;
}
Result<BrokerData> to_broker_data(const json::value& value) {
  BrokerData out;
  out.name = string_member(value, "brokerName");
  out.cluster = string_member(value, "cluster");
  out.enable_acting_master = bool_member(value, "enableActingMaster", false);
  out.zone = string_member(value, "zoneName");
  for (const auto& [key, addr] : object_member(value, "brokerAddrs")) {
    std::int64_t id = 0;
    const char* const end = key.data() + key.size();
    const auto [stop, error] = std::from_chars(key.data(), end, id);
    if (error != std::errc() || stop != end)
      return Error{Errc::kCorrupt, "broker " + out.name + ": id '" + std::string(view_of(key)) +
                                       "' is not a number"};
    out.addrs.insert_or_assign(id, string_or(&addr, ""));
  }
  return out;
}

json::object to_object(const QueueData& queue) {
  return {{"brokerName", text_value(queue.broker_name)},
          {"perm", queue.perm},
          {"readQueueNums", queue.read_queues},
          {"topicSysFlag", queue.topic_sys_flag},
          {"writeQueueNums", queue.write_queues}};
}
QueueData to_queue_data(const json::value& value) {
  return {.broker_name = string_member(value, "brokerName"),
          .read_queues = int32_member(value, "readQueueNums", 0),
          .write_queues = int32_member(value, "writeQueueNums", 0),
          .perm = int32_member(value, "perm", 0),
          .topic_sys_flag = int32_member(value, "topicSysFlag", 0)};
}

json::object mapping_object(const std::map<std::string, std::string>& mappings) {
  json::object out;
  for (const auto& [name, text] : mappings)
    if (auto value = parse_json(text)) out[name] = *std::move(value);
  return out;
}

}  // namespace

std::string encode_topic_route(const TopicRouteData& route) {
  json::array brokers;
  for (const auto& broker : route.brokers) brokers.push_back(to_object(broker));
  json::array queues;
  for (const auto& queue : route.queues) queues.push_back(to_object(queue));
  json::object filters;
  for (const auto& [addr, servers] : route.filter_servers) filters[addr] = to_array(servers);
  json::object out{{"brokerDatas", std::move(brokers)}, {"filterServerTable", std::move(filters)}};
  if (!route.order_topic_conf.empty()) out["orderTopicConf"] = text_value(route.order_topic_conf);
  out["queueDatas"] = std::move(queues);
  if (!route.mappings.empty()) out["topicQueueMappingByBroker"] = mapping_object(route.mappings);
  return to_json(out);
}

Result<TopicRouteData> decode_topic_route(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  TopicRouteData out;
  for (const auto& broker : array_member(value, "brokerDatas")) {
    MQ_TRY(BrokerData data, to_broker_data(broker));
    out.brokers.push_back(std::move(data));
  }
  for (const auto& queue : array_member(value, "queueDatas"))
    out.queues.push_back(to_queue_data(queue));
  out.order_topic_conf = string_member(value, "orderTopicConf");
  for (const auto& [addr, servers] : object_member(value, "filterServerTable"))
    if (servers.is_array())
      out.filter_servers[std::string(view_of(addr))] = to_strings(servers.get_array());
  for (const auto& [name, mapping] : object_member(value, "topicQueueMappingByBroker"))
    out.mappings[std::string(view_of(name))] = to_json(mapping);
  return out;
}

std::string encode_cluster_info(const ClusterInfo& info) {
  json::object brokers;
  for (const auto& [name, broker] : info.brokers) brokers[name] = to_object(broker);
  json::object clusters;
  for (const auto& [name, members] : info.clusters) clusters[name] = to_array(members);
  return to_json(json::object{{"brokerAddrTable", std::move(brokers)},
                              {"clusterAddrTable", std::move(clusters)}});
}

Result<ClusterInfo> decode_cluster_info(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  ClusterInfo out;
  for (const auto& [name, broker] : object_member(value, "brokerAddrTable")) {
    MQ_TRY(BrokerData data, to_broker_data(broker));
    out.brokers.insert_or_assign(std::string(view_of(name)), std::move(data));
  }
  for (const auto& [name, members] : object_member(value, "clusterAddrTable"))
    if (members.is_array())
      out.clusters.insert_or_assign(std::string(view_of(name)), to_strings(members.get_array()));
  return out;
}

std::string encode_member_group(const BrokerData& broker) {
  return to_json(
      json::object{{"brokerMemberGroup", json::object{{"brokerAddrs", addr_object(broker)},
                                                      {"brokerName", text_value(broker.name)},
                                                      {"cluster", text_value(broker.cluster)}}}});
}

Result<BrokerData> decode_member_group(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  const json::value* const group = member(value, "brokerMemberGroup");
  if (group == nullptr) return Error{Errc::kCorrupt, "no brokerMemberGroup"};
  return to_broker_data(*group);
}

}  // namespace mq::wire

#include "wire/route.h"

#include <charconv>

#include "wire/body_json.h"

namespace mq::wire {
namespace {

json::object to_object(const BrokerData& broker) {
  json::object addrs;
  for (const auto& [id, addr] : broker.addrs) addrs[std::to_string(id)] = text_value(addr);
  return {{"brokerAddrs", std::move(addrs)},
          {"brokerName", text_value(broker.name)},
          {"cluster", text_value(broker.cluster)},
          {"enableActingMaster", broker.enable_acting_master}};
}
Result<BrokerData> to_broker_data(const json::value& value) {
  BrokerData out;
  out.name = string_member(value, "brokerName");
  out.cluster = string_member(value, "cluster");
  out.enable_acting_master = bool_member(value, "enableActingMaster", false);
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

}  // namespace

std::string encode_topic_route(const TopicRouteData& route) {
  json::array brokers;
  for (const auto& broker : route.brokers) brokers.push_back(to_object(broker));
  json::array queues;
  for (const auto& queue : route.queues) queues.push_back(to_object(queue));
  json::object out{{"brokerDatas", std::move(brokers)}, {"filterServerTable", json::object()}};
  if (!route.order_topic_conf.empty()) out["orderTopicConf"] = text_value(route.order_topic_conf);
  out["queueDatas"] = std::move(queues);
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

}  // namespace mq::wire

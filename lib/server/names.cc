// What a name server answers, for the one broker that we are (R 105, 106, 206, 224, 304).
#include <fmt/format.h>

#include "server/call.h"
#include "wire/codes.h"
#include "wire/route.h"
#include "wire/topic.h"
#include "wire/topic_body.h"

namespace mq::server {

void handle_route(const Call& call) {
  auto asked = wire::decode_topic_request(call.request);
  if (!asked) return call.reply_error(asked.error());
  const auto topic = call.p.topics.find(asked->topic);
  if (!topic) {
    return call.reply(
        wire::kTopicNotExist,
        fmt::format("No topic route info in name server for the topic: {}", asked->topic));
  }
  call.reply_body(wire::encode_topic_route(
      route::topic_route(call.p.self, {.broker_name = {},
                                       .read_queues = topic->read_queues,
                                       .write_queues = topic->write_queues,
                                       .perm = topic->perm & (call.p.config.perm | 1),
                                       .topic_sys_flag = topic->sys_flag})));
}

void handle_cluster_info(const Call& call) {
  call.reply_body(wire::encode_cluster_info(route::cluster_info(call.p.self)));
}

void handle_topic_names(const Call& call) {
  wire::TopicList list;
  if (call.request.code == wire::kGetSystemTopicListFromNs) {
    list.topics = {call.p.config.cluster, call.p.config.name};
    list.broker_addr = call.p.self.address;
    return call.reply_body(wire::encode_topic_list(list));
  }
  const auto cluster = call.request.ext.find("cluster");
  if (call.request.code == wire::kGetTopicsByCluster &&
      cluster.value_or("") != call.p.config.cluster) {
    return call.reply_body(wire::encode_topic_list(list));
  }
  for (const auto& [name, topic] : call.p.topics.all().topics) list.topics.push_back(name);
  call.reply_body(wire::encode_topic_list(list));
}

}  // namespace mq::server

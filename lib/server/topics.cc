// Topics and their life (R 17, 18, 21, 215, 305, 351).
#include <fmt/format.h>

#include "broker/pop_names.h"
#include "broker/pop_service.h"
#include "format/state_files.h"
#include "server/call.h"
#include "server/topic_forms.h"
#include "wire/codes.h"
#include "wire/topic.h"
#include "wire/topic_body.h"

namespace mq::server {
namespace {

format::TopicConfig from_wire(const wire::TopicConfig& c) {
  format::TopicConfig out;
  out.name = c.name;
  out.read_queues = c.read_queues;
  out.write_queues = c.write_queues;
  out.perm = c.perm;
  out.filter_type = c.filter_type;
  out.sys_flag = c.sys_flag;
  out.order = c.order;
  return out;
}

}  // namespace

void handle_create_topic(const Call& call) {
  auto asked = wire::decode_create_topic_request(call.request);
  if (!asked) return call.reply_error(asked.error());
  const wire::TopicConfig config{.name = std::string(asked->topic),
                                 .read_queues = asked->read_queues,
                                 .write_queues = asked->write_queues,
                                 .perm = asked->perm,
                                 .filter_type = std::string(asked->filter_type),
                                 .sys_flag = asked->sys_flag,
                                 .order = asked->order};
  if (auto done = call.p.topics.put(from_wire(config), asked->attributes); !done)
    return call.reply_error(done.error());
  call.reply(wire::kSuccess);
}

void handle_create_topic_list(const Call& call) {
  auto list = wire::decode_topic_config_list(as_text(call.request.body));
  if (!list) return call.reply_error(list.error());
  std::vector<broker::Topics::TopicChange> changes;
  for (const wire::TopicConfig& config : *list) {
    std::string attributes;
    for (const auto& [key, value] : config.attributes) {
      fmt::format_to(std::back_inserter(attributes), "{}{}{}={}", attributes.empty() ? "" : ",",
                     key.starts_with('+') ? "" : "+", key, value);
    }
    changes.push_back({from_wire(config), std::move(attributes)});
  }
  if (auto done = call.p.topics.put_all(std::move(changes)); !done)
    return call.reply_error(done.error());
  call.reply(wire::kSuccess);
}

void handle_delete_topic(const Call& call) {
  auto asked = wire::decode_topic_request(call.request);
  if (!asked) return call.reply_error(asked.error());
  // With the topic go the retries of those who pop it.
  std::vector<std::string> names{std::string(asked->topic)};
  for (const std::string& group : call.p.offsets.groups_of(asked->topic)) {
    for (auto name : {broker::pop_retry_topic_v1, broker::pop_retry_topic_v2})
      if (auto retry = name(group, asked->topic); call.p.topics.find(retry)) names.push_back(retry);
  }
  for (const std::string& name : names) {
    if (auto done = call.p.topics.remove(name); !done) return call.reply_error(done.error());
    call.p.offsets.remove_topic(name);
    call.p.pop.orders.remove_topic(name);
    if (auto done = call.p.store.delete_topic(name); !done) return call.reply_error(done.error());
  }
  call.reply(wire::kSuccess);
}

void handle_all_topics(const Call& call) {
  const format::TopicTable table = call.p.topics.all();
  wire::TopicTable out;
  out.version = to_wire(table.version);
  for (const auto& [name, topic] : table.topics) out.topics.emplace(name, to_wire(topic));
  call.reply_body(wire::encode_topic_table(out));
}

void handle_topic_config(const Call& call) {
  auto asked = wire::decode_topic_request(call.request);
  if (!asked) return call.reply_error(asked.error());
  const auto topic = call.p.topics.get(asked->topic);
  if (!topic)
    return call.reply(wire::kTopicNotExist, fmt::format("topic '{}' does not exist", asked->topic));
  call.reply_body(wire::encode_topic_config(to_wire(*topic)));
}

void handle_system_topics(const Call& call) {
  call.reply_body(wire::encode_topic_list({.topics = call.p.topics.system_topics()}));
}

}  // namespace mq::server

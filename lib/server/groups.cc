// Consumer groups as an administrator makes them (R 200, 201, 207, 225, 352, 353).
#include <fmt/format.h>

#include "broker/pop_service.h"
#include "format/state_files.h"
#include "server/call.h"
#include "wire/codes.h"
#include "wire/group_body.h"

namespace mq::server {
namespace {

wire::GroupConfig to_wire(const format::GroupConfig& c) {
  return {.name = c.name,
          .consume_enable = c.consume_enable,
          .consume_from_min_enable = c.consume_from_min_enable,
          .consume_broadcast_enable = c.consume_broadcast_enable,
          .consume_message_orderly = c.consume_message_orderly,
          .retry_queues = c.retry_queues,
          .retry_max_times = c.retry_max_times,
          .retry_policy_json = c.retry_policy_json,
          .broker_id = c.broker_id,
          .which_broker_when_slow = c.which_broker_when_slow,
          .notify_consumer_ids_changed = c.notify_consumer_ids_changed,
          .sys_flag = c.sys_flag,
          .consume_timeout_minutes = c.consume_timeout_minutes,
          .subscription_data_json = c.subscription_data_json,
          .attributes = c.attributes};
}

format::GroupConfig from_wire(const wire::GroupConfig& c) {
  format::GroupConfig out;
  out.name = c.name;
  out.consume_enable = c.consume_enable;
  out.consume_from_min_enable = c.consume_from_min_enable;
  out.consume_broadcast_enable = c.consume_broadcast_enable;
  out.consume_message_orderly = c.consume_message_orderly;
  out.retry_queues = c.retry_queues;
  out.retry_max_times = c.retry_max_times;
  out.retry_policy_json = c.retry_policy_json;
  out.broker_id = c.broker_id;
  out.which_broker_when_slow = c.which_broker_when_slow;
  out.notify_consumer_ids_changed = c.notify_consumer_ids_changed;
  out.sys_flag = c.sys_flag;
  out.consume_timeout_minutes = c.consume_timeout_minutes;
  out.subscription_data_json = c.subscription_data_json;
  out.attributes = c.attributes;
  return out;
}

}  // namespace

void handle_create_group(const Call& call) {
  auto config = wire::decode_group_config(as_text(call.request.body));
  if (!config) return call.reply_error(config.error());
  if (auto done = call.p.groups.put(from_wire(*config)); !done)
    return call.reply_error(done.error());
  call.reply(wire::kSuccess);
}

void handle_create_group_list(const Call& call) {
  auto list = wire::decode_group_config_list(as_text(call.request.body));
  if (!list) return call.reply_error(list.error());
  for (const wire::GroupConfig& config : *list) {
    if (auto done = call.p.groups.put(from_wire(config)); !done)
      return call.reply_error(done.error());
  }
  call.reply(wire::kSuccess);
}

void handle_delete_group(const Call& call) {
  auto group = wire::text_field(call.request.ext, "groupName");
  if (!group) return call.reply_error(group.error());
  if (auto done = call.p.groups.remove(*group); !done) return call.reply_error(done.error());
  if (wire::bool_or(call.request.ext, "cleanOffset", false)) call.p.offsets.remove_group(*group);
  call.p.pop.orders.remove_group(*group);
  call.reply(wire::kSuccess);
}

void handle_all_groups(const Call& call) {
  const format::GroupTable table = call.p.groups.all();
  wire::GroupTable out;
  out.version = {.counter = table.version.counter,
                 .state_version = table.version.state_version,
                 .timestamp_ms = table.version.timestamp_ms};
  for (const auto& [name, config] : table.groups) out.groups.emplace(name, to_wire(config));
  out.forbidden = table.forbidden;
  call.reply_body(wire::encode_group_table(out));
}

void handle_group_config(const Call& call) {
  auto name = wire::text_field(call.request.ext, "group");
  if (!name) return call.reply_error(name.error());
  const auto group = call.p.groups.find_or_create(*name);
  if (group == nullptr) {
    return call.reply(wire::kSubscriptionGroupNotExist,
                      fmt::format("group '{}' does not exist", *name));
  }
  call.reply_body(wire::encode_group_config(to_wire(*group)));
}

void handle_group_forbidden(const Call& call) {
  const auto& ext = call.request.ext;
  auto group = wire::text_field(ext, "group");
  auto topic = wire::text_field(ext, "topic");
  if (!group || !topic) return call.reply(wire::kInvalidParameter, "group and topic are needed");
  if (ext.find("readable")) {
    const bool forbidden = !wire::bool_or(ext, "readable", true);
    if (auto done = call.p.groups.forbid_read(*group, *topic, forbidden); !done)
      return call.reply_error(done.error());
  }
  call.reply_body(
      wire::encode_group_forbidden({.group = std::string(*group),
                                    .topic = std::string(*topic),
                                    .readable = !call.p.groups.is_read_forbidden(*group, *topic)}));
}

}  // namespace mq::server

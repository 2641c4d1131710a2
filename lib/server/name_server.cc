#include "server/name_server.h"

#include <array>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/log.h"
#include "server/answer.h"
#include "wire/kv_config.h"
#include "wire/topic.h"

namespace mq::server {

struct NameServer::Ask final : Answer {
  using Answer::Answer;
};

NameServer::NameServer(route::Registry& registry, route::KvConfigs& kv,
                       route::NameSettings& settings, Clock& clock, Notify notify)
    : registry_(registry),
      kv_(kv),
      settings_(settings),
      clock_(clock),
      notify_(std::move(notify)),
      started_ms_(now_ms()),
      scanned_ms_(started_ms_) {
  apply_settings();
}

void NameServer::apply_settings() {
  const route::NameConfig config = settings_.get();
  registry_.set_options({.delete_missing_topics = config.delete_missing_topics,
                         .support_acting_master = config.support_acting_master,
                         .notify_min_id_changed = config.notify_min_id_changed && notify_});
}

NameServer::Handle NameServer::handler_of(std::int32_t code) noexcept {
  switch (code) {
    case wire::kRegisterBroker:
      return handle_register;
    case wire::kUnregisterBroker:
      return handle_unregister;
    case wire::kQueryDataVersion:
      return handle_data_version;
    case wire::kBrokerHeartbeat:
      return handle_heartbeat;
    case wire::kGetRouteInfoByTopic:
      return handle_route;
    case wire::kGetBrokerClusterInfo:
      return handle_cluster_info;
    case wire::kGetBrokerMemberGroup:
      return handle_member_group;
    case wire::kGetAllTopicListFromNameserver:
    case wire::kGetTopicsByCluster:
    case wire::kGetSystemTopicListFromNs:
    case wire::kGetUnitTopicList:
    case wire::kGetHasUnitSubTopicList:
    case wire::kGetHasUnitSubUnunitTopicList:
      return handle_topic_list;
    case wire::kWipeWritePermOfBroker:
    case wire::kAddWritePermOfBroker:
      return handle_write_perm;
    case wire::kDeleteTopicInNamesrv:
      return handle_delete_topic;
    case wire::kRegisterTopicInNamesrv:
      return handle_add_topic;
    case wire::kPutKvConfig:
    case wire::kGetKvConfig:
    case wire::kDeleteKvConfig:
    case wire::kGetKvlistByNamespace:
      return handle_kv;
    case wire::kUpdateNamesrvConfig:
    case wire::kGetNamesrvConfig:
      return handle_settings;
    default:
      return nullptr;
  }
}

bool NameServer::handle(net::Connection& connection, const wire::Command& request) {
  const Handle serve = handler_of(request.code);
  if (serve == nullptr) return false;
  serve(*this, Ask(connection, request));
  return true;
}

void NameServer::on_close(net::Connection& connection) {
  {
    const MutexLock lock(mu_);
    if (brokers_.erase(connection.id()) == 0) return;
  }
  registry_.connection_closed(connection.id());
  send_notices();
}

void NameServer::tick() {
  const std::int64_t now = now_ms();
  std::vector<std::shared_ptr<net::Connection>> silent;
  {
    const MutexLock lock(mu_);
    if (now - scanned_ms_ < settings_.get().scan_interval_ms) return;
    scanned_ms_ = now;
    for (const std::uint64_t id : registry_.expire(now)) {
      const auto at = brokers_.find(id);
      if (at == brokers_.end()) continue;
      if (auto connection = at->second.lock()) silent.push_back(std::move(connection));
    }
  }
  for (const auto& connection : silent) {
    log::warn("broker on {}:{} was silent for too long: taken out", connection->peer_ip(),
              connection->peer_port());
    connection->post([](net::Connection& here) { here.close(); });
  }
  send_notices();
}

void NameServer::send_notices() {
  if (!notify_) return;
  for (auto& notice : registry_.take_notices()) notify_(std::move(notice));
}

void NameServer::handle_register(NameServer& server, const Ask& ask) {
  const wire::Command& request = ask.request;
  auto asked = wire::decode_register_broker_request(request);
  if (!asked) return ask.reply_error(asked.error());
  if (asked->body_crc != 0 && crc32_masked(request.body) != asked->body_crc)
    return ask.reply(wire::kSystemError, "crc32 not match");
  auto body = wire::decode_register_broker_body(request.body, asked->compressed, request.version);
  if (!body) return ask.reply_error(body.error());
  const std::uint64_t id = ask.connection.id();
  auto accepted = server.registry_.register_broker(
      {.cluster = std::string(asked->cluster),
       .broker = std::string(asked->broker_name),
       .address = std::string(asked->broker_addr),
       .id = asked->broker_id,
       .ha_address = std::string(asked->ha_addr),
       .zone = std::string(asked->zone),
       .timeout_ms = asked->heartbeat_timeout_ms.value_or(route::kHeartbeatTimeoutMs),
       .enable_acting_master = asked->enable_acting_master,
       .connection = id,
       .body = *std::move(body)},
      server.now_ms());
  if (!accepted) {
    log::warn("registration refused: {}", accepted.error().text());
    return ask.reply(wire::kSystemError, "register broker failed");
  }
  {
    const MutexLock lock(server.mu_);
    server.brokers_[id] = ask.connection.weak_from_this();
  }
  server.send_notices();
  wire::RegisterBrokerResponse answer{.ha_addr = std::move(accepted->ha_address),
                                      .master_addr = std::move(accepted->master_address),
                                      .order_conf = {}};
  if (server.settings_.get().return_order_conf)
    answer.order_conf = server.kv_.all(route::kOrderTopics).value_or(route::KvConfigs::Table());
  if (ask.wants_answer())
    wire::append_register_broker_response(ask.connection.out(), ask.header(wire::kSuccess), answer);
}

void NameServer::handle_unregister(NameServer& server, const Ask& ask) {
  const auto who = wire::decode_broker_identity(ask.request);
  if (!who) return ask.reply_error(who.error());
  server.registry_.unregister_broker(who->cluster, who->broker_name, who->broker_addr);
  server.send_notices();
  ask.reply(wire::kSuccess);
}

void NameServer::handle_data_version(NameServer& server, const Ask& ask) {
  const auto who = wire::decode_broker_identity(ask.request);
  if (!who) return ask.reply_error(who.error());
  const auto version = wire::decode_data_version(as_text(ask.request.body));
  if (!version) return ask.reply_error(version.error());
  const auto answer =
      server.registry_.query_version(who->cluster, who->broker_addr, *version, server.now_ms());
  if (ask.wants_answer())
    wire::append_query_data_version_response(ask.connection.out(), ask.header(wire::kSuccess),
                                             answer);
}

void NameServer::handle_heartbeat(NameServer& server, const Ask& ask) {
  const auto who = wire::decode_broker_identity(ask.request);
  if (!who) return ask.reply_error(who.error());
  server.registry_.heartbeat(who->cluster, who->broker_addr, server.now_ms());
  ask.reply(wire::kSuccess);
}

void NameServer::handle_route(NameServer& server, const Ask& ask) {
  const auto asked = wire::decode_topic_request(ask.request);
  if (!asked) return ask.reply_error(asked.error());
  const route::NameConfig config = server.settings_.get();
  if (config.wait_for_service && server.now_ms() - server.started_ms_ < config.wait_seconds * 1000)
    return ask.reply(wire::kSystemError, "name server not ready");
  auto route = server.registry_.route(asked->topic);
  if (!route) return ask.reply(wire::kTopicNotExist, route.error().text());
  if (config.order_messages) {
    route->order_topic_conf =
        server.kv_.get(route::kOrderTopics, asked->topic).value_or(std::string());
  }
  const std::string_view zone = ask.request.ext.find("__ZONE_NAME").value_or("");
  if (!zone.empty() && wire::bool_or(ask.request.ext, "__ZONE_MODE", false))
    route::keep_zone(*route, zone);
  ask.reply_body(wire::encode_topic_route(*route));
}

void NameServer::handle_cluster_info(NameServer& server, const Ask& ask) {
  ask.reply_body(wire::encode_cluster_info(server.registry_.cluster_info()));
}

void NameServer::handle_member_group(NameServer& server, const Ask& ask) {
  const auto asked = wire::decode_broker_identity(ask.request);
  if (!asked) return ask.reply_error(asked.error());
  ask.reply_body(
      wire::encode_member_group(server.registry_.member_group(asked->cluster, asked->broker_name)));
}

void NameServer::handle_topic_list(NameServer& server, const Ask& ask) {
  using Unit = route::Registry::Unit;
  const route::NameConfig config = server.settings_.get();
  const bool all = ask.request.code == wire::kGetAllTopicListFromNameserver;
  if (all ? !config.all_topic_list : !config.topic_list)
    return ask.reply(wire::kSystemError, "disable");
  wire::TopicList list;
  switch (ask.request.code) {
    case wire::kGetAllTopicListFromNameserver:
      list.topics = server.registry_.topics();
      break;
    case wire::kGetTopicsByCluster:
      list.topics =
          server.registry_.topics_of_cluster(ask.request.ext.find("cluster").value_or(""));
      break;
    case wire::kGetUnitTopicList:
      list.topics = server.registry_.unit_topics(Unit::kUnit);
      break;
    case wire::kGetHasUnitSubTopicList:
      list.topics = server.registry_.unit_topics(Unit::kSubscribed);
      break;
    case wire::kGetHasUnitSubUnunitTopicList:
      list.topics = server.registry_.unit_topics(Unit::kSubscribedNotUnit);
      break;
    default:
      list = server.registry_.system_topics();
  }
  ask.reply_body(wire::encode_topic_list(list));
}

void NameServer::handle_write_perm(NameServer& server, const Ask& ask) {
  const auto broker = wire::decode_write_perm_request(ask.request);
  if (!broker) return ask.reply_error(broker.error());
  const bool wipe = ask.request.code == wire::kWipeWritePermOfBroker;
  const std::int32_t topics = server.registry_.change_write_perm(*broker, !wipe);
  log::info("{} write permission of {}: {} topics", wipe ? "wiped" : "added", *broker, topics);
  if (ask.wants_answer())
    wire::append_write_perm_response(ask.connection.out(), ask.header(wire::kSuccess), wipe,
                                     topics);
}

void NameServer::handle_delete_topic(NameServer& server, const Ask& ask) {
  const auto asked = wire::decode_topic_request(ask.request);
  if (!asked) return ask.reply_error(asked.error());
  server.registry_.delete_topic(asked->topic, asked->cluster);
  ask.reply(wire::kSuccess);
}

void NameServer::handle_add_topic(NameServer& server, const Ask& ask) {
  const auto asked = wire::decode_topic_request(ask.request);
  if (!asked) return ask.reply_error(asked.error());
  const auto route = wire::decode_topic_route(as_text(ask.request.body));
  if (!route) return ask.reply_error(route.error());
  server.registry_.add_topic(asked->topic, route->queues);
  ask.reply(wire::kSuccess);
}

void NameServer::handle_kv(NameServer& server, const Ask& ask) {
  const auto asked = wire::decode_kv_request(ask.request);
  if (!asked) return ask.reply_error(asked.error());
  const auto done = [&](const Result<void>& changed) {
    if (!changed) return ask.reply_error(changed.error());
    ask.reply(wire::kSuccess);
  };
  switch (ask.request.code) {
    case wire::kPutKvConfig:
      return done(server.kv_.put(asked->name_space, asked->key, asked->value));
    case wire::kDeleteKvConfig:
      return done(server.kv_.remove(asked->name_space, asked->key));
    case wire::kGetKvConfig: {
      const auto value = server.kv_.get(asked->name_space, asked->key);
      if (value && ask.wants_answer())
        return wire::append_kv_response(ask.connection.out(), ask.header(wire::kSuccess), *value);
      return ask.reply(wire::kQueryNotFound, fmt::format("No config item, Namespace: {} Key: {}",
                                                         asked->name_space, asked->key));
    }
    default: {
      const auto table = server.kv_.all(asked->name_space);
      if (table) return ask.reply_body(wire::encode_kv_table(*table));
      return ask.reply(wire::kQueryNotFound,
                       fmt::format("No config item, Namespace: {}", asked->name_space));
    }
  }
}

void NameServer::handle_settings(NameServer& server, const Ask& ask) {
  if (ask.request.code == wire::kGetNamesrvConfig)
    return ask.reply_body(server.settings_.to_properties());
  if (auto done = server.settings_.update(as_text(ask.request.body)); !done)
    return ask.reply_error(done.error());
  server.apply_settings();
  ask.reply(wire::kSuccess);
}

void NameServerHandler::on_frame(net::Connection& connection, Bytes frame) {
  thread_local wire::Command request;
  if (auto done = wire::decode_command(frame, request); !done) {
    log::warn("{}:{}: {}; connection closed", connection.peer_ip(), connection.peer_port(),
              done.error().to_string());
    return connection.close();
  }
  if (request.is_response()) return;
  const Answer answer(connection, request);
  const std::size_t answered = connection.out().size();
  try {
    if (!server_.handle(connection, request))
      answer.reply(wire::kRequestCodeNotSupported,
                   fmt::format(" request type {} not supported", request.code));
  } catch (const std::exception& e) {  // memory, or a library's surprise: costs this request alone
    connection.out().resize(answered);
    answer.reply(wire::kSystemError, e.what());
    log::error("request {} from {}: {}", request.code, connection.peer_ip(), e.what());
  }
}

}  // namespace mq::server

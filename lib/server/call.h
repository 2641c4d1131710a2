// One request being handled: what a handler is given and how it answers. Private to server.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "broker/config.h"
#include "broker/long_poll.h"
#include "broker/stats.h"
#include "broker/topics.h"
#include "net/server.h"
#include "route/self_route.h"
#include "server/broker_server.h"
#include "store/message_store.h"
#include "wire/codes.h"
#include "wire/command.h"

namespace mq::server {

class Call {
 public:
  Call(const Parts& parts, net::Connection& from, const wire::Command& asked, Bytes asked_frame)
      : p(parts), connection(from), request(asked), frame(asked_frame) {}

  [[nodiscard]] wire::Header header(std::int32_t code,
                                    std::string_view remark = {}) const noexcept {
    return {.serialize = request.serialize,
            .code = code,
            .opaque = request.opaque,
            .flag = wire::kFlagResponse,
            .remark = remark};
  }
  // False for a oneway request: then nothing may be answered, whatever happened.
  [[nodiscard]] bool wants_answer() const noexcept { return !request.is_oneway(); }
  // A header alone.
  void reply(std::int32_t code, std::string_view remark = {},
             std::span<const wire::Field> ext = {}) const {
    if (wants_answer()) wire::append_frame(connection.out(), header(code, remark), ext, {});
  }
  void reply_body(std::string_view body, std::span<const wire::Field> ext = {}) const {
    if (wants_answer())
      wire::append_frame(connection.out(), header(wire::kSuccess), ext, as_bytes(body));
  }
  // kInvalid is what the peer said wrong (29), kNotFound a missing topic (17), the rest our trouble
  // (1).
  void reply_error(const Error& error) const;

  const Parts& p;
  net::Connection& connection;
  const wire::Command& request;
  const Bytes frame;  // that `request` was decoded from
};

using Handle = void (*)(const Call&);
// Runs `handle` as soon as all that is readable now is dispatched, at once if it is, after two
// seconds in any case; so that whoever asks right behind an acknowledged send sees what was sent.
// The connection's other requests go on meanwhile.
void when_dispatched(const Call& call, Handle handle);

// One file a family; the codes that each serves are in dispatch.cc.
void handle_send(const Call& call);
void handle_pull(const Call& call);
void handle_queue_bound(const Call& call);
void handle_query_message(const Call& call);
void handle_view_message(const Call& call);
void handle_query_consume_queue(const Call& call);
void handle_create_topic(const Call& call);
void handle_create_topic_list(const Call& call);
void handle_delete_topic(const Call& call);
void handle_all_topics(const Call& call);
void handle_topic_config(const Call& call);
void handle_topic_stats(const Call& call);
void handle_system_topics(const Call& call);
void handle_create_group(const Call& call);
void handle_create_group_list(const Call& call);
void handle_delete_group(const Call& call);
void handle_all_groups(const Call& call);
void handle_group_config(const Call& call);
void handle_group_forbidden(const Call& call);
void handle_heartbeat(const Call& call);
void handle_unregister(const Call& call);
void handle_check_client_config(const Call& call);
void handle_consumer_list(const Call& call);
void handle_query_offset(const Call& call);
void handle_update_offset(const Call& call);
void handle_all_offsets(const Call& call);
void handle_lock_queues(const Call& call);
void handle_unlock_queues(const Call& call);
void handle_consumer_connections(const Call& call);
void handle_producer_connections(const Call& call);
void handle_all_producers(const Call& call);
void handle_groups_of_topic(const Call& call);
void handle_topics_of_group(const Call& call);
void handle_subscription_of_group(const Call& call);
void handle_route(const Call& call);
void handle_cluster_info(const Call& call);
void handle_topic_names(const Call& call);
void handle_runtime_info(const Call& call);
void handle_broker_config(const Call& call);
void handle_stats_view(const Call& call);
void handle_expire(const Call& call);

}  // namespace mq::server

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
#include "server/answer.h"
#include "server/broker_server.h"
#include "store/message_store.h"
#include "wire/codes.h"
#include "wire/command.h"

namespace mq::server {

class Call : public Answer {
 public:
  Call(const Parts& parts, net::Connection& from, const wire::Command& asked, Bytes asked_frame)
      : Answer(from, asked), p(parts), frame(asked_frame) {}

  const Parts& p;
  const Bytes frame;  // that `request` was decoded from
};

using Handle = void (*)(const Call&);
// Runs `handle` as soon as all that is readable now is dispatched, at once if it is, after two
// seconds in any case; so that whoever asks right behind an acknowledged send sees what was sent.
// The connection's other requests go on meanwhile.
void when_dispatched(const Call& call, Handle handle);

// One file a family; the codes that each serves are in dispatch.cc.
void handle_send(const Call& call);
void handle_reply(const Call& call);
void handle_send_back(const Call& call);
void handle_end_transaction(const Call& call);
void handle_resume_check(const Call& call);
void handle_recall(const Call& call);
void handle_timer_check(const Call& call);
void handle_timer_metrics(const Call& call);
void handle_pull(const Call& call);
void handle_pop(const Call& call);
void handle_peek(const Call& call);
void handle_notification(const Call& call);
void handle_polling_info(const Call& call);
void handle_ack(const Call& call);
void handle_batch_ack(const Call& call);
void handle_change_invisible(const Call& call);
void handle_query_assignment(const Call& call);
void handle_set_request_mode(const Call& call);
void handle_all_request_modes(const Call& call);
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
void handle_reset_offset(const Call& call);
void handle_clone_offset(const Call& call);
void handle_correction_offset(const Call& call);
void handle_consume_stats(const Call& call);
void handle_broker_consume_stats(const Call& call);
void handle_consume_time_span(const Call& call);
void handle_running_info(const Call& call);
void handle_consume_directly(const Call& call);
void handle_consumer_status(const Call& call);
void handle_consumer_connections(const Call& call);
void handle_producer_connections(const Call& call);
void handle_all_producers(const Call& call);
void handle_groups_of_topic(const Call& call);
void handle_topics_of_group(const Call& call);
void handle_subscription_of_group(const Call& call);
void handle_runtime_info(const Call& call);
void handle_broker_config(const Call& call);
void handle_update_config(const Call& call);
void handle_clean_queues(const Call& call);
void handle_clean_topics(const Call& call);
void handle_ha_status(const Call& call);
void handle_reset_master_flush_offset(const Call& call);
void handle_stats_view(const Call& call);
void handle_expire(const Call& call);
void handle_create_user(const Call& call);
void handle_update_user(const Call& call);
void handle_delete_user(const Call& call);
void handle_get_user(const Call& call);
void handle_list_users(const Call& call);
void handle_update_acl(const Call& call);
void handle_delete_acl(const Call& call);
void handle_get_acl(const Call& call);
void handle_list_acls(const Call& call);

}  // namespace mq::server

// Which code goes to which handler, and what happens to everything else.
#include <exception>

#include <fmt/format.h>

#include "base/log.h"
#include "broker/access.h"
#include "broker/pop_service.h"
#include "server/access.h"
#include "server/broker_server.h"
#include "server/call.h"
#include "server/client_channel.h"
#include "server/flow_control.h"
#include "server/membership.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

Handle handler_of(std::int32_t code) noexcept {
  switch (code) {
    case wire::kSendMessage:
    case wire::kSendMessageV2:
    case wire::kSendBatchMessage:
      return handle_send_unless_busy;
    case wire::kSendReplyMessage:
    case wire::kSendReplyMessageV2:
      return handle_reply;
    case wire::kConsumerSendMsgBack:
      return handle_send_back_unless_busy;
    case wire::kEndTransaction:
      return handle_end_transaction;
    case wire::kResumeCheckHalfMessage:
      return handle_resume_check;
    case wire::kRecallMessage:
      return handle_recall;
    case wire::kGetTimerCheckPoint:
      return handle_timer_check;
    case wire::kGetTimerMetrics:
      return handle_timer_metrics;
    case wire::kPullMessage:
    case wire::kLitePullMessage:
      return handle_pull;
    case wire::kPopMessage:
      return handle_pop;
    case wire::kPeekMessage:
      return handle_peek;
    case wire::kNotification:
      return handle_notification;
    case wire::kPollingInfo:
      return handle_polling_info;
    case wire::kAckMessage:
      return handle_ack;
    case wire::kBatchAckMessage:
      return handle_batch_ack;
    case wire::kChangeMessageInvisibleTime:
      return handle_change_invisible;
    case wire::kQueryAssignment:
      return handle_query_assignment;
    case wire::kSetMessageRequestMode:
      return handle_set_request_mode;
    case wire::kGetAllMessageRequestMode:
      return handle_all_request_modes;
    case wire::kSearchOffsetByTimestamp:
    case wire::kGetMaxOffset:
    case wire::kGetMinOffset:
    case wire::kGetEarliestMsgStoretime:
      return handle_queue_bound;
    case wire::kQueryMessage:
      return [](const Call& call) { when_dispatched(call, handle_query_message); };
    case wire::kViewMessageById:
      return handle_view_message;
    case wire::kQueryConsumeQueue:
      return handle_query_consume_queue;
    case wire::kUpdateAndCreateTopic:
      return handle_create_topic;
    case wire::kUpdateAndCreateTopicList:
      return handle_create_topic_list;
    case wire::kDeleteTopicInBroker:
      return handle_delete_topic;
    case wire::kGetAllTopicConfig:
      return handle_all_topics;
    case wire::kGetTopicConfig:
      return handle_topic_config;
    case wire::kGetTopicStatsInfo:
      return [](const Call& call) { when_dispatched(call, handle_topic_stats); };
    case wire::kGetSystemTopicListFromBroker:
      return handle_system_topics;
    case wire::kUpdateAndCreateSubscriptionGroup:
      return handle_create_group;
    case wire::kUpdateAndCreateSubscriptionGroupList:
      return handle_create_group_list;
    case wire::kDeleteSubscriptionGroup:
      return handle_delete_group;
    case wire::kGetAllSubscriptionGroupConfig:
      return handle_all_groups;
    case wire::kGetSubscriptionGroupConfig:
      return handle_group_config;
    case wire::kUpdateAndGetGroupForbidden:
      return handle_group_forbidden;
    case wire::kHeartBeat:
      return handle_heartbeat;
    case wire::kUnregisterClient:
      return handle_unregister;
    case wire::kGetConsumerListByGroup:
      return handle_consumer_list;
    case wire::kQueryConsumerOffset:
      return handle_query_offset;
    case wire::kUpdateConsumerOffset:
      return handle_update_offset;
    case wire::kGetAllConsumerOffset:
      return handle_all_offsets;
    case wire::kLockBatchMq:
      return handle_lock_queues;
    case wire::kUnlockBatchMq:
      return handle_unlock_queues;
    case wire::kInvokeBrokerToResetOffset:
      return handle_reset_offset;
    case wire::kCloneGroupOffset:
      return handle_clone_offset;
    case wire::kQueryCorrectionOffset:
      return handle_correction_offset;
    case wire::kGetConsumeStats:
      return handle_consume_stats;
    case wire::kGetBrokerConsumeStats:
      return handle_broker_consume_stats;
    case wire::kQueryConsumeTimeSpan:
      return handle_consume_time_span;
    case wire::kGetConsumerRunningInfo:
      return handle_running_info;
    case wire::kConsumeMessageDirectly:
      return handle_consume_directly;
    case wire::kInvokeBrokerToGetConsumerStatus:
      return handle_consumer_status;
    case wire::kGetConsumerConnectionList:
      return handle_consumer_connections;
    case wire::kGetProducerConnectionList:
      return handle_producer_connections;
    case wire::kGetAllProducerInfo:
      return handle_all_producers;
    case wire::kQueryTopicConsumeByWho:
      return handle_groups_of_topic;
    case wire::kQueryTopicsByConsumer:
      return handle_topics_of_group;
    case wire::kQuerySubscriptionByConsumer:
      return handle_subscription_of_group;
    case wire::kCheckClientConfig:
      return handle_check_client_config;
    case wire::kGetBrokerRuntimeInfo:
      return handle_runtime_info;
    case wire::kGetBrokerConfig:
      return handle_broker_config;
    case wire::kUpdateBrokerConfig:
      return handle_update_config;
    case wire::kCleanExpiredConsumequeue:
      return handle_clean_queues;
    case wire::kCleanUnusedTopic:
      return handle_clean_topics;
    case wire::kGetBrokerHaStatus:
      return handle_ha_status;
    case wire::kResetMasterFlushOffset:
      return handle_reset_master_flush_offset;
    case wire::kViewBrokerStatsData:
      return handle_stats_view;
    case wire::kDeleteExpiredCommitlog:
      return handle_expire;
    case wire::kAuthCreateUser:
      return handle_create_user;
    case wire::kAuthUpdateUser:
      return handle_update_user;
    case wire::kAuthDeleteUser:
      return handle_delete_user;
    case wire::kAuthGetUser:
      return handle_get_user;
    case wire::kAuthListUser:
      return handle_list_users;
    case wire::kAuthCreateAcl:
    case wire::kAuthUpdateAcl:
      return handle_update_acl;
    case wire::kAuthDeleteAcl:
      return handle_delete_acl;
    case wire::kAuthGetAcl:
      return handle_get_acl;
    case wire::kAuthListAcl:
      return handle_list_acls;
    default:
      return nullptr;
  }
}

void handle_if_admitted(const Call& call) {
  if (is_admitted(call)) handler_of(call.request.code)(call);
}

// A handler's surprise (memory, a library's exception) costs its request, not the daemon.
void run(const Call& call, Handle handle) {
  std::string& out = call.connection.out();
  const std::size_t answered = out.size();
  try {
    handle(call);
  } catch (const std::exception& e) {
    out.resize(answered);
    call.reply(wire::kSystemError, e.what());
    log::error("request {} from {}: {}", call.request.code, call.connection.peer_ip(), e.what());
  }
}

constexpr std::int64_t kDispatchWaitMs = 2000;
constexpr std::int64_t kDispatchPollMs = 5;

// A request that waits for dispatch; its frame outlives the buffer that it came in.
struct Waiting {
  const Parts& parts;
  Handle handle;
  std::string frame;
  PhysicalOffset end;
  std::int64_t deadline_us;
};

void look_again(net::Connection& connection, std::shared_ptr<const Waiting> waiting) {
  const Parts& p = waiting->parts;
  if (p.store.dispatched() < waiting->end && p.clock.monotonic_us() < waiting->deadline_us) {
    return connection.post_after(kDispatchPollMs, [waiting](net::Connection& c) mutable {
      look_again(c, std::move(waiting));
    });
  }
  wire::Command request;
  const Bytes frame = as_bytes(waiting->frame);
  if (!wire::decode_command(frame, request)) return;  // it did before
  run(Call(p, connection, request, frame), waiting->handle);
}

}  // namespace

void when_dispatched(const Call& call, Handle handle) {
  const PhysicalOffset end = call.p.store.readable();
  if (call.p.store.dispatched() >= end) return handle(call);
  look_again(call.connection, std::make_shared<const Waiting>(
                                  Waiting{call.p, handle, std::string(as_text(call.frame)), end,
                                          call.p.clock.monotonic_us() + kDispatchWaitMs * 1000}));
}

void Answer::reply_error(const Error& error) const {
  switch (error.code()) {
    case Errc::kInvalid:
      return reply(wire::kInvalidParameter, error.text());
    case Errc::kNotFound:
      return reply(wire::kTopicNotExist, error.text());
    case Errc::kDenied:
      return reply(wire::kNoPermission, error.text());
    case Errc::kUnavailable:
      return reply(wire::kServiceNotAvailable, error.text());
    case Errc::kUnsupported:
      return reply(wire::kSystemError, error.text());
    default:
      return reply(wire::kSystemError, error.to_string());
  }
}

BrokerServer::BrokerServer(Parts parts)
    : parts_(std::move(parts)), checks_access_(parts_.access.config().authentication) {}

void BrokerServer::on_input(net::Connection&, Bytes input) { begin_input(input); }

void BrokerServer::on_frame(net::Connection& connection, Bytes frame) {
  // One an I/O thread: decoding into it again and again allocates nothing.
  thread_local wire::Command request;
  if (auto done = wire::decode_command(frame, request); !done) {
    log::warn("{}:{}: {}; connection closed", connection.peer_ip(), connection.peer_port(),
              done.error().to_string());
    connection.close();
    return;
  }
  if (request.is_response()) return parts_.clients.answered(connection, request);
  dispatch(connection, request, frame);
}

void BrokerServer::dispatch(net::Connection& connection, const wire::Command& request,
                            Bytes frame) {
  const Call call(parts_, connection, request, frame);
  const Handle handle = handler_of(request.code);
  if (handle != nullptr) return run(call, checks_access_ ? handle_if_admitted : handle);
  run(call, [](const Call& c) {
    if (c.p.names.handle(c.connection, c.request)) return;
    c.reply(wire::kRequestCodeNotSupported,
            fmt::format(" request type {} not supported", c.request.code));
  });
}

void BrokerServer::on_open(net::Connection& connection) { parts_.clients.opened(connection); }

void BrokerServer::on_close(net::Connection& connection) {
  parts_.clients.closed(connection);
  parts_.names.on_close(connection);
  parts_.polls.connection_closed(connection.id());
  parts_.pop.connection_closed(connection.id());
  forget_clients(parts_, connection);
}

void BrokerServer::tick() {
  constexpr std::int64_t kExpireIntervalUs = 10'000'000;
  parts_.clients.expire();
  const std::int64_t now_us = parts_.clock.monotonic_us();
  if (now_us < expire_due_us_) return;
  expire_due_us_ = now_us + kExpireIntervalUs;
  expire_clients(parts_);
}

}  // namespace mq::server

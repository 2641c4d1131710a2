#include <algorithm>
#include <random>

#include <fmt/format.h>

#include "format/names.h"
#include "server/send_parts.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

// The topic, found or made; nothing when the send has been refused.
std::optional<broker::TopicInfo> topic_of(const Call& call, const wire::SendRequest& send) {
  const auto& p = call.p;
  if (auto topic = p.topics.find(send.topic)) {  // a known topic has been through the name checks
    if (!p.topics.is_forbidden_to_producers(send.topic)) return topic;
    refuse_send(call, wire::kNoPermission,
                fmt::format("topic '{}' takes no messages from producers", send.topic));
    return std::nullopt;
  }
  if (auto named = format::check_topic_name(send.topic); !named) {
    refuse_send(call, wire::kInvalidParameter, named.error().text());
    return std::nullopt;
  }
  auto made = p.topics.create_on_send(send.topic, send.default_topic, send.default_queue_count,
                                      send.unit_mode);
  if (made) return *made;
  const bool unknown = made.error().code() == Errc::kNotFound;
  refuse_send(call, unknown ? wire::kTopicNotExist : wire::kSystemError, made.error().text());
  return std::nullopt;
}

// The body, and what a batch may not be.
bool check_body(const Call& call, const wire::SendRequest& send) {
  const Bytes body = call.request.body;
  // A reply may have none (Go's): it is pushed all the same.
  const bool reply = call.request.code == wire::kSendReplyMessage ||
                     call.request.code == wire::kSendReplyMessageV2;
  if (body.empty() && !reply)
    return refuse_send(call, wire::kMessageIllegal, "the message has no body"), false;
  if (!send.batch) return true;
  if (send.topic.starts_with(format::kRetryPrefix)) {
    refuse_send(call, wire::kMessageIllegal, "a batch may not go to a retry topic");
    return false;
  }
  const auto bytes_max = static_cast<std::size_t>(call.p.config.store.message_bytes_max);
  if (body.size() <= bytes_max) return true;
  refuse_send(call, wire::kMessageIllegal,
              fmt::format("batch of {} bytes, maxMessageSize is {}", body.size(), bytes_max));
  return false;
}

}  // namespace

QueueId random_queue(std::int32_t queues) {
  thread_local std::minstd_rand random(std::random_device{}());
  return static_cast<QueueId>(random() % static_cast<unsigned>(std::max(1, queues)));
}

std::optional<SendTarget> check_send(const Call& call, const wire::SendRequest& send) {
  const std::int64_t from_ms = call.p.config.accept_sends_from_ms;
  if (from_ms > 0 && call.p.clock.now_ms() < from_ms) {
    refuse_send(call, wire::kSystemError,
                "not taking messages before startAcceptSendRequestTimeStamp");
    return std::nullopt;
  }
  const auto topic = topic_of(call, send);
  if (!topic) return std::nullopt;
  if (send.queue_id >= std::max(topic->read_queues, topic->write_queues)) {
    refuse_send(call, wire::kInvalidParameter,
                fmt::format("queue {} of topic '{}': it has {} read and {} write queues",
                            send.queue_id, send.topic, topic->read_queues, topic->write_queues));
    return std::nullopt;
  }
  if (!check_body(call, send)) return std::nullopt;
  SendTarget target{
      .queue_id = send.queue_id < 0 ? random_queue(topic->write_queues) : send.queue_id,
      .multi_tag = topic->multi_tag,
      .batch_queues = topic->batch_queues,
      .message_type = topic->message_type};
  if (!redirect_retry(call, send, target)) return std::nullopt;
  return target;
}

}  // namespace mq::server

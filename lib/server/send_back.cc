// R(36): messages that their consumers could not handle, and what clients themselves send to a
// retry topic (semantics.md 13).
#include "wire/send_back.h"

#include <fmt/format.h>

#include "broker/put_copy.h"
#include "broker/retry.h"
#include "format/names.h"
#include "format/properties.h"
#include "server/send_parts.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

constexpr std::int32_t kUnitSubscription = 2;  // topicSysFlag

// The retry topic must be there and writable, also if the message turns out to be a dead letter.
// The queue to take; nothing when the request has been refused.
std::optional<QueueId> retry_queue(const Call& call, const format::GroupConfig& group,
                                   bool unit_mode) {
  const std::string topic = std::string(format::kRetryPrefix).append(group.name);
  const auto made =
      call.p.topics.find_or_create(topic, group.retry_queues, unit_mode ? kUnitSubscription : 0);
  if (!made) return call.reply(wire::kSystemError, made.error().text()), std::nullopt;
  if ((made->perm & format::kPermWrite) == 0) {
    call.reply(wire::kNoPermission, fmt::format("topic '{}' takes no messages", topic));
    return std::nullopt;
  }
  return random_queue(group.retry_queues);
}

std::optional<QueueId> dead_letter_queue(const Call& call, const std::string& topic) {
  const auto made = call.p.topics.find_or_create(topic, 1);
  if (made) return 0;
  return call.reply(wire::kSystemError, made.error().text()), std::nullopt;
}

void store_copy(const Call& call, const format::Record& record, const format::GroupConfig& group,
                const broker::RetryPlan& plan, QueueId queue) {
  std::string properties = broker::send_back_properties(record, plan);
  broker::Postponed placed{plan.topic, queue, false};
  if (!plan.dead) {
    const std::string asked_of(properties);
    auto postponed = broker::postpone(call.p.postpone, broker::read_asked(asked_of), plan.topic,
                                      queue, call.p.clock.now_ms(), properties);
    if (!postponed) return call.reply(wire::kSystemError, postponed.error().text());
    placed = *postponed;
  }
  const auto result = broker::put_copy(call.p.store, record,
                                       {.topic = placed.topic,
                                        .queue_id = placed.queue_id,
                                        .properties = properties,
                                        .reconsume_times = record.reconsume_times + 1,
                                        .store_host = call.p.store_host});
  if (!store::is_stored(result.status)) {
    return call.reply(wire::kSystemError,
                      fmt::format("the message was not stored: {}", result.reason));
  }
  const auto first_topic = format::find_property(properties, format::kRetryTopic);
  call.p.stats.sent_back(first_topic.value_or(record.topic), group.name,
                         static_cast<std::int64_t>(record.body.size()), plan.dead);
  call.reply(wire::kSuccess);
}

}  // namespace

void handle_send_back(const Call& call) {
  const auto asked = wire::decode_send_back_request(call.request);
  if (!asked) return call.reply(wire::kSystemError, asked.error().text());
  const auto group = call.p.groups.find_or_create(asked->group);
  if (group == nullptr) {
    return call.reply(wire::kSubscriptionGroupNotExist,
                      fmt::format("subscription group '{}' does not exist", asked->group));
  }
  if ((call.p.config.perm & format::kPermWrite) == 0)
    return call.reply(wire::kNoPermission, "this broker takes no messages (brokerPermission)");
  // A group without retry queues has said that it wants no second attempt.
  if (group->retry_queues <= 0) return call.reply(wire::kSuccess);
  auto queue = retry_queue(call, *group, asked->unit_mode);
  if (!queue) return;
  const auto view = call.p.store.get_record(PhysicalOffset(asked->offset));
  const auto record = view ? format::decode_record(view->bytes, format::CheckBody::kNo)
                           : Result<format::Record>(view.error());
  if (!record) {
    return call.reply(wire::kSystemError,
                      fmt::format("no message at commit log offset {}", asked->offset));
  }
  const broker::RetryPlan plan = broker::plan_send_back(
      *group, record->reconsume_times, asked->delay_level, asked->max_reconsume_times);
  if (plan.dead) queue = dead_letter_queue(call, plan.topic);
  if (queue) store_copy(call, *record, *group, plan, *queue);
}

bool redirect_retry(const Call& call, const wire::SendRequest& send, SendTarget& target) {
  if (!send.topic.starts_with(format::kRetryPrefix)) return true;
  const auto name = send.topic.substr(format::kRetryPrefix.size());
  const auto group = call.p.groups.find_or_create(name);
  if (group == nullptr) {
    refuse_send(call, wire::kSubscriptionGroupNotExist,
                fmt::format("subscription group '{}' does not exist", name));
    return false;
  }
  // A group that consumes in order gives up a message only when it has tried it all its times.
  const bool gives_up =
      call.p.locks.holds_any(name, call.p.clock.now_ms()) ||
      broker::is_dead_letter(*group, send.reconsume_times, send.max_reconsume_times);
  if (!gives_up) return true;
  target.topic = std::string(format::kDlqPrefix).append(name);
  target.queue_id = 0;
  target.dead_letter = true;
  const auto made = call.p.topics.find_or_create(target.topic, 1);
  if (!made) refuse_send(call, wire::kSystemError, made.error().text());
  return made.has_value();
}

}  // namespace mq::server

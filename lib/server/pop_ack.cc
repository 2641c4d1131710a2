// R(200051), R(200151), R(200053): what was popped is acknowledged, or given another time.
#include <fmt/format.h>

#include "broker/pop_names.h"
#include "broker/pop_service.h"
#include "format/pop_records.h"
#include "server/call.h"
#include "server/later_reply.h"
#include "server/send_parts.h"
#include "wire/codes.h"
#include "wire/pop.h"

namespace mq::server {
namespace {

// False when it has been refused: no such topic or queue.
bool check_queue(const Call& call, std::string_view topic, std::int32_t queue) {
  const auto info = call.p.topics.find(topic);
  if (!info) {
    call.reply(wire::kTopicNotExist, fmt::format("topic '{}' does not exist", topic));
    return false;
  }
  if (queue >= 0 && queue < info->read_queues) return true;
  call.reply(wire::kMessageIllegal, fmt::format("queue {} of topic '{}': it has {} to read", queue,
                                                topic, info->read_queues));
  return false;
}

// Is the offset one of the queue? `end`: the one behind the last message counts, too.
bool is_in_queue(const Call& call, std::string_view topic, std::int32_t queue, std::int64_t offset,
                 bool end) {
  const std::int64_t min = call.p.store.min_offset(topic, queue).value();
  const std::int64_t max = call.p.store.max_offset(topic, queue).value();
  return offset >= min && (end ? offset <= max : offset < max);
}

void refuse_offset(const Call& call, std::string_view topic, std::int32_t queue,
                   std::int64_t offset) {
  call.reply(wire::kNoMessage,
             fmt::format("offset {} is not in queue {} of topic '{}'", offset, queue, topic));
}

bool check_revive_queue(const Call& call, std::int32_t queue) {
  if (queue == format::kOrderedReviveQueue || call.p.pop.pop.is_revive_queue(queue)) return true;
  call.reply(wire::kSystemError, fmt::format("there is no revive queue {}", queue));
  return false;
}

broker::Pop::Receipt receipt_of(const wire::PopAckRequest& asked, const wire::PopHandle& handle) {
  return {.group = asked.group,
          .topic = asked.topic,
          .broker = handle.broker,
          .queue = asked.queue_id,
          .start = handle.start,
          .pop_ms = handle.pop_ms,
          .invisible_ms = handle.invisible_ms,
          .revive_queue = handle.revive_queue,
          .offsets = {asked.offset}};
}

// With SYNC_FLUSH what was put is answered when the disk has it.
void reply_when_safe(const Call& call, PhysicalOffset end, std::string_view remark = {},
                     std::span<const wire::Field> ext = {}) {
  if (call.p.config.store.flush_mode != store::FlushMode::kSync || !call.wants_answer())
    return call.reply(wire::kSuccess, remark, ext);
  // The fields are numbers: they outlive the call as they are.
  call.p.store.when_durable(
      end, [later = LaterReply(call), fields = std::vector<wire::Field>(ext.begin(), ext.end())](
               store::PutStatus status) { later.reply(code_of(status), {}, fields); });
}

}  // namespace

void handle_ack(const Call& call) {
  const auto asked = wire::decode_ack_request(call.request);
  if (!asked) return call.reply(wire::kSystemError, asked.error().text());
  if (!check_queue(call, asked->topic, asked->queue_id)) return;
  if (!is_in_queue(call, asked->topic, asked->queue_id, asked->offset, /*end=*/true))
    return refuse_offset(call, asked->topic, asked->queue_id, asked->offset);
  const auto handle = wire::parse_pop_handle(asked->handle);
  if (!handle) return call.reply(wire::kSystemError, handle.error().text());
  if (!check_revive_queue(call, handle->revive_queue)) return;
  const auto noted = call.p.pop.pop.acknowledge(receipt_of(*asked, *handle), /*batch=*/false,
                                                call.p.clock.now_ms());
  if (!noted.legal) {
    return call.reply(wire::kMessageIllegal, fmt::format("offset {} of queue {} was not popped",
                                                         asked->offset, asked->queue_id));
  }
  if (noted.free) call.p.pop.wake(asked->topic, asked->group, asked->queue_id);
  if (!noted.put) return call.reply(wire::kSuccess);
  if (!store::is_stored(noted.put->status))
    return call.reply(code_of(noted.put->status), noted.put->reason);
  reply_when_safe(call, noted.put->end);
}

void handle_batch_ack(const Call& call) {
  auto asked = wire::decode_batch_ack_request(as_text(call.request.body));
  if (!asked) return call.reply(wire::kSystemError, asked.error().to_string());
  if (asked->acks.empty()) return call.reply(wire::kNoMessage, "there is nothing to acknowledge");
  PhysicalOffset end{};
  for (wire::BatchAck& ack : asked->acks) {
    const std::string topic = broker::stored_topic(ack.retry, ack.group, ack.topic);
    const auto info = call.p.topics.find(topic);
    // What cannot be is passed over: the others count.
    if (!info || ack.queue_id < 0 || ack.queue_id >= info->read_queues) continue;
    if (ack.revive_queue != format::kOrderedReviveQueue &&
        !call.p.pop.pop.is_revive_queue(ack.revive_queue)) {
      continue;
    }
    std::erase_if(ack.offsets, [&](std::int64_t offset) {
      return !is_in_queue(call, topic, ack.queue_id, offset, /*end=*/true);
    });
    if (ack.offsets.empty()) continue;
    const auto noted = call.p.pop.pop.acknowledge({.group = ack.group,
                                                   .topic = topic,
                                                   .broker = asked->broker,
                                                   .queue = ack.queue_id,
                                                   .start = ack.start,
                                                   .pop_ms = ack.pop_ms,
                                                   .invisible_ms = ack.invisible_ms,
                                                   .revive_queue = ack.revive_queue,
                                                   .offsets = std::move(ack.offsets)},
                                                  /*batch=*/true, call.p.clock.now_ms());
    if (noted.free) call.p.pop.wake(topic, ack.group, ack.queue_id);
    if (!noted.put) continue;
    if (!store::is_stored(noted.put->status))
      return call.reply(code_of(noted.put->status), noted.put->reason);
    end = std::max(end, noted.put->end);
  }
  reply_when_safe(call, end);
}

void handle_change_invisible(const Call& call) {
  const auto asked = wire::decode_change_invisible_request(call.request);
  if (!asked) return call.reply(wire::kSystemError, asked.error().text());
  if (!check_queue(call, asked->topic, asked->queue_id)) return;
  if (!is_in_queue(call, asked->topic, asked->queue_id, asked->offset, /*end=*/false))
    return refuse_offset(call, asked->topic, asked->queue_id, asked->offset);
  const auto handle = wire::parse_pop_handle(asked->handle);
  if (!handle) return call.reply(wire::kSystemError, handle.error().text());
  if (!check_revive_queue(call, handle->revive_queue)) return;
  const auto changed = call.p.pop.pop.change_invisible(receipt_of(*asked, *handle),
                                                       asked->invisible_ms, call.p.clock.now_ms());
  if (!store::is_stored(changed.put.status))
    return call.reply(wire::kSystemError, changed.put.reason);
  const std::array<wire::Field, 3> ext = {wire::Field{"popTime", changed.pop_ms},
                                          wire::Field{"invisibleTime", changed.invisible_ms},
                                          wire::Field{"reviveQid", handle->revive_queue}};
  reply_when_safe(call, changed.put.end, {}, ext);
}

}  // namespace mq::server

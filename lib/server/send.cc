// R(10), R(310), R(320): a message or a batch into the log (semantics.md
// section 2).
#include "wire/send.h"

#include <fmt/format.h>

#include "broker/half_message.h"
#include "format/names.h"
#include "format/properties.h"
#include "server/flow_control.h"
#include "server/send_parts.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

// Reused from request to request on each I/O thread.
struct Scratch {
  std::string properties;
  std::vector<store::PutMessage> messages;
};
Scratch& scratch() {
  thread_local Scratch instance;
  instance.messages.clear();
  return instance;
}

// Whether the sender is answered when the disk has the message.
bool waits_for_disk(const Call& call, const wire::SendRequest& send, const broker::Asked& asked) {
  const bool sync_flush = call.p.config.store.flush_mode == store::FlushMode::kSync;
  return call.wants_answer() && (send.sync || (asked.wait && sync_flush));
}

store::PutCommon common_of(const Call& call, const wire::SendRequest& send,
                           const SendTarget& target, const broker::Asked& asked) {
  return {.topic = target.topic.empty() ? send.topic : target.topic,
          .queue_id = target.queue_id,
          .sys_flag = send.sys_flag | (target.multi_tag ? 0x2 : 0),
          .born_timestamp_ms = send.born_timestamp_ms,
          .born_host = born_host(call),
          .store_host = call.p.store_host,
          .reconsume_times = send.reconsume_times,
          .prepared_transaction_offset = {},
          .waits = waits_for_disk(call, send, asked)};
}

// Counts how long it took.
template <typename Put>
store::PutResult timed(const Call& call, Put put) {
  const std::int64_t begin_us = call.p.clock.monotonic_us();
  store::PutResult result = put();
  call.p.stats.puts().add(call.p.clock.monotonic_us() - begin_us);
  if (result.waited_us > 0) [[unlikely]]
    held_up(result.waited_us);
  return result;
}

// Stored where no consumer sees it, until its producer ends the transaction.
void put_half(const Call& call, const wire::SendRequest& send, const SendTarget& target,
              store::PutCommon common) {
  if (call.p.config.reject_transactions) {
    return refuse_send(
        call, wire::kNoPermission,
        fmt::format("the broker[{}] sending transaction message is forbidden", call.p.config.ip));
  }
  Scratch& s = scratch();
  broker::make_half(s.properties, common.topic, common.queue_id);
  const std::string_view topic = std::exchange(common.topic, format::kHalfTopic);
  common.queue_id = broker::kHalfQueue;
  common.sys_flag &= ~format::kFlagTransactionMask;
  s.messages.push_back({.flag = send.flag, .body = call.request.body, .properties = s.properties});
  const store::PutResult result =
      timed(call, [&] { return call.p.store.put(common, s.messages.front()); });
  if (store::is_stored(result.status)) call.p.transactions.prepared(topic, call.p.clock.now_ms());
  answer_send(call, {send, target, common, s.messages}, result);
}

void put_single(const Call& call, const wire::SendRequest& send, const SendTarget& target,
                const broker::Asked& asked) {
  Scratch& s = scratch();
  store::PutCommon common = common_of(call, send, target, asked);
  add_broker_properties(call, send.properties, asked, /*unique_key=*/true, s.properties);
  std::int64_t timer_out_ms = -1;
  if (target.dead_letter) {
    format::set_property(s.properties, format::kDelay, "-1");
  } else if (broker::is_half(asked, send.reconsume_times)) {
    return put_half(call, send, target, common);
  } else {
    const auto placed = broker::postpone(call.p.postpone, asked, common.topic, target.queue_id,
                                         call.p.clock.now_ms(), s.properties);
    if (!placed) return refuse_send(call, code_of_postpone(placed.error()), placed.error().text());
    timer_out_ms = placed->timer_out_ms;
    common.topic = placed->topic;
    common.queue_id = placed->queue_id;
  }
  s.messages.push_back({.flag = send.flag, .body = call.request.body, .properties = s.properties});
  const store::PutResult result =
      timed(call, [&] { return call.p.store.put(common, s.messages.front()); });
  answer_send(call, {send, target, common, s.messages, timer_out_ms}, result);
}

// A batch that stays closed: one record (store-format.md 2.8), when the topic's queues are of
// batches and the batch has an id of its own.
void put_closed(const Call& call, const wire::SendRequest& send, const SendTarget& target,
                const broker::Asked& asked) {
  Scratch& s = scratch();
  std::vector<std::string> made;
  if (auto done = split_batch(call.request.body, {}, s.messages, made); !done)
    return refuse_send(call, wire::kMessageIllegal, done.error().to_string());
  if (s.messages.size() > INT16_MAX) {
    return refuse_send(
        call, wire::kMessageIllegal,
        fmt::format("a batch of {} messages, expected {} at most", s.messages.size(), INT16_MAX));
  }
  store::PutCommon common = common_of(call, send, target, asked);
  common.inner_messages = static_cast<std::int32_t>(s.messages.size());
  add_broker_properties(call, send.properties, asked, /*unique_key=*/false, s.properties);
  const store::PutMessage batch{
      .flag = send.flag, .body = call.request.body, .properties = s.properties};
  const store::PutResult result = timed(call, [&] { return call.p.store.put(common, batch); });
  answer_send(call, {send, target, common, s.messages, -1, /*closed=*/true}, result);
}

void put_batch(const Call& call, const wire::SendRequest& send, const SendTarget& target,
               const broker::Asked& asked) {
  if (target.batch_queues && !asked.unique_key.empty())
    return put_closed(call, send, target, asked);
  Scratch& s = scratch();
  std::vector<std::string> made;
  const store::PutCommon common = common_of(call, send, target, asked);
  // Batch-level properties reach every record, with what the broker adds, as the reference does it.
  // One of our own tools without any stays as compact as it came.
  s.properties.clear();
  if (!send.bulk || !send.properties.empty()) {
    add_broker_properties(call, send.properties, asked, /*unique_key=*/false, s.properties);
  }
  if (auto done = split_batch(call.request.body, s.properties, s.messages, made); !done)
    return refuse_send(call, wire::kMessageIllegal, done.error().to_string());
  const store::PutResult result =
      timed(call, [&] { return call.p.store.put_batch(common, s.messages); });
  answer_send(call, {send, target, common, s.messages}, result);
}

}  // namespace

void handle_send(const Call& call) {
  auto decoded = wire::decode_send_request(call.request);
  if (!decoded) return refuse_send(call, wire::kSystemError, decoded.error().text());
  wire::SendRequest& send = *decoded;
  send.batch = send.batch || call.request.code == wire::kSendBatchMessage;
  const auto target = check_send(call, send);
  if (!target) return;
  const broker::Asked asked = broker::read_asked(send.properties);
  if (const auto why = why_not(asked, send.batch); !why.empty())
    return refuse_send(call, wire::kMessageIllegal, why);
  // Only the broker closes a batch: it has counted the messages.
  if (asked.inner_num || (send.sys_flag & format::kFlagInnerBatch) != 0) [[unlikely]]
    return refuse_send(call, wire::kMessageIllegal, "INNER_NUM and sysFlag 128 are the broker's");
  if (call.p.config.check_message_types) {
    if (const auto why = why_not_of_type(send, *target, asked); !why.empty())
      return refuse_send(call, wire::kMessageIllegal, why);
  }
  if (send.batch) return put_batch(call, send, *target, asked);
  put_single(call, send, *target, asked);
}

}  // namespace mq::server

// R(370): a timed message is taken back. A second message goes into its slot and names it; when the
// slot is due, neither is delivered (semantics.md 15).
#include "wire/recall.h"

#include <fmt/format.h>

#include "format/properties.h"
#include "server/later_reply.h"
#include "server/send_parts.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

constexpr std::string_view kRecallTag = "_RECALL_TAG_";

// The handle, if it is one of ours and its message can still be waiting.
Result<wire::RecallHandle> check_handle(const Call& call, const wire::RecallRequest& asked) {
  MQ_TRY(wire::RecallHandle handle, wire::decode_recall_handle(asked.handle));
  if (handle.topic != asked.topic) return Error{Errc::kInvalid, "the handle is of another topic"};
  if (handle.broker != call.p.config.name)
    return Error{Errc::kInvalid, fmt::format("the handle is of broker '{}'", handle.broker)};
  const std::int64_t left_ms = handle.deliver_ms - call.p.clock.now_ms();
  if (left_ms <= 0 || left_ms >= call.p.postpone.delay_ms_max)
    return Error{Errc::kInvalid, "the message is not waiting at that time"};
  return handle;
}

// Acknowledged as a send is: when the disk has it, where the broker waits for that.
void acknowledge(const Call& call, const std::string& unique_key, const store::PutResult& stored) {
  if (call.p.config.store.flush_mode != store::FlushMode::kSync) {
    const std::array<wire::Field, 1> ext = {wire::Field{"msgId", unique_key}};
    return call.reply(wire::kSuccess, {}, ext);
  }
  call.p.store.when_durable(
      stored.end, [later = LaterReply(call), unique_key](store::PutStatus status) {
        const std::array<wire::Field, 1> ext = {wire::Field{"msgId", unique_key}};
        if (store::is_stored(status)) return later.reply(wire::kSuccess, {}, ext);
        later.reply(wire::kSystemError, "the disk failed: the message is not taken back");
      });
}

void put_marker(const Call& call, const wire::RecallHandle& handle) {
  std::string given;
  format::append_property(given, format::kUniqKey, handle.unique_key);
  format::append_property(given, format::kTags, kRecallTag);
  format::append_property(given, format::kTimerDeliverMs, std::to_string(handle.deliver_ms));
  format::append_property(given, format::kTimerDeleteKey,
                          fmt::format("{}+{}", handle.topic, handle.unique_key));
  std::string properties;
  const broker::Asked wishes = broker::read_asked(given);
  add_broker_properties(call, given, wishes, /*unique_key=*/false, properties);
  const std::int64_t now_ms = call.p.clock.now_ms();
  const auto placed =
      broker::postpone(call.p.postpone, wishes, handle.topic, /*queue_id=*/0, now_ms, properties);
  if (!placed) return call.reply(wire::kSystemError, placed.error().text());
  const store::PutCommon common{.topic = placed->topic,
                                .queue_id = placed->queue_id,
                                .born_timestamp_ms = now_ms,
                                .born_host = born_host(call),
                                .store_host = call.p.store_host};
  const auto result =
      call.p.store.put(common, {.flag = 0, .body = as_bytes("0"), .properties = properties});
  if (!store::is_stored(result.status)) return call.reply(wire::kSystemError, result.reason);
  acknowledge(call, handle.unique_key, result);
}

}  // namespace

void handle_recall(const Call& call) {
  const auto asked = wire::decode_recall_request(call.request);
  if (!asked) return call.reply(wire::kSystemError, asked.error().text());
  if (!call.p.config.recall_enable) {
    return call.reply(wire::kNoPermission,
                      "messages cannot be recalled here (recallMessageEnable)");
  }
  if (call.p.config.accept_sends_from_ms > call.p.clock.now_ms())
    return call.reply(wire::kServiceNotAvailable, "not taking messages yet");
  if (!call.p.topics.find(asked->topic))
    return call.reply(wire::kTopicNotExist, fmt::format("topic '{}' does not exist", asked->topic));
  const auto handle = check_handle(call, *asked);
  if (!handle) return call.reply(wire::kIllegalOperation, handle.error().text());

  put_marker(call, *handle);
}

}  // namespace mq::server

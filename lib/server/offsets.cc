// Committed offsets (R 14, 15, 43).
#include "wire/offsets.h"

#include <fmt/format.h>

#include "format/state_files.h"
#include "server/call.h"
#include "wire/codes.h"
#include "wire/consumer_offset.h"

namespace mq::server {

void handle_query_offset(const Call& call) {
  auto asked = wire::decode_query_offset_request(call.request);
  if (!asked) return call.reply(wire::kSystemError, asked.error().text());
  const auto& p = call.p;
  auto offset = p.offsets.find(asked->group, asked->topic, asked->queue_id);
  // The reference starts a new group on a young queue at its beginning, whatever the client wanted.
  if (!offset && asked->zero_if_not_found &&
      p.store.min_offset(asked->topic, asked->queue_id).value() <= 0 &&
      p.store.is_in_memory(asked->topic, asked->queue_id, QueueOffset(0))) {
    offset = 0;
  }
  if (!offset)
    return call.reply(wire::kQueryNotFound, "Not found, maybe this group is consumer boot first");
  if (call.wants_answer())
    wire::append_offset_response(call.connection.out(), call.header(wire::kSuccess), *offset);
}

void handle_update_offset(const Call& call) {
  auto asked = wire::decode_update_offset_request(call.request);
  if (!asked) return call.reply(wire::kSystemError, asked.error().text());
  const auto& p = call.p;
  if (p.groups.find(asked->group) == nullptr) {  // a commit makes no group
    return call.reply(wire::kSubscriptionGroupNotExist,
                      fmt::format("group '{}' does not exist", asked->group));
  }
  if (!p.topics.find(asked->topic)) {
    return call.reply(wire::kTopicNotExist, fmt::format("topic '{}' does not exist", asked->topic));
  }
  if (asked->queue_id < 0 || asked->offset < 0)
    return call.reply(wire::kInvalidParameter, "negative queueId or commitOffset");
  const bool taken = p.offsets.commit(asked->group, asked->topic, asked->queue_id, asked->offset);
  call.reply(wire::kSuccess, taken ? "" : "Offset has been previously reset");
}

void handle_all_offsets(const Call& call) {
  call.reply_body(format::to_consumer_offset_json(call.p.offsets.all()));
}

}  // namespace mq::server

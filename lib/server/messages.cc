// Single messages by key and by position (R 12, 33).
#include <fmt/format.h>

#include "server/call.h"
#include "wire/codes.h"
#include "wire/query.h"

namespace mq::server {

void handle_query_message(const Call& call) {
  auto asked = wire::decode_query_message_request(call.request);
  if (!asked) return call.reply_error(asked.error());
  if (!call.wants_answer()) return;
  std::int32_t count = asked->count_max;
  if (asked->unique_key) count = call.p.config.query_count_max;
  auto found = call.p.store.query(asked->topic, asked->key, count, asked->begin_timestamp_ms,
                                  asked->end_timestamp_ms);
  if (!found) return call.reply_error(found.error());
  if (found->empty()) {
    return call.reply(
        wire::kQueryNotFound,
        fmt::format("no message with key '{}' in topic '{}' between {} and {}", asked->key,
                    asked->topic, asked->begin_timestamp_ms, asked->end_timestamp_ms));
  }
  std::size_t bytes = 0;
  std::vector<net::PinnedBytes> spans;
  for (auto& view : *found) {
    bytes += view.bytes.size();
    spans.push_back({view.bytes, std::move(view.hold)});
  }
  const auto stats = call.p.store.stats();
  wire::append_query_message_response(call.connection.out(), call.header(wire::kSuccess),
                                      {.index_last_update_timestamp_ms = call.p.clock.now_ms(),
                                       .index_last_update_offset = stats.dispatched.value()},
                                      bytes);
  call.connection.send_pinned(std::move(spans));
}

void handle_view_message(const Call& call) {
  auto asked = wire::decode_view_message_request(call.request);
  if (!asked) return call.reply_error(asked.error());
  auto view = call.p.store.get_record(PhysicalOffset(asked->offset));
  if (!view)
    return call.reply(wire::kSystemError,
                      fmt::format("can not find message by the offset, {}", asked->offset));
  if (!call.wants_answer()) return;
  wire::append_frame_head(call.connection.out(), call.header(wire::kSuccess), {},
                          view->bytes.size());
  call.connection.send_pinned({{view->bytes, std::move(view->hold)}});
}

}  // namespace mq::server

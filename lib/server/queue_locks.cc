// Locks for consuming in order (R 41, 42).
#include "server/call.h"
#include "wire/codes.h"
#include "wire/queue_lock.h"

namespace mq::server {

void handle_lock_queues(const Call& call) {
  auto asked = wire::decode_queue_lock_request(as_text(call.request.body));
  if (!asked) return call.reply(wire::kSystemError, asked.error().to_string());
  call.reply_body(wire::encode_queue_lock_response(
      call.p.locks.lock(asked->group, asked->client_id, asked->queues, call.p.clock.now_ms())));
}

void handle_unlock_queues(const Call& call) {
  auto asked = wire::decode_queue_lock_request(as_text(call.request.body));
  if (!asked) return call.reply(wire::kSystemError, asked.error().to_string());
  call.p.locks.unlock(asked->group, asked->client_id, asked->queues);
  call.reply(wire::kSuccess);
}

}  // namespace mq::server

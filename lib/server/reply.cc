// R(324), R(325): a reply to who asked, through the broker that the asker is connected to
// (semantics.md 21). It is pushed to the asker's connection (R 326) and stored; the responder is
// told whether it has arrived.
#include <fmt/format.h>

#include "format/message_id.h"
#include "format/properties.h"
#include "format/record.h"
#include "server/call.h"
#include "server/client_channel.h"
#include "server/later_reply.h"
#include "server/send_parts.h"
#include "wire/codes.h"
#include "wire/send.h"

namespace mq::server {
namespace {

constexpr std::string_view kReplyToClient = "REPLY_TO_CLIENT";
constexpr std::string_view kPushReplyTime = "PUSH_REPLY_TIME";

// What the responder is told about the stored reply; zeros when it was not stored.
struct Stored {
  std::string msg_id = "0";
  std::int32_t queue_id = 0;
  std::int64_t queue_offset = 0;
  PhysicalOffset end{};
};

format::Host born_host_of(const Call& call) {
  format::Host host{};
  if (auto parsed = format::parse_host(call.connection.peer_ip())) host = *parsed;
  host.port = call.connection.peer_port();
  return host;
}

// An empty reply (Go's) is pushed but cannot be stored; what the store refuses is not the
// responder's trouble.
Stored store_reply(const Call& call, const wire::SendRequest& send, const SendTarget& target) {
  const auto& p = call.p;
  Stored stored{.queue_id = target.queue_id};
  if (!p.config.store_replies || call.request.body.empty()) return stored;
  const store::PutCommon common{.topic = send.topic,
                                .queue_id = target.queue_id,
                                .sys_flag = send.sys_flag,
                                .born_timestamp_ms = send.born_timestamp_ms,
                                .born_host = born_host_of(call),
                                .store_host = p.store_host,
                                .reconsume_times = send.reconsume_times};
  const store::PutMessage message{
      .flag = send.flag, .body = call.request.body, .properties = send.properties};
  const store::PutResult result = p.store.put(common, message);
  if (!store::is_stored(result.status)) return stored;
  p.stats.put(send.topic, 1, static_cast<std::int64_t>(call.request.body.size()));
  stored.msg_id = format::offset_message_id(p.store_host, result.physical_offset);
  stored.queue_offset = result.queue_offset.value();
  stored.end = result.end;
  return stored;
}

void push(const Call& call, const wire::SendRequest& send, std::int32_t queue_id,
          std::uint64_t connection, ClientChannel::Done done) {
  const auto& p = call.p;
  std::string properties(send.properties);
  const std::int64_t now_ms = p.clock.now_ms();
  format::append_property(properties, kPushReplyTime, std::to_string(now_ms));
  const std::string born_host =
      fmt::format("{}:{}", call.connection.peer_ip(), call.connection.peer_port());
  const std::array<wire::Field, 14> ext = {
      wire::Field{"producerGroup", send.group},
      wire::Field{"topic", send.topic},
      wire::Field{"defaultTopic", send.default_topic},
      wire::Field{"defaultTopicQueueNums", send.default_queue_count},
      wire::Field{"queueId", queue_id},
      wire::Field{"sysFlag", send.sys_flag},
      wire::Field{"bornTimestamp", send.born_timestamp_ms},
      wire::Field{"flag", send.flag},
      wire::Field{"properties", properties},
      wire::Field{"reconsumeTimes", send.reconsume_times},
      wire::Field{"unitMode", send.unit_mode},
      wire::Field{"bornHost", born_host},
      wire::Field{"storeHost", p.self.address},
      wire::Field{"storeTimestamp", now_ms},
  };
  p.clients.ask(connection,
                {.code = wire::kPushReplyMessageToClient, .ext = ext, .body = call.request.body},
                std::move(done));
}

// With a broker that acknowledges what is on disk, the stored reply is there first.
void acknowledge(const Parts& p, const LaterReply& later, const Stored& stored) {
  const auto answer = [later, stored](store::PutStatus status) {
    later.reply_with(code_of(status), {}, [&](std::string& out, const wire::Header& header) {
      wire::append_send_response(out, header,
                                 {.msg_id = stored.msg_id,
                                  .queue_id = stored.queue_id,
                                  .queue_offset = stored.queue_offset});
    });
  };
  if (p.config.store.flush_mode == store::FlushMode::kSync)
    return p.store.when_durable(stored.end, answer);
  answer(store::PutStatus::kOk);
}

}  // namespace

void handle_reply(const Call& call) {
  auto decoded = wire::decode_send_request(call.request);
  if (!decoded) return refuse_send(call, wire::kSystemError, decoded.error().text());
  const wire::SendRequest& send = *decoded;
  const auto target = check_send(call, send);
  if (!target) return;
  const Stored stored = store_reply(call, send, *target);
  const auto asker = format::find_property(send.properties, kReplyToClient);
  if (!asker) {
    return refuse_send(call, wire::kSystemError,
                       "reply without property REPLY_TO_CLIENT: nobody to give it to");
  }
  const auto connection = call.p.producers.find_connection(*asker);
  if (!connection) {
    return refuse_send(call, wire::kSystemError,
                       fmt::format("push reply message fail, channel of <{}> not found.", *asker));
  }
  push(call, send, target->queue_id, *connection,
       [p = &call.p, later = LaterReply(call), stored,
        who = std::string(*asker)](const Result<ClientChannel::Answer>& result) {
         if (result && result->code == wire::kSuccess) return acknowledge(*p, later, stored);
         later.reply(
             wire::kSystemError,
             fmt::format("push reply message to {} fail: {}", who,
                         result ? fmt::format("it answered {} {}", result->code, result->remark)
                                : result.error().text()));
       });
}

}  // namespace mq::server

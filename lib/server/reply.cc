#include "server/reply.h"

#include <array>

#include <fmt/format.h>

#include "format/properties.h"
#include "server/client_channel.h"
#include "server/later_reply.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

constexpr std::string_view kAsker = "REPLY_TO_CLIENT";
constexpr std::string_view kPushTime = "PUSH_REPLY_TIME";

}  // namespace

bool is_reply(std::int32_t code) noexcept {
  return code == wire::kSendReplyMessage || code == wire::kSendReplyMessageV2;
}

void push_reply(const Call& call, const wire::SendRequest& send, const store::PutCommon& common,
                std::string_view properties, std::string_view msg_id,
                const store::PutResult& stored) {
  const auto& p = call.p;
  const std::string asker(format::find_property(properties, kAsker).value_or(""));
  const auto connection = p.producers.find_connection(asker);
  if (!connection) {
    return call.reply(wire::kSystemError,
                      fmt::format("push reply message fail, channel of '{}' not found", asker));
  }
  std::string pushed(properties);
  format::append_property(pushed, kPushTime, std::to_string(p.clock.now_ms()));
  const std::string born_host = format::to_string(common.born_host);
  const std::string store_host = format::to_string(common.store_host);
  const std::array<wire::Field, 14> ext = {
      wire::Field{"producerGroup", send.group},
      wire::Field{"topic", send.topic},
      wire::Field{"defaultTopic", send.default_topic},
      wire::Field{"defaultTopicQueueNums", send.default_queue_count},
      wire::Field{"queueId", common.queue_id},
      wire::Field{"sysFlag", common.sys_flag},
      wire::Field{"bornTimestamp", common.born_timestamp_ms},
      wire::Field{"flag", send.flag},
      wire::Field{"properties", pushed},
      wire::Field{"reconsumeTimes", send.reconsume_times},
      wire::Field{"unitMode", send.unit_mode},
      wire::Field{"bornHost", born_host},
      wire::Field{"storeHost", store_host},
      wire::Field{"storeTimestamp", stored.store_timestamp_ms},
  };
  p.clients.ask(
      *connection, {.code = wire::kPushReplyMessageToClient, .ext = ext, .body = call.request.body},
      [later = LaterReply(call), asker, id = std::string(msg_id), queue = common.queue_id,
       offset = stored.queue_offset.value()](const Result<ClientChannel::Answer>& answer) {
        if (!answer || answer->code != wire::kSuccess) {
          return later.reply(wire::kSystemError,
                             fmt::format("push reply message to client '{}' fail: {}", asker,
                                         answer ? answer->remark : answer.error().to_string()));
        }
        const std::array<wire::Field, 3> sent = {wire::Field{"msgId", id},
                                                 wire::Field{"queueId", queue},
                                                 wire::Field{"queueOffset", offset}};
        later.reply(wire::kSuccess, {}, sent);
      });
}

}  // namespace mq::server

// What an administrator asks of a client through the broker (R 223, 307, 309): the question goes on
// to the client's own connection, its answer comes back as it is.
#include <fmt/format.h>

#include "format/message_id.h"
#include "server/call.h"
#include "server/client_channel.h"
#include "server/later_reply.h"
#include "wire/codes.h"
#include "wire/consume_stats.h"
#include "wire/signature.h"

namespace mq::server {
namespace {

constexpr std::int32_t kVersionThatTellsStatus = 28;  // V3_0_7_SNAPSHOT
constexpr std::int32_t kVersionThatAnswersMore = 62;  // V3_1_8_SNAPSHOT
constexpr std::int64_t kStatusTimeoutMs = 5000;

// Every field of the request, as it came; but how its sender proves who it is, is for us alone.
std::vector<wire::Field> fields_of(const wire::Command& request) {
  std::vector<wire::Field> fields;
  for (const auto& [name, value] : request.ext) {
    if (name != wire::kAccessKeyField && name != wire::kSignatureField &&
        name != wire::kSecurityTokenField)
      fields.emplace_back(name, value);
  }
  return fields;
}

void answer(const LaterReply& later, std::string_view who,
            const Result<ClientChannel::Answer>& result) {
  if (!result) {
    const bool late = result.error().code() == Errc::kTimeout;
    return later.reply(late ? wire::kConsumeMsgTimeout : wire::kSystemError,
                       fmt::format("consumer {}: {}", who, result.error().text()));
  }
  std::vector<wire::Field> ext;
  for (const auto& [name, value] : result->ext) ext.emplace_back(name, value);
  later.reply(result->code, result->remark, ext, result->body);
}

// Asks the client that the request names; refuses when it is not there or too old.
void relay(const Call& call, std::span<const wire::Field> ext, Bytes body) {
  const auto group = call.request.ext.find("consumerGroup").value_or("");
  const auto client_id = call.request.ext.find("clientId").value_or("");
  const auto client = call.p.consumers.find_client(group, client_id);
  if (!client) {
    return call.reply(wire::kSystemError,
                      fmt::format("The Consumer <{}> <{}> not online", group, client_id));
  }
  if (client->version < kVersionThatAnswersMore) {
    return call.reply(wire::kSystemError,
                      fmt::format("The Consumer <{}> Version <{}> too low to finish, please "
                                  "upgrade it to V3_1_8_SNAPSHOT",
                                  client_id, client->version));
  }
  call.p.clients.ask(
      client->connection, {.code = call.request.code, .ext = ext, .body = body},
      [later = LaterReply(call), who = fmt::format("<{}> <{}>", group, client_id)](
          const Result<ClientChannel::Answer>& result) { answer(later, who, result); });
}

// Collects what the members of a group say; answers when all have said or missed it.
class StatusCollector {
 public:
  StatusCollector(const Call& call, std::size_t members) : later_(call), left_(members) {}

  void take(const std::string& client_id, const Result<ClientChannel::Answer>& result) {
    wire::ConsumerStatus all;
    {
      const MutexLock lock(mu_);
      if (result && result->code == wire::kSuccess) {
        if (auto status = wire::decode_consumer_status(result->body))
          out_.consumers[client_id] = std::move(status->queues);
      }
      if (--left_ > 0) return;
      all = std::move(out_);
    }
    later_.reply(wire::kSuccess, {}, {}, wire::encode_consumer_status(all));
  }

 private:
  LaterReply later_;
  Mutex mu_;
  std::size_t left_ MQ_GUARDED_BY(mu_);
  wire::ConsumerStatus out_ MQ_GUARDED_BY(mu_);
};

}  // namespace

void handle_running_info(const Call& call) {
  relay(call, fields_of(call.request), call.request.body);
}

void handle_consume_directly(const Call& call) {
  auto text = wire::text_field(call.request.ext, "msgId");
  if (!text) return call.reply(wire::kSystemError, text.error().text());
  const auto id = format::parse_offset_message_id(*text);
  if (!id)
    return call.reply(wire::kSystemError, fmt::format("msgId '{}': {}", *text, id.error().text()));
  const auto record = call.p.store.get_record(id->offset);
  if (!record) {
    return call.reply(wire::kSystemError,
                      fmt::format("can not find message by the offset, {}", id->offset.value()));
  }
  std::vector<wire::Field> ext = fields_of(call.request);
  std::erase_if(ext, [](const wire::Field& field) { return field.name == "brokerName"; });
  ext.emplace_back("brokerName", call.p.config.name);
  if (const auto group = call.p.groups.find(call.request.ext.find("consumerGroup").value_or("")))
    ext.emplace_back("groupSysFlag", group->sys_flag);
  if (const auto topic = call.p.topics.find(call.request.ext.find("topic").value_or("")))
    ext.emplace_back("topicSysFlag", topic->sys_flag);
  relay(call, ext, record->bytes);
}

void handle_consumer_status(const Call& call) {
  const auto& ext = call.request.ext;
  auto topic = wire::text_field(ext, "topic");
  auto group = wire::text_field(ext, "group");
  if (!topic || !group) return call.reply(wire::kInvalidParameter, "topic and group are needed");
  const auto wanted = ext.find("clientAddr").value_or("");  // a client id, whatever its name says
  const auto view = call.p.consumers.view(*group);
  std::vector<broker::Client> asked;
  for (const broker::Client& client : view ? view->clients : std::vector<broker::Client>()) {
    if (client.version < kVersionThatTellsStatus) {
      return call.reply(wire::kSystemError,
                        fmt::format("the client {} does not support this feature. version={}",
                                    client.id, client.version));
    }
    if (wanted.empty() || wanted == client.id) asked.push_back(client);
  }
  if (asked.empty()) {
    return call.reply(wire::kSystemError,
                      fmt::format("No Any Consumer online in the consumer group: [{}]", *group));
  }
  const auto collector = std::make_shared<StatusCollector>(call, asked.size());
  const std::array<wire::Field, 2> question = {wire::Field{"topic", *topic},
                                               wire::Field{"group", *group}};
  for (const broker::Client& client : asked) {
    call.p.clients.ask(
        client.connection, {.code = wire::kGetConsumerStatusFromClient, .ext = question},
        [collector, id = client.id](const Result<ClientChannel::Answer>& result) {
          collector->take(id, result);
        },
        kStatusTimeoutMs);
  }
}

}  // namespace mq::server

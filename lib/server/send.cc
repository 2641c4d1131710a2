// R(10), R(310), R(320): a message or a batch into the log (semantics.md section 2).
#include "wire/send.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <random>

#include <fmt/format.h>

#include "format/message_id.h"
#include "format/names.h"
#include "format/properties.h"
#include "server/call.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

using store::PutStatus;

// Reused from request to request on each I/O thread.
struct Scratch {
  std::string properties;
  std::vector<store::PutMessage> messages;
  std::string ids;
};
Scratch& scratch() {
  thread_local Scratch instance;
  return instance;
}

void refuse(const Call& call, std::int32_t code, std::string_view remark) {
  call.p.stats.put_failed();
  if (call.wants_answer())
    wire::append_send_error(call.connection.out(), call.header(code, remark));
}

std::int32_t code_of(PutStatus status) noexcept {
  switch (status) {
    case PutStatus::kOk:
      return wire::kSuccess;
    case PutStatus::kFlushDiskTimeout:
      return wire::kFlushDiskTimeout;
    case PutStatus::kFlushSlaveTimeout:
      return wire::kFlushSlaveTimeout;
    case PutStatus::kSlaveNotAvailable:
      return wire::kSlaveNotAvailable;
    case PutStatus::kServiceNotAvailable:
      return wire::kServiceNotAvailable;
    case PutStatus::kMessageIllegal:
    case PutStatus::kPropertiesSizeExceeded:
      return wire::kMessageIllegal;
    case PutStatus::kOsPageCacheBusy:
      return wire::kSystemBusy;
    case PutStatus::kCreateMappedFileFailed:
    case PutStatus::kUnknownError:
      break;
  }
  return wire::kSystemError;
}

// Acknowledgements that wait for the disk, of one connection: all that one flush frees leave in one
// write.
class WaitingAcks {
 public:
  struct Ack {
    wire::Serialize serialize;
    std::int32_t opaque;
    std::int32_t queue_id;
    std::int64_t queue_offset;
    std::string msg_id;
    std::string transaction_id;
    PutStatus status;
  };

  static void add(const std::shared_ptr<net::Connection>& connection, Ack ack) {
    auto& slot = connection->context;
    // The connection's own thread made it before the first wait began.
    auto* acks = static_cast<WaitingAcks*>(slot.get());
    const std::lock_guard lock(acks->mu_);
    acks->ready_.push_back(std::move(ack));
    if (std::exchange(acks->posted_, true)) return;
    connection->post(
        [](net::Connection& c) { static_cast<WaitingAcks*>(c.context.get())->drain(c); });
  }

 private:
  void drain(net::Connection& connection) {
    std::vector<Ack> ready;
    {
      const std::lock_guard lock(mu_);
      ready.swap(ready_);
      posted_ = false;
    }
    for (const Ack& ack : ready) {
      const wire::Header header{
          .serialize = ack.serialize,
          .code = code_of(ack.status),
          .opaque = ack.opaque,
          .flag = wire::kFlagResponse,
          .remark =
              ack.status == PutStatus::kServiceNotAvailable
                  ? std::string_view("the disk failed: stored in memory only, not acknowledged")
                  : std::string_view()};
      if (store::is_stored(ack.status)) {
        wire::append_send_response(connection.out(), header,
                                   {.msg_id = ack.msg_id,
                                    .queue_id = ack.queue_id,
                                    .queue_offset = ack.queue_offset,
                                    .transaction_id = ack.transaction_id});
      } else {
        wire::append_send_error(connection.out(), header);
      }
    }
  }

  std::mutex mu_;
  std::vector<Ack> ready_;
  bool posted_ = false;
};

// What a stock broker sets on every message it stores; a client's own value of these names does not
// survive.
void add_broker_properties(const Call& call, std::string_view given, bool unique_key,
                           std::string& out) {
  static constexpr std::array<std::string_view, 4> kOurs = {"MSG_REGION", "TRACE_ON", "CLUSTER",
                                                            "POP_CK"};
  out.assign(given);
  for (const std::string_view name : kOurs) {
    if (format::find_property(out, name)) [[unlikely]]
      out = format::remove_property(out, name);
  }
  if (unique_key && !format::find_property(out, format::kUniqKey)) {
    thread_local format::UniqKeyMaker maker;
    std::array<char, 32> id{};
    maker.make(call.p.clock.now_ms(), id.data());
    format::append_property(out, format::kUniqKey, std::string_view(id.data(), id.size()));
  }
  format::append_property(out, "MSG_REGION", call.p.config.region);
  format::append_property(out, "CLUSTER", call.p.config.cluster);
  format::append_property(out, "TRACE_ON", call.p.config.trace_on ? "true" : "false");
}

bool equals_true(std::optional<std::string_view> value) {
  if (!value || value->size() != 4) return false;
  return std::equal(value->begin(), value->end(), "true",
                    [](char a, char b) { return (a | 0x20) == b; });
}

// Kinds of messages whose meaning is not built yet: storing them as ordinary ones would deliver
// them at the wrong time.
std::string_view not_built(std::string_view properties) {
  if (equals_true(format::find_property(properties, "TRAN_MSG")))
    return "transactional messages are not built yet";
  if (const auto level = format::find_property(properties, format::kDelay);
      level && *level != "0") {
    return "delay levels are not built yet";
  }
  for (const std::string_view name : {"TIMER_DELAY_MS", "TIMER_DELAY_SEC", "TIMER_DELIVER_MS"}) {
    if (format::find_property(properties, name)) return "timed messages are not built yet";
  }
  return {};
}

// Splits a batch body into scratch().messages. `shared`: what is appended to every record's
// properties. The strings that it makes live in `made` until the put is done.
Result<void> split_batch(Bytes body, std::string_view shared, std::vector<std::string>& made) {
  auto& messages = scratch().messages;
  wire::BatchReader reader(body);
  wire::BatchItem item;
  while (true) {
    MQ_TRY(const bool more, reader.next(item));
    if (!more) break;
    messages.push_back({.flag = item.flag, .body = item.body, .properties = item.properties});
  }
  if (messages.empty()) return Error{Errc::kCorrupt, "no message in the batch"};
  if (shared.empty()) return {};
  made.reserve(messages.size());
  for (auto& message : messages) {
    std::string& text = made.emplace_back(message.properties);
    if (!text.empty() && text.back() != format::kPairEnd) text += format::kPairEnd;
    text += shared;
    message.properties = text;
  }
  return {};
}

// The offset ids of all records, joined with commas; of the first alone for our own tools
// (`mqBulk`), which never ask.
void write_ids(bool first_only, const store::PutCommon& common,
               std::span<const store::PutMessage> messages, const store::PutResult& result,
               std::string& out) {
  out.clear();
  PhysicalOffset at = result.physical_offset;
  format::Record record;
  record.topic = common.topic;
  record.born_host = common.born_host;
  record.store_host = common.store_host;
  for (const store::PutMessage& message : messages) {
    if (!out.empty()) out += ',';
    format::append_offset_message_id(out, common.store_host, at);
    if (first_only) return;
    record.body = message.body;
    record.properties = message.properties;
    at += static_cast<std::int64_t>(format::record_bytes(record));
  }
}

struct Target {
  std::int32_t queue_id = 0;
  bool multi_tag = false;
};

// Topic and queue, in the reference's order of checks; nothing when it has been refused.
std::optional<Target> resolve(const Call& call, const wire::SendRequest& send) {
  const auto& p = call.p;
  if (p.config.accept_sends_from_ms > 0 && p.clock.now_ms() < p.config.accept_sends_from_ms) {
    return refuse(call, wire::kSystemError,
                  "not taking messages before startAcceptSendRequestTimeStamp"),
           std::nullopt;
  }
  auto topic = p.topics.find(send.topic);
  if (!topic) {  // a known topic has been through these checks
    if (auto named = format::check_topic_name(send.topic); !named) {
      return refuse(call, wire::kInvalidParameter, named.error().text()), std::nullopt;
    }
    auto made = p.topics.create_on_send(send.topic, send.default_topic, send.default_queue_count,
                                        send.unit_mode);
    if (!made) {
      const bool unknown = made.error().code() == Errc::kNotFound;
      return refuse(call, unknown ? wire::kTopicNotExist : wire::kSystemError, made.error().text()),
             std::nullopt;
    }
    topic = *made;
  } else if (p.topics.is_forbidden_to_producers(send.topic)) {
    return refuse(call, wire::kNoPermission,
                  fmt::format("topic '{}' takes no messages from producers", send.topic)),
           std::nullopt;
  }
  if (send.queue_id >= std::max(topic->read_queues, topic->write_queues)) {
    refuse(call, wire::kInvalidParameter,
           fmt::format("queue {} of topic '{}': it has {} read and {} write queues", send.queue_id,
                       send.topic, topic->read_queues, topic->write_queues));
    return std::nullopt;
  }
  std::int32_t queue = send.queue_id;
  if (queue < 0) {
    thread_local std::minstd_rand random(std::random_device{}());
    queue = static_cast<std::int32_t>(random() %
                                      static_cast<unsigned>(std::max(1, topic->write_queues)));
  }
  return Target{queue, topic->multi_tag};
}

void answer(const Call& call, const wire::SendRequest& send, const store::PutCommon& common,
            std::span<const store::PutMessage> messages, const store::PutResult& result,
            bool wait) {
  if (!store::is_stored(result.status)) {
    const bool busy = result.status == PutStatus::kOsPageCacheBusy;
    return refuse(
        call, code_of(result.status),
        busy ? fmt::format("[PC_SYNCHRONIZED]broker busy: {}", result.reason) : result.reason);
  }
  std::int64_t bytes = 0;
  for (const auto& m : messages) bytes += static_cast<std::int64_t>(m.body.size());
  call.p.stats.put(send.topic, static_cast<std::int64_t>(messages.size()), bytes);
  if (!call.wants_answer()) return;

  std::string& ids = scratch().ids;
  write_ids(send.bulk, common, messages, result, ids);
  const std::string_view transaction_id =
      send.batch
          ? std::string_view()
          : format::find_property(messages.front().properties, format::kUniqKey).value_or("");
  if (send.sync || (wait && call.p.config.store.flush_mode == store::FlushMode::kSync)) {
    auto connection = call.connection.shared_from_this();
    if (connection->context == nullptr) connection->context = std::make_shared<WaitingAcks>();
    WaitingAcks::Ack ack{call.request.serialize,
                         call.request.opaque,
                         common.queue_id,
                         result.queue_offset.value(),
                         ids,
                         std::string(transaction_id),
                         PutStatus::kOk};
    call.p.store.when_durable(result.end,
                              [connection, ack = std::move(ack)](PutStatus status) mutable {
                                ack.status = status;
                                WaitingAcks::add(connection, std::move(ack));
                              });
    return;
  }
  wire::append_send_response(call.connection.out(), call.header(code_of(result.status)),
                             {.msg_id = ids,
                              .queue_id = common.queue_id,
                              .queue_offset = result.queue_offset.value(),
                              .transaction_id = transaction_id,
                              .region = call.p.config.region,
                              .trace_on = call.p.config.trace_on});
}

}  // namespace

void handle_send(const Call& call) {
  auto decoded = wire::decode_send_request(call.request);
  if (!decoded) return refuse(call, wire::kSystemError, decoded.error().text());
  wire::SendRequest& send = *decoded;
  const bool batch = send.batch || call.request.code == wire::kSendBatchMessage;
  send.batch = batch;
  const auto target = resolve(call, send);
  if (!target) return;
  if (call.request.body.empty())
    return refuse(call, wire::kMessageIllegal, "the message has no body");
  if (const auto why = not_built(send.properties); !why.empty())
    return refuse(call, wire::kMessageIllegal, why);
  if (batch && send.topic.starts_with(format::kRetryPrefix)) {
    return refuse(call, wire::kMessageIllegal, "a batch may not go to a retry topic");
  }
  if (batch &&
      call.request.body.size() > static_cast<std::size_t>(call.p.config.store.message_bytes_max)) {
    return refuse(call, wire::kMessageIllegal,
                  fmt::format("batch of {} bytes, maxMessageSize is {}", call.request.body.size(),
                              call.p.config.store.message_bytes_max));
  }

  store::PutCommon common{.topic = send.topic,
                          .queue_id = target->queue_id,
                          .sys_flag = send.sys_flag | (target->multi_tag ? 0x2 : 0),
                          .born_timestamp_ms = send.born_timestamp_ms,
                          .born_host = {},
                          .store_host = call.p.store_host,
                          .reconsume_times = send.reconsume_times,
                          .prepared_transaction_offset = {}};
  if (auto host = format::parse_host(call.connection.peer_ip())) common.born_host = *host;
  common.born_host.port = call.connection.peer_port();

  Scratch& s = scratch();
  s.messages.clear();
  std::vector<std::string> made;
  store::PutResult result;
  if (batch) {
    // Batch-level properties reach every record, with what the broker adds, as the reference does
    // it. A batch without any (our own tools') stays as compact as it came.
    s.properties.clear();
    if (!send.properties.empty()) add_broker_properties(call, send.properties, false, s.properties);
    if (auto done = split_batch(call.request.body, s.properties, made); !done) {
      return refuse(call, wire::kMessageIllegal, done.error().to_string());
    }
    result = call.p.store.put_batch(common, s.messages);
  } else {
    add_broker_properties(call, send.properties, true, s.properties);
    s.messages.push_back(
        {.flag = send.flag, .body = call.request.body, .properties = s.properties});
    result = call.p.store.put(common, s.messages.front());
  }
  const auto wait = format::find_property(send.properties, format::kWait);
  answer(call, send, common, s.messages, result, !wait || equals_true(wait));
}

}  // namespace mq::server

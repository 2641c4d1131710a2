#include <algorithm>
#include <mutex>

#include <fmt/format.h>

#include "format/message_id.h"
#include "format/names.h"
#include "format/properties.h"
#include "server/send_parts.h"
#include "wire/codes.h"
#include "wire/recall.h"

namespace mq::server {
namespace {

using store::PutStatus;

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
    std::string recall_handle;
    std::string batch_id;
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
                                    .transaction_id = ack.transaction_id,
                                    .recall_handle = ack.recall_handle,
                                    .batch_unique_id = ack.batch_id});
      } else {
        wire::append_send_error(connection.out(), header);
      }
    }
  }

  std::mutex mu_;
  std::vector<Ack> ready_;
  bool posted_ = false;
};

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

}  // namespace

void refuse_send(const Call& call, std::int32_t code, std::string_view remark) {
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

void answer_send(const Call& call, const SentMessages& sent, const store::PutResult& result) {
  if (!store::is_stored(result.status)) {
    const bool busy = result.status == PutStatus::kOsPageCacheBusy;
    return refuse_send(
        call, code_of(result.status),
        busy ? fmt::format("[PC_SYNCHRONIZED]broker busy: {}", result.reason) : result.reason);
  }
  std::int64_t bytes = 0;
  for (const auto& m : sent.messages) bytes += static_cast<std::int64_t>(m.body.size());
  call.p.stats.put(sent.common.topic, static_cast<std::int64_t>(sent.messages.size()), bytes);
  if (!call.wants_answer()) return;

  thread_local std::string ids;  // kept for its memory
  write_ids(sent.send.bulk || sent.closed, sent.common, sent.messages, result, ids);
  const std::string_view transaction_id =
      sent.send.batch
          ? std::string_view()
          : format::find_property(sent.messages.front().properties, format::kUniqKey).value_or("");
  const std::string_view batch_id =
      sent.closed ? format::find_property(sent.send.properties, format::kUniqKey).value_or("")
                  : std::string_view();
  // Names the slot by the first time that is not in it any more.
  std::string recall_handle;
  if (sent.timer_out_ms >= 0 && !sent.send.topic.starts_with(format::kRetryPrefix)) {
    recall_handle = wire::encode_recall_handle({.topic = std::string(sent.send.topic),
                                                .broker = call.p.config.name,
                                                .deliver_ms = sent.timer_out_ms + 1,
                                                .unique_key = std::string(transaction_id)});
  }
  if (sent.common.waits) {
    auto connection = call.connection.shared_from_this();
    if (connection->context == nullptr) connection->context = std::make_shared<WaitingAcks>();
    WaitingAcks::Ack ack{call.request.serialize,
                         call.request.opaque,
                         sent.target.queue_id,
                         result.queue_offset.value(),
                         ids,
                         std::string(transaction_id),
                         recall_handle,
                         std::string(batch_id),
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
                              .queue_id = sent.target.queue_id,
                              .queue_offset = result.queue_offset.value(),
                              .transaction_id = transaction_id,
                              .recall_handle = recall_handle,
                              .batch_unique_id = batch_id,
                              .region = call.p.config.region,
                              .trace_on = call.p.config.trace_on});
}

}  // namespace mq::server

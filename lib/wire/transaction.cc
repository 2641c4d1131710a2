#include "wire/transaction.h"

#include <array>
#include <span>

#include "wire/fields.h"

namespace mq::wire {
namespace {

TransactionEnd end_of(std::int32_t code) noexcept {
  switch (static_cast<TransactionEnd>(code)) {
    case TransactionEnd::kCommit:
    case TransactionEnd::kRollback:
      return static_cast<TransactionEnd>(code);
    case TransactionEnd::kUnknown:
      break;
  }
  return TransactionEnd::kUnknown;
}

}  // namespace

Result<EndTransactionRequest> decode_end_transaction_request(const Command& request) {
  const ExtFields& ext = request.ext;
  EndTransactionRequest out;
  MQ_TRY(out.producer_group, text_field(ext, "producerGroup"));
  MQ_TRY(out.half_offset, int64_field(ext, "tranStateTableOffset"));
  MQ_TRY(out.offset, int64_field(ext, "commitLogOffset"));
  MQ_TRY(const std::int32_t code, int32_field(ext, "commitOrRollback"));
  out.end = end_of(code);
  out.from_check = bool_or(ext, "fromTransactionCheck", false);
  MQ_TRY(out.msg_id, text_field(ext, "msgId"));
  out.transaction_id = text_or(ext, "transactionId", "");
  out.sync = bool_or(ext, "mqSync", false);
  return out;
}

void append_end_transaction_request(std::string& out, const Header& header,
                                    const EndTransactionRequest& request) {
  const std::array<Field, 8> fields = {
      Field{"producerGroup", request.producer_group},
      Field{"tranStateTableOffset", request.half_offset},
      Field{"commitLogOffset", request.offset},
      Field{"commitOrRollback", static_cast<std::int32_t>(request.end)},
      Field{"fromTransactionCheck", request.from_check},
      Field{"msgId", request.msg_id},
      Field{"transactionId", request.transaction_id},
      Field{"mqSync", request.sync},
  };
  append_frame_head(out, header, std::span(fields).first(request.sync ? 8 : 7), 0);
}

Result<CheckTransactionRequest> decode_check_transaction_request(const Command& request) {
  const ExtFields& ext = request.ext;
  CheckTransactionRequest out;
  out.topic = text_or(ext, "topic", "");
  MQ_TRY(out.half_offset, int64_field(ext, "tranStateTableOffset"));
  MQ_TRY(out.offset, int64_field(ext, "commitLogOffset"));
  out.msg_id = text_or(ext, "msgId", "");
  out.offset_msg_id = text_or(ext, "offsetMsgId", "");
  out.broker_name = text_or(ext, "bname", "");
  return out;
}

std::array<Field, 7> check_transaction_fields(const CheckTransactionRequest& request) {
  return {
      Field{"topic", request.topic},
      Field{"tranStateTableOffset", request.half_offset},
      Field{"commitLogOffset", request.offset},
      Field{"msgId", request.msg_id},
      Field{"transactionId", request.msg_id},
      Field{"offsetMsgId", request.offset_msg_id},
      Field{"bname", request.broker_name},
  };
}

}  // namespace mq::wire

#include "server/transaction_check.h"

#include "base/log.h"
#include "format/message_id.h"
#include "format/names.h"
#include "format/properties.h"
#include "wire/codes.h"
#include "wire/transaction.h"

namespace mq::server {

bool ask_producer(broker::ProducerGroups& producers, ClientChannel& clients,
                  std::string_view broker_name,
                  const broker::TransactionChecks::Question& question) {
  const format::Record& half = question.half;
  std::string body(format::record_bytes(half), '\0');
  format::encode_record(half, std::as_writable_bytes(std::span(body)));
  format::patch_record_head(std::as_writable_bytes(std::span(body)), half.queue_offset,
                            half.physical_offset, half.store_timestamp_ms);
  const std::string offset_id = format::offset_message_id(half.store_host, half.physical_offset);
  const auto ext = wire::check_transaction_fields(
      {.topic = format::kHalfTopic,
       .half_offset = half.queue_offset.value(),
       .offset = half.physical_offset.value(),
       .msg_id = format::find_property(half.properties, format::kUniqKey).value_or(""),
       .offset_msg_id = offset_id,
       .broker_name = broker_name});
  // A member whose connection has just ended is in the list a moment longer.
  constexpr int kTries = 3;
  for (int tried = 0; tried < kTries; ++tried) {
    const auto member = producers.next_member(question.group);
    if (!member) break;
    if (clients.tell(member->connection,
                     {.code = wire::kCheckTransactionState, .ext = ext, .body = as_bytes(body)}))
      return true;
  }
  log::debug("transaction of group '{}': no producer on line to be asked", question.group);
  return false;
}

}  // namespace mq::server

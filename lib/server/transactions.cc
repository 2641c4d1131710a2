// R(37): a producer ends a transaction; R(323): an administrator has producers asked again about
// one that was given up (semantics.md 16).
#include "broker/transactions.h"

#include <fmt/format.h>

#include "format/message_id.h"
#include "server/call.h"
#include "server/later_reply.h"
#include "server/send_parts.h"
#include "wire/codes.h"
#include "wire/transaction.h"

namespace mq::server {
namespace {

using Ended = broker::Transactions::Ended;
using Status = broker::Transactions::Status;

void answer(const Call& call, const Ended& ended) {
  switch (ended.status) {
    case Status::kDone:
      return call.reply(wire::kSuccess);
    case Status::kNotFound:
      return call.reply(wire::kSystemError, "Find prepared transaction message failed");
    case Status::kWrongGroup:
      return call.reply(wire::kSystemError, "The producer group wrong");
    case Status::kWrongOffset:
      return call.reply(wire::kSystemError, "The transaction state table offset wrong");
    case Status::kTooLate:
      return call.reply(wire::kIllegalOperation,
                        "ended later than it asked not to be checked: the next check decides");
    case Status::kIllegal:
      return call.reply(wire::kMessageIllegal, ended.reason);
    case Status::kNotStored:
      break;
  }
  call.reply(code_of(ended.put.status), ended.put.reason);
}

// What is answered is on disk, where the broker waits for it.
void answer_commit(const Call& call, const Ended& ended, bool sync) {
  const bool wait =
      sync || (call.p.config.store.flush_mode == store::FlushMode::kSync && ended.wait);
  if (ended.status != Status::kDone || !wait || !call.wants_answer()) return answer(call, ended);
  call.p.store.when_durable(ended.put.end, [later = LaterReply(call)](store::PutStatus status) {
    later.reply(store::is_stored(status) ? wire::kSuccess : code_of(status));
  });
}

}  // namespace

void handle_end_transaction(const Call& call) {
  const auto asked = wire::decode_end_transaction_request(call.request);
  if (!asked) return call.reply(wire::kSystemError, asked.error().text());
  // Not known yet: the producer will be asked. As in the reference, no answer.
  if (asked->end == wire::TransactionEnd::kUnknown) return;
  const Ended ended =
      call.p.transactions.end({.group = asked->producer_group,
                               .at = PhysicalOffset(asked->offset),
                               .half = QueueOffset(asked->half_offset),
                               .commit = asked->end == wire::TransactionEnd::kCommit,
                               .from_check = asked->from_check},
                              call.p.clock.now_ms());
  if (asked->end == wire::TransactionEnd::kCommit) return answer_commit(call, ended, asked->sync);
  answer(call, ended);
}

void handle_resume_check(const Call& call) {
  const auto id = format::parse_offset_message_id(call.request.ext.find("msgId").value_or(""));
  if (!id) return call.reply(wire::kSystemError, id.error().text());
  answer(call, call.p.transactions.resume(id->offset, call.p.clock.now_ms()));
}

}  // namespace mq::server

// Transactions on the wire (remoting.md section 8): R(37) from a producer, R(39) to one, R(323)
// from an administrator.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

enum class TransactionEnd : std::int32_t { kUnknown = 0, kCommit = 8, kRollback = 12 };

// R(37) END_TRANSACTION. A oneway request of every official client.
struct EndTransactionRequest {
  std::string_view producer_group;
  std::int64_t half_offset = 0;  // in the queue of half messages
  std::int64_t offset = 0;       // of the half message in the commit log
  TransactionEnd end = TransactionEnd::kUnknown;
  bool from_check = false;  // the answer to R(39)
  std::string_view msg_id;  // UNIQ_KEY
  std::string_view transaction_id{};
  bool sync = false;  // mqSync: the answer is to say that it is on disk; our own tools alone
};
// Errors: kInvalid naming the field. A value of commitOrRollback that is none of the three is
// kUnknown: the reference passes over all of those.
Result<EndTransactionRequest> decode_end_transaction_request(const Command& request);
void append_end_transaction_request(std::string& out, const Header& header,
                                    const EndTransactionRequest& request);

// R(39) CHECK_TRANSACTION_STATE, oneway; the body is the half message as a record of its own topic.
struct CheckTransactionRequest {
  std::string_view topic;        // of half messages
  std::int64_t half_offset = 0;  // these two are to come back in R(37)
  std::int64_t offset = 0;
  std::string_view msg_id;  // UNIQ_KEY, also as the transaction's id
  std::string_view offset_msg_id;
  std::string_view broker_name;
};
// Errors: kInvalid naming the field.
Result<CheckTransactionRequest> decode_check_transaction_request(const Command& request);
// Views of what `request` views.
[[nodiscard]] std::array<Field, 7> check_transaction_fields(const CheckTransactionRequest& request);

}  // namespace mq::wire

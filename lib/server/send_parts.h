// The steps of a send, one file each: check (send_check.cc; retry topics send_back.cc), make ready
// (send_prepare.cc), put (send.cc), answer (send_answer.cc). Private to server.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/asked.h"
#include "broker/postpone.h"
#include "broker/topic_attributes.h"
#include "server/call.h"
#include "store/types.h"
#include "wire/send.h"

namespace mq::server {

// Where the message belongs.
struct SendTarget {
  std::string topic{};  // in place of the request's; empty: as asked for
  QueueId queue_id = 0;
  bool multi_tag = false;
  bool batch_queues = false;  // of the topic: batches may stay closed
  broker::MessageType message_type = broker::MessageType::kNormal;  // of the topic
  bool dead_letter = false;  // delivered at once, whatever the message says
};
// Topic, queue and body, in the reference's order of checks (semantics.md 2.1); nothing when the
// send has been refused. Makes the topic if a send may.
std::optional<SendTarget> check_send(const Call& call, const wire::SendRequest& send);

// A send to a retry topic needs its group, and may become a dead letter (semantics.md 13.3). False
// when the send has been refused.
bool redirect_retry(const Call& call, const wire::SendRequest& send, SendTarget& target);
// One of `queues`, uniformly.
[[nodiscard]] QueueId random_queue(std::int32_t queues);

// What a stock broker sets on every message it stores, put in the place of a client's own values.
// `unique_key`: one is made if there is none.
void add_broker_properties(const Call& call, std::string_view given, const broker::Asked& asked,
                           bool unique_key, std::string& out);
// Kinds of messages whose meaning is not built yet, or that may not be in a batch: storing them as
// ordinary ones would deliver them at the wrong time. "" for all others.
[[nodiscard]] std::string_view why_not(const broker::Asked& asked, bool batch) noexcept;
// With enableTopicMessageTypeCheck: what the reference's proxy says of a message that does not fit
// its topic's type. "" for all others, for retries and dead letters.
[[nodiscard]] std::string why_not_of_type(const wire::SendRequest& send, const SendTarget& target,
                                          const broker::Asked& asked);
// Who sent it, as records carry it.
[[nodiscard]] format::Host born_host(const Call& call);
// The answer to a message that could not be put aside for later (broker/postpone.h).
[[nodiscard]] std::int32_t code_of_postpone(const Error& error) noexcept;
// Splits a batch body into `messages`. `shared`: what is appended to every record's properties; the
// strings that this makes live in `made`. Errors: kCorrupt.
Result<void> split_batch(Bytes body, std::string_view shared,
                         std::vector<store::PutMessage>& messages, std::vector<std::string>& made);

// A refusal; counted.
void refuse_send(const Call& call, std::int32_t code, std::string_view remark);
[[nodiscard]] std::int32_t code_of(store::PutStatus status) noexcept;
// What has been put, and how.
struct SentMessages {
  const wire::SendRequest& send;
  SendTarget target;
  const store::PutCommon& common;  // topic and queue as put, not as asked for
  std::span<const store::PutMessage> messages;
  std::int64_t timer_out_ms = -1;  // of a timed message, which can be taken back
  bool closed = false;             // one record holds them all
};
// At once, or when the disk has it (common.waits).
void answer_send(const Call& call, const SentMessages& sent, const store::PutResult& result);

}  // namespace mq::server

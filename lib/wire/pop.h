// Pop consumption: R(200050) to R(200055), R(200151) and their answers (remoting.md 7). The codes
// do not fit the binary header, so that requests are always JSON. Views point into the frame that
// was decoded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

// Where a popped message was stored: in its topic, or in one of the two forms of retry topic.
enum class PopRetry : std::uint8_t { kNone = 0, kV1 = 1, kV2 = 2 };

struct PopRequest {
  std::string_view group{};
  std::string_view topic{};
  std::int32_t queue_id = -1;  // -1: any
  std::int32_t count_max = 32;
  std::int64_t invisible_ms = 60'000;
  std::int64_t poll_ms = 0;
  std::int64_t born_ms = 0;  // client's clock; 0: unknown
  bool from_max = false;     // initMode 1: a new group starts at the end
  std::string_view expression_type{};
  std::string_view expression{};  // empty: everything
  bool order = false;
  std::string_view attempt_id{};  // empty: none
};
// Errors of all decoders here: kInvalid naming the field.
Result<PopRequest> decode_pop_request(const Command& request);
void append_pop_request(std::string& out, const Header& header, const PopRequest& request);
// R(200052): the first four fields alone.
Result<PopRequest> decode_peek_request(const Command& request);
// R(200054): group, topic, queue, times, order and attempt id.
Result<PopRequest> decode_notification_request(const Command& request);

// What was popped from one queue.
struct PopPart {
  PopRetry retry = PopRetry::kNone;
  std::int32_t queue_id = 0;
  std::int64_t start = 0;             // where the pop began
  std::vector<std::int64_t> offsets;  // of its messages
};
// How often messages popped in order were handed out before, for one queue: `least` counts for all
// of them in the eyes of clients that do not look at each.
struct PopCounts {
  std::int32_t queue_id = 0;
  std::vector<std::pair<std::int64_t, std::int32_t>> each;  // offset, count above 0
  std::int32_t least = 0;
};
struct PopResponse {
  std::int64_t pop_ms = 0;
  std::int64_t invisible_ms = 0;
  std::int32_t revive_queue = 0;
  std::int64_t rest = 0;
  std::vector<PopPart> parts;
  bool order = false;
  std::vector<PopCounts> counts;  // of an ordered pop
};
// The caller sends `body_bytes` of records after it.
void append_pop_response(std::string& out, const Header& header, const PopResponse& response,
                         std::size_t body_bytes);
// Errors: kProtocol. Counts are passed over.
Result<PopResponse> decode_pop_response(const Command& response);

// The receipt handle (`extraInfo`, POP_CK): what a client hands back to name the pop.
struct PopHandle {
  std::int64_t start = 0;
  std::int64_t pop_ms = 0;
  std::int64_t invisible_ms = 0;
  std::int32_t revive_queue = 0;
  PopRetry retry = PopRetry::kNone;
  std::string_view broker;
  std::int32_t queue_id = 0;
  std::int64_t offset = -1;  // may be missing
};
Result<PopHandle> parse_pop_handle(std::string_view text);
[[nodiscard]] std::string to_string(const PopHandle& handle);

// R(200051), R(200053).
struct PopAckRequest {
  std::string_view group;
  std::string_view topic;  // as stored: a retry topic by its own name
  std::int32_t queue_id = 0;
  std::string_view handle;
  std::int64_t offset = 0;
  std::int64_t invisible_ms = 0;  // of R(200053) alone
};
Result<PopAckRequest> decode_ack_request(const Command& request);
void append_ack_request(std::string& out, const Header& header, const PopAckRequest& request);
Result<PopAckRequest> decode_change_invisible_request(const Command& request);
void append_change_invisible_request(std::string& out, const Header& header,
                                     const PopAckRequest& request);

// R(200151): acknowledgements of several pops.
struct BatchAck {
  std::string group;
  std::string topic;  // as asked for: the retry topic follows from `retry`
  PopRetry retry = PopRetry::kNone;
  std::int64_t start = 0;
  std::int32_t queue_id = 0;
  std::int32_t revive_queue = 0;
  std::int64_t pop_ms = 0;
  std::int64_t invisible_ms = 0;
  std::vector<std::int64_t> offsets;
};
struct BatchAckRequest {
  std::string broker;
  std::vector<BatchAck> acks;
};
// Errors: kCorrupt.
Result<BatchAckRequest> decode_batch_ack_request(std::string_view body);
[[nodiscard]] std::string encode_batch_ack_request(const BatchAckRequest& request);

}  // namespace mq::wire

// The bounds of a queue: R(29) by time, R(30) max, R(31) min, R(32) store time of the first record
// (remoting.md 6.5). header.code says which.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

struct QueueBoundRequest {
  std::string_view topic;
  std::int32_t queue_id = 0;
  std::int64_t timestamp_ms = 0;  // R(29) alone
  bool upper = false;             // R(29) alone: boundaryType
};
// Errors: kInvalid naming the field.
Result<QueueBoundRequest> decode_queue_bound_request(const Command& request);
void append_queue_bound_request(std::string& out, const Header& header,
                                const QueueBoundRequest& request);

// Answer of 29, 30 and 31: the offset; of 32: the time, -1 when there is none.
Result<std::int64_t> decode_offset_response(const Command& response);
void append_offset_response(std::string& out, const Header& header, std::int64_t offset);
Result<std::int64_t> decode_timestamp_response(const Command& response);
void append_timestamp_response(std::string& out, const Header& header, std::int64_t timestamp_ms);

}  // namespace mq::wire

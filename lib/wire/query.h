// Looking messages up: R(12) by key, R(33) by physical offset (remoting.md 13.5). Bodies of the
// answers are stored records.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

struct QueryMessageRequest {
  std::string_view topic;
  std::string_view key;
  std::int32_t count_max = 32;
  std::int64_t begin_timestamp_ms = 0;
  std::int64_t end_timestamp_ms = 0;
  bool unique_key = false;  // the key is a UNIQ_KEY
};
// Errors of all decoders: kInvalid naming the field.
Result<QueryMessageRequest> decode_query_message_request(const Command& request);
void append_query_message_request(std::string& out, const Header& header,
                                  const QueryMessageRequest& request);

struct QueryMessageResponse {
  std::int64_t index_last_update_timestamp_ms = 0;
  std::int64_t index_last_update_offset = 0;
};
Result<QueryMessageResponse> decode_query_message_response(const Command& response);
void append_query_message_response(std::string& out, const Header& header,
                                   const QueryMessageResponse& response, std::size_t body_bytes);

struct ViewMessageRequest {
  std::string_view topic{};  // may be empty
  std::int64_t offset = 0;
};
Result<ViewMessageRequest> decode_view_message_request(const Command& request);
void append_view_message_request(std::string& out, const Header& header,
                                 const ViewMessageRequest& request);

}  // namespace mq::wire

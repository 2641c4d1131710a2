#include "wire/query.h"

#include "wire/fields.h"

namespace mq::wire {

Result<QueryMessageRequest> decode_query_message_request(const Command& request) {
  const ExtFields& ext = request.ext;
  QueryMessageRequest out;
  MQ_TRY(out.topic, text_field(ext, "topic"));
  MQ_TRY(out.key, text_field(ext, "key"));
  MQ_TRY(out.count_max, int32_field(ext, "maxNum"));
  MQ_TRY(out.begin_timestamp_ms, int64_field(ext, "beginTimestamp"));
  MQ_TRY(out.end_timestamp_ms, int64_field(ext, "endTimestamp"));
  out.unique_key = bool_or(ext, "_UNIQUE_KEY_QUERY", false);
  return out;
}

void append_query_message_request(std::string& out, const Header& header,
                                  const QueryMessageRequest& request) {
  const std::array<Field, 6> fields = {
      Field{"topic", request.topic},
      Field{"key", request.key},
      Field{"maxNum", request.count_max},
      Field{"beginTimestamp", request.begin_timestamp_ms},
      Field{"endTimestamp", request.end_timestamp_ms},
      Field{"_UNIQUE_KEY_QUERY", request.unique_key},
  };
  append_frame_head(out, header, fields, 0);
}

Result<QueryMessageResponse> decode_query_message_response(const Command& response) {
  QueryMessageResponse out;
  MQ_TRY(out.index_last_update_timestamp_ms, int64_field(response.ext, "indexLastUpdateTimestamp"));
  MQ_TRY(out.index_last_update_offset, int64_field(response.ext, "indexLastUpdatePhyoffset"));
  return out;
}

void append_query_message_response(std::string& out, const Header& header,
                                   const QueryMessageResponse& response, std::size_t body_bytes) {
  const std::array<Field, 2> fields = {
      Field{"indexLastUpdateTimestamp", response.index_last_update_timestamp_ms},
      Field{"indexLastUpdatePhyoffset", response.index_last_update_offset}};
  append_frame_head(out, header, fields, body_bytes);
}

Result<ViewMessageRequest> decode_view_message_request(const Command& request) {
  ViewMessageRequest out;
  MQ_TRY(out.offset, int64_field(request.ext, "offset"));
  out.topic = text_or(request.ext, "topic", "");
  return out;
}

void append_view_message_request(std::string& out, const Header& header,
                                 const ViewMessageRequest& request) {
  const std::array<Field, 2> fields = {Field{"offset", request.offset},
                                       Field{"topic", request.topic}};
  append_frame_head(out, header, std::span(fields).first(request.topic.empty() ? 1 : 2), 0);
}

}  // namespace mq::wire

#include "wire/offsets.h"

#include "wire/codes.h"
#include "wire/fields.h"

namespace mq::wire {

Result<QueueBoundRequest> decode_queue_bound_request(const Command& request) {
  QueueBoundRequest out;
  MQ_TRY(out.topic, text_field(request.ext, "topic"));
  MQ_TRY(out.queue_id, int32_field(request.ext, "queueId"));
  if (request.code == kSearchOffsetByTimestamp) {
    MQ_TRY(out.timestamp_ms, int64_field(request.ext, "timestamp"));
    const std::string_view boundary = text_or(request.ext, "boundaryType", "lower");
    out.upper = boundary == "upper" || boundary == "UPPER";
  }
  return out;
}

void append_queue_bound_request(std::string& out, const Header& header,
                                const QueueBoundRequest& request) {
  const std::array<Field, 4> fields = {Field{"topic", request.topic},
                                       Field{"queueId", request.queue_id},
                                       Field{"timestamp", request.timestamp_ms},
                                       Field{"boundaryType", request.upper ? "upper" : "lower"}};
  const std::size_t count = header.code == kSearchOffsetByTimestamp ? 4 : 2;
  append_frame_head(out, header, std::span(fields).first(count), 0);
}

Result<std::int64_t> decode_offset_response(const Command& response) {
  return int64_field(response.ext, "offset");
}
void append_offset_response(std::string& out, const Header& header, std::int64_t offset) {
  append_frame_head(out, header, std::array{Field{"offset", offset}}, 0);
}
Result<std::int64_t> decode_timestamp_response(const Command& response) {
  return int64_field(response.ext, "timestamp");
}
void append_timestamp_response(std::string& out, const Header& header, std::int64_t timestamp_ms) {
  append_frame_head(out, header, std::array{Field{"timestamp", timestamp_ms}}, 0);
}

}  // namespace mq::wire

#include "wire/consumer_offset.h"

#include "wire/fields.h"

namespace mq::wire {

Result<QueryOffsetRequest> decode_query_offset_request(const Command& request) {
  QueryOffsetRequest out;
  MQ_TRY(out.group, text_field(request.ext, "consumerGroup"));
  MQ_TRY(out.topic, text_field(request.ext, "topic"));
  MQ_TRY(out.queue_id, int32_field(request.ext, "queueId"));
  out.zero_if_not_found = bool_or(request.ext, "setZeroIfNotFound", true);
  return out;
}
void append_query_offset_request(std::string& out, const Header& header,
                                 const QueryOffsetRequest& request) {
  append_frame_head(out, header,
                    std::array{Field{"consumerGroup", request.group}, Field{"topic", request.topic},
                               Field{"queueId", request.queue_id},
                               Field{"setZeroIfNotFound", request.zero_if_not_found}},
                    0);
}

Result<UpdateOffsetRequest> decode_update_offset_request(const Command& request) {
  UpdateOffsetRequest out;
  MQ_TRY(out.group, text_field(request.ext, "consumerGroup"));
  MQ_TRY(out.topic, text_field(request.ext, "topic"));
  MQ_TRY(out.queue_id, int32_field(request.ext, "queueId"));
  MQ_TRY(out.offset, int64_field(request.ext, "commitOffset"));
  return out;
}
void append_update_offset_request(std::string& out, const Header& header,
                                  const UpdateOffsetRequest& request) {
  append_frame_head(
      out, header,
      std::array{Field{"consumerGroup", request.group}, Field{"topic", request.topic},
                 Field{"queueId", request.queue_id}, Field{"commitOffset", request.offset}},
      0);
}

Result<ResetOffsetRequest> decode_reset_offset_request(const Command& request) {
  ResetOffsetRequest out;
  MQ_TRY(out.group, text_field(request.ext, "group"));
  MQ_TRY(out.topic, text_field(request.ext, "topic"));
  MQ_TRY(out.timestamp_ms, int64_field(request.ext, "timestamp"));
  out.force = bool_or(request.ext, "isForce", false);
  MQ_TRY(out.queue_id, optional_integer<std::int32_t>(request.ext, "queueId", -1));
  MQ_TRY(out.offset, optional_integer<std::int64_t>(request.ext, "offset", -1));
  return out;
}
void append_reset_offset_request(std::string& out, const Header& header,
                                 const ResetOffsetRequest& request) {
  append_frame_head(
      out, header,
      std::array{Field{"group", request.group}, Field{"topic", request.topic},
                 Field{"timestamp", request.timestamp_ms}, Field{"isForce", request.force},
                 Field{"queueId", request.queue_id}, Field{"offset", request.offset}},
      0);
}

Result<CloneOffsetRequest> decode_clone_offset_request(const Command& request) {
  CloneOffsetRequest out;
  MQ_TRY(out.from_group, text_field(request.ext, "srcGroup"));
  MQ_TRY(out.to_group, text_field(request.ext, "destGroup"));
  out.topic = text_or(request.ext, "topic", "");
  out.offline = bool_or(request.ext, "offline", false);
  return out;
}
void append_clone_offset_request(std::string& out, const Header& header,
                                 const CloneOffsetRequest& request) {
  append_frame_head(
      out, header,
      std::array{Field{"srcGroup", request.from_group}, Field{"destGroup", request.to_group},
                 Field{"topic", request.topic}, Field{"offline", request.offline}},
      0);
}

}  // namespace mq::wire

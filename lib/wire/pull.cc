#include "wire/pull.h"

#include "wire/fields.h"

namespace mq::wire {

Result<PullRequest> decode_pull_request(const Command& request) {
  const ExtFields& ext = request.ext;
  PullRequest out;
  MQ_TRY(out.group, text_field(ext, "consumerGroup"));
  MQ_TRY(out.topic, text_field(ext, "topic"));
  MQ_TRY(out.queue_id, int32_field(ext, "queueId"));
  MQ_TRY(out.queue_offset, int64_field(ext, "queueOffset"));
  MQ_TRY(out.count_max, int32_field(ext, "maxMsgNums"));
  MQ_TRY(out.sys_flag, int32_field(ext, "sysFlag"));
  MQ_TRY(out.commit_offset, optional_integer<std::int64_t>(ext, "commitOffset", 0));
  MQ_TRY(out.suspend_timeout_ms, optional_integer<std::int64_t>(ext, "suspendTimeoutMillis", 0));
  MQ_TRY(out.sub_version, optional_integer<std::int64_t>(ext, "subVersion", 0));
  MQ_TRY(out.bytes_max, optional_integer<std::int32_t>(ext, "maxMsgBytes", out.bytes_max));
  out.subscription = text_or(ext, "subscription", "");
  out.expression_type = text_or(ext, "expressionType", "TAG");
  if (out.expression_type.empty()) out.expression_type = "TAG";
  out.bulk = bool_or(ext, "mqBulk", false);
  return out;
}

void append_pull_request(std::string& out, const Header& header, const PullRequest& request) {
  const std::array<Field, 13> fields = {
      Field{"consumerGroup", request.group},
      Field{"topic", request.topic},
      Field{"queueId", request.queue_id},
      Field{"queueOffset", request.queue_offset},
      Field{"maxMsgNums", request.count_max},
      Field{"sysFlag", request.sys_flag},
      Field{"commitOffset", request.commit_offset},
      Field{"suspendTimeoutMillis", request.suspend_timeout_ms},
      Field{"subscription", request.subscription},
      Field{"subVersion", request.sub_version},
      Field{"expressionType", request.expression_type},
      Field{"maxMsgBytes", request.bytes_max},
      Field{"mqBulk", true},
  };
  append_frame_head(out, header, std::span(fields).first(request.bulk ? 13 : 12), 0);
}

Result<PullResponse> decode_pull_response(const Command& response) {
  const ExtFields& ext = response.ext;
  PullResponse out;
  MQ_TRY(out.suggested_broker_id, int64_field(ext, "suggestWhichBrokerId"));
  MQ_TRY(out.next_offset, int64_field(ext, "nextBeginOffset"));
  MQ_TRY(out.min_offset, int64_field(ext, "minOffset"));
  MQ_TRY(out.max_offset, int64_field(ext, "maxOffset"));
  MQ_TRY(out.topic_sys_flag, optional_integer<std::int32_t>(ext, "topicSysFlag", 0));
  MQ_TRY(out.group_sys_flag, optional_integer<std::int32_t>(ext, "groupSysFlag", 0));
  return out;
}

void append_pull_response(std::string& out, const Header& header, const PullResponse& response,
                          std::size_t body_bytes) {
  const std::array<Field, 6> fields = {
      Field{"suggestWhichBrokerId", response.suggested_broker_id},
      Field{"nextBeginOffset", response.next_offset},
      Field{"minOffset", response.min_offset},
      Field{"maxOffset", response.max_offset},
      Field{"topicSysFlag", response.topic_sys_flag},
      Field{"groupSysFlag", response.group_sys_flag},
  };
  append_frame_head(out, header, fields, body_bytes);
}

}  // namespace mq::wire

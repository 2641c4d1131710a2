#include "wire/topic.h"

#include "wire/codes.h"
#include "wire/fields.h"

namespace mq::wire {

Result<CreateTopicRequest> decode_create_topic_request(const Command& request) {
  const ExtFields& ext = request.ext;
  CreateTopicRequest out;
  MQ_TRY(out.topic, text_field(ext, "topic"));
  MQ_TRY(out.read_queues, int32_field(ext, "readQueueNums"));
  MQ_TRY(out.write_queues, int32_field(ext, "writeQueueNums"));
  MQ_TRY(out.perm, int32_field(ext, "perm"));
  MQ_TRY(out.sys_flag, optional_integer<std::int32_t>(ext, "topicSysFlag", 0));
  out.default_topic = text_or(ext, "defaultTopic", out.default_topic);
  out.filter_type = text_or(ext, "topicFilterType", out.filter_type);
  out.order = bool_or(ext, "order", false);
  out.attributes = text_or(ext, "attributes", "");
  out.force = bool_or(ext, "force", false);
  return out;
}

void append_create_topic_request(std::string& out, const Header& header,
                                 const CreateTopicRequest& request) {
  const std::array<Field, 10> fields = {
      Field{"topic", request.topic},
      Field{"defaultTopic", request.default_topic},
      Field{"readQueueNums", request.read_queues},
      Field{"writeQueueNums", request.write_queues},
      Field{"perm", request.perm},
      Field{"topicFilterType", request.filter_type},
      Field{"topicSysFlag", request.sys_flag},
      Field{"order", request.order},
      Field{"attributes", request.attributes},
      Field{"force", request.force},
  };
  append_frame_head(out, header, fields, 0);
}

Result<TopicRequest> decode_topic_request(const Command& request) {
  TopicRequest out;
  MQ_TRY(out.topic, text_field(request.ext, "topic"));
  out.cluster = text_or(request.ext, "clusterName", "");
  out.standard_json = bool_or(request.ext, "acceptStandardJsonOnly", false);
  return out;
}

void append_topic_request(std::string& out, const Header& header, const TopicRequest& request) {
  std::array<Field, 4> fields = {Field{"topic", request.topic}, Field{"clusterName", ""},
                                 Field{"", ""}, Field{"", ""}};
  std::size_t count = 1;
  if (!request.cluster.empty()) fields[count++] = Field{"clusterName", request.cluster};
  if (request.standard_json) fields[count++] = Field{"acceptStandardJsonOnly", true};
  // Static topics answer with their mapping as well; others do not care.
  if (header.code == kGetTopicConfig) fields[count++] = Field{"lo", true};
  append_frame_head(out, header, std::span(fields).first(count), 0);
}

}  // namespace mq::wire

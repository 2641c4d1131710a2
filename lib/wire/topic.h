// Topics: create and alter R(17), R(18), and what names one topic: R(105), R(202), R(215), R(216),
// R(351) (remoting.md 10, 13.2). JSON bodies are in topic_body.h and route.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

struct CreateTopicRequest {
  std::string_view topic{};
  std::string_view default_topic = "TBW102";
  std::int32_t read_queues = 8;
  std::int32_t write_queues = 8;
  std::int32_t perm = 6;
  std::string_view filter_type = "SINGLE_TAG";
  std::int32_t sys_flag = 0;
  bool order = false;
  std::string_view attributes{};  // "+key=value,-key"
  bool force = false;
};
// Errors: kInvalid naming the field.
Result<CreateTopicRequest> decode_create_topic_request(const Command& request);
void append_create_topic_request(std::string& out, const Header& header,
                                 const CreateTopicRequest& request);

struct TopicRequest {
  std::string_view topic;
  std::string_view cluster{};  // R(216): may be empty
  bool standard_json = false;  // R(105): quoted keys, which we always write
};
Result<TopicRequest> decode_topic_request(const Command& request);
void append_topic_request(std::string& out, const Header& header, const TopicRequest& request);

}  // namespace mq::wire

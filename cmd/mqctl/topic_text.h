// Topics in words and as JSON.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "wire/topic.h"
#include "wire/topic_body.h"

namespace mq::mqctl {

// "readQueues=8 writeQueues=8 perm=RW- order=false", and the attributes.
[[nodiscard]] std::string describe_topic(const wire::TopicConfig& config);
[[nodiscard]] json::object topic_object(const wire::TopicConfig& config);
// `config` with what such an object says; what it does not say stays. Errors: kInvalid naming the
// member.
Result<wire::TopicConfig> with_topic_object(wire::TopicConfig config, const json::object& object);
// What makes `wanted` of `old`, which may be new: "+key=value,-key".
[[nodiscard]] std::string attribute_changes(const std::map<std::string, std::string>& old,
                                            const std::map<std::string, std::string>& wanted);
// The request that makes it so.
[[nodiscard]] wire::CreateTopicRequest topic_request(const wire::TopicConfig& config,
                                                     std::string_view attribute_changes);
// Letters of RWX, or 0 to 7. Errors: kInvalid.
Result<std::int32_t> parse_perm(const std::string& text);

}  // namespace mq::mqctl

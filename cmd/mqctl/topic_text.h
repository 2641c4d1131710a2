// Topics in words and as JSON.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "wire/topic_body.h"

namespace mq::mqctl {

// "readQueues=8 writeQueues=8 perm=RW- order=false", and the attributes.
[[nodiscard]] std::string describe_topic(const wire::TopicConfig& config);
[[nodiscard]] json::object topic_object(const wire::TopicConfig& config);
// Letters of RWX, or 0 to 7. Errors: kInvalid.
Result<std::int32_t> parse_perm(const std::string& text);

}  // namespace mq::mqctl

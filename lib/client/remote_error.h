// Answers that say no, as errors.
#pragma once

#include <string_view>

#include "base/result.h"
#include "wire/command.h"

namespace mq::client {

// What an answer with a code other than 0 means to its receiver: kNotFound (17, 22), kBusy (2, 10,
// 11, 12, 14: a retry makes sense), kDenied (16), kInvalid (13, 23, 29), kUnsupported (3), else
// kRemote. The text: `who: TOPIC_NOT_EXIST (17): remark; see mq-errors(7)`.
[[nodiscard]] Error remote_error(std::string_view who, const wire::Command& answer);

}  // namespace mq::client

// Consumer groups as mqctl shows them and as `apply` takes them.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "wire/group_body.h"

namespace mq::mqctl {

// "consume=on broadcast=on …" for people.
[[nodiscard]] std::string describe_group(const wire::GroupConfig& config);
// One object, stable: {"group","consume","broadcast","fromMin","orderly","retryMax","retryQueues",
// "consumeTimeoutMinutes","notifyMembers","attributes"}.
[[nodiscard]] json::object group_object(const wire::GroupConfig& config);
// `config` with what the object says; what it does not say stays. Errors: kInvalid naming the
// member.
Result<wire::GroupConfig> with_group_object(wire::GroupConfig config, const json::object& object);

}  // namespace mq::mqctl

// What a request needs its user to be allowed: the table of remoting.md 15.3. Private to server.
//
// As in the reference, but for requests that it has forgotten and that read or change what belongs
// to others: there they need nothing, here what the requests beside them need.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "broker/acl.h"
#include "wire/command.h"

namespace mq::server {

// Calls `take` for each, in the reference's order, until it returns false. What a Need names is
// valid during the call. Errors: kInvalid (a body or a field that cannot be read).
using TakeNeed = std::function<bool(const broker::Need&)>;
Result<void> for_each_need(const wire::Command& request, std::string_view cluster,
                           const TakeNeed& take);

}  // namespace mq::server

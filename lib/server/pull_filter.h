// The filter of a pull beyond its tags. Private to server.
#pragma once

#include <memory>
#include <string_view>

#include "broker/subscription.h"
#include "server/call.h"
#include "store/types.h"
#include "wire/pull.h"

namespace mq::server {

struct PullFilter {
  broker::TagExpression tags;
  std::shared_ptr<const store::RecordFilter> records;  // null: the tags say it all
};

// Sets `records` for an expression of that type, of this request or of the group's heartbeat
// (semantics.md 5.2, 8g and 9); false when the pull has been refused.
[[nodiscard]] bool add_record_filter(const Call& call, const wire::PullRequest& pull,
                                     std::string_view type, PullFilter& filter);

}  // namespace mq::server

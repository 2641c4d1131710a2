// Pulling: R(11), R(361) and their answer (remoting.md 6.1). Views point into the frame that was
// decoded.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

inline constexpr std::int32_t kPullCommitOffset = 1;  // store commit_offset
inline constexpr std::int32_t kPullSuspend = 2;       // may be parked until something arrives
inline constexpr std::int32_t kPullSubscription = 4;  // filter by this request's subscription
inline constexpr std::int32_t kPullClassFilter = 8;
inline constexpr std::int32_t kPullLite = 16;

struct PullRequest {
  std::string_view group;
  std::string_view topic;
  std::int32_t queue_id = 0;
  std::int64_t queue_offset = 0;
  std::int32_t count_max = 32;
  std::int32_t sys_flag = 0;  // kPull… bits
  std::int64_t commit_offset = 0;
  std::int64_t suspend_timeout_ms = 0;
  std::string_view subscription{};
  std::int64_t sub_version = 0;
  std::string_view expression_type = "TAG";
  std::int32_t bytes_max = std::numeric_limits<std::int32_t>::max();  // default: no limit
  // An extension of ours, which other brokers pass over: no limit on the count but count_max.
  bool bulk = false;  // mqBulk
};
// Errors: kInvalid naming the field.
Result<PullRequest> decode_pull_request(const Command& request);
void append_pull_request(std::string& out, const Header& header, const PullRequest& request);

// For codes 0, 19, 20 and 21.
struct PullResponse {
  std::int64_t suggested_broker_id = 0;
  std::int64_t next_offset = 0;
  std::int64_t min_offset = 0;
  std::int64_t max_offset = 0;
  std::int32_t topic_sys_flag = 0;
  std::int32_t group_sys_flag = 0;
};
Result<PullResponse> decode_pull_response(const Command& response);
// The caller sends `body_bytes` of records after it.
void append_pull_response(std::string& out, const Header& header, const PullResponse& response,
                          std::size_t body_bytes);

}  // namespace mq::wire

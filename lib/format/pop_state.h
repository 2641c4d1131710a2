// The state files of pop consumption (store-format.md 6.7): values to text and back. Errors of both
// readers: kCorrupt, with the place.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mq::format {

// What one group has popped in order from one queue and not acknowledged to its end:
// config/consumerOrderInfo.json.
struct OrderInfo {
  std::int64_t pop_ms = 0;
  std::int64_t invisible_ms = 0;      // i; 0: as the next pop says
  std::int64_t consumed_ms = 0;       // l
  std::vector<std::int64_t> offsets;  // o; on disk the first, then the distances to it
  std::map<std::int64_t, std::int64_t> visible_ms;  // ot: of messages that were given another time
  std::map<std::int64_t, std::int32_t> counts;      // oc: handed out before so often
  std::uint64_t acked = 0;                          // cm: by index
  std::string attempt_id;                           // a; empty: none
  friend bool operator==(const OrderInfo&, const OrderInfo&) = default;
};
using OrderTable =
    std::map<std::string, std::map<std::int32_t, OrderInfo>, std::less<>>;  // topic@group
Result<OrderTable> parse_order_info_json(std::string_view text);
[[nodiscard]] std::string to_order_info_json(const OrderTable& table);

// How a group consumes a topic, as an administrator set it: config/messageRequestMode.json, and the
// body of R(401) and R(402).
struct RequestMode {
  bool pop = false;
  std::int32_t share_queues = 0;  // popShareQueueNum
  friend bool operator==(const RequestMode&, const RequestMode&) = default;
};
using RequestModes =
    std::map<std::string, std::map<std::string, RequestMode>, std::less<>>;  // topic, group
Result<RequestModes> parse_request_modes_json(std::string_view text);
// As state files are written, or on one line.
[[nodiscard]] std::string to_request_modes_json(const RequestModes& modes, bool pretty);
struct NamedRequestMode {
  std::string topic;
  std::string group;
  RequestMode mode;
};
Result<NamedRequestMode> parse_request_mode(std::string_view text);

}  // namespace mq::format

// R(370) RECALL_MESSAGE (remoting.md 5.6): takes back a timed message that has not been delivered.
// A send of one answers with the handle that names it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

// `v1 TOPIC BROKER TIME ID` in URL-safe base64 with padding.
struct RecallHandle {
  std::string topic;
  std::string broker;
  std::int64_t deliver_ms = 0;  // names the slot that the message waits in
  std::string unique_key;
  friend bool operator==(const RecallHandle&, const RecallHandle&) = default;
};
[[nodiscard]] std::string encode_recall_handle(const RecallHandle& handle);
// Errors: kInvalid.
Result<RecallHandle> decode_recall_handle(std::string_view text);

struct RecallRequest {
  std::string_view group{};
  std::string_view topic{};
  std::string_view handle{};
  std::string_view broker_name{};
};
// Errors: kInvalid naming the field.
Result<RecallRequest> decode_recall_request(const Command& request);
void append_recall_request(std::string& out, const Header& header, const RecallRequest& request);

}  // namespace mq::wire

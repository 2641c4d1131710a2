// R(36) CONSUMER_SEND_MSG_BACK (remoting.md 6.9): a consumer could not handle a message and wants
// it later, or with the dead letters. The answer is a code alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

struct SendBackRequest {
  std::int64_t offset = 0;  // of the record in the commit log
  std::string_view group;
  std::int32_t delay_level = 0;  // 0: by the number of attempts; < 0: a dead letter
  std::string_view origin_msg_id{};
  std::string_view origin_topic{};
  bool unit_mode = false;
  std::optional<std::int32_t> max_reconsume_times = std::nullopt;
  std::string_view broker_name{};
};
// Errors: kInvalid naming the field.
Result<SendBackRequest> decode_send_back_request(const Command& request);
void append_send_back_request(std::string& out, const Header& header,
                              const SendBackRequest& request);

}  // namespace mq::wire

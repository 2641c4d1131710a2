// Offsets of consumer groups: R(14) asks, R(15) commits (remoting.md 6.4), R(222) resets by time,
// R(314) copies (13.4). Views point into the frame that was decoded. Errors of all decoders:
// kInvalid naming the field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

struct QueryOffsetRequest {
  std::string_view group;
  std::string_view topic;
  std::int32_t queue_id = 0;
  bool zero_if_not_found = true;  // a young queue that the group has not consumed starts at 0
};
Result<QueryOffsetRequest> decode_query_offset_request(const Command& request);
void append_query_offset_request(std::string& out, const Header& header,
                                 const QueryOffsetRequest& request);

struct UpdateOffsetRequest {
  std::string_view group;
  std::string_view topic;
  std::int32_t queue_id = 0;
  std::int64_t offset = 0;
};
Result<UpdateOffsetRequest> decode_update_offset_request(const Command& request);
void append_update_offset_request(std::string& out, const Header& header,
                                  const UpdateOffsetRequest& request);

struct ResetOffsetRequest {
  std::string_view group;
  std::string_view topic;
  std::int64_t timestamp_ms = -1;  // below 0: the end
  bool force = true;               // also forwards; of resets through the clients alone
  std::int32_t queue_id = -1;      // below 0: all
  std::int64_t offset = -1;        // of that queue; -1: by the timestamp
};
Result<ResetOffsetRequest> decode_reset_offset_request(const Command& request);
void append_reset_offset_request(std::string& out, const Header& header,
                                 const ResetOffsetRequest& request);

struct CloneOffsetRequest {
  std::string_view from_group;
  std::string_view to_group;
  std::string_view topic{};  // "": all of the group
  bool offline = true;       // also topics that the group on line does not subscribe
};
Result<CloneOffsetRequest> decode_clone_offset_request(const Command& request);
void append_clone_offset_request(std::string& out, const Header& header,
                                 const CloneOffsetRequest& request);

}  // namespace mq::wire

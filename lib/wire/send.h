// Sending: R(10) with long names, R(310) and R(320) with one-letter names, and their answer
// (remoting.md 5). Views point into the frame that was decoded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

struct SendRequest {
  std::string_view group{};
  std::string_view topic{};
  std::string_view default_topic = "TBW102";  // template for a topic that is created by this send
  std::int32_t default_queue_count = 4;
  std::int32_t queue_id = -1;  // < 0: the broker picks
  std::int32_t sys_flag = 0;
  std::int64_t born_timestamp_ms = 0;
  std::int32_t flag = 0;
  std::string_view properties{};  // name 0x01 value 0x02 …
  std::int32_t reconsume_times = 0;
  bool unit_mode = false;
  std::int32_t max_reconsume_times = -1;  // < 0: not said
  bool batch = false;                     // the body is for BatchReader
  std::string_view broker_name{};
  // Extensions of ours, which other brokers pass over: answer a batch with the first id alone;
  // answer only when it is on disk, whatever flushDiskType says.
  bool bulk = false;  // mqBulk
  bool sync = false;  // mqSync
};
// By request.code: 10 (and 324) long names, all others one letter. Errors: kInvalid naming the
// field.
Result<SendRequest> decode_send_request(const Command& request);
// By header.code in the same way. The caller sends `body_bytes` of body after it.
void append_send_request(std::string& out, const Header& header, const SendRequest& request,
                         std::size_t body_bytes);

struct SendResponse {
  std::string_view msg_id;  // the offset id; of a batch: ids joined with ','
  std::int32_t queue_id = 0;
  std::int64_t queue_offset = 0;  // of the first message
  std::string_view transaction_id{};
  std::string_view recall_handle{};    // of a timed message: takes it back (recall.h)
  std::string_view batch_unique_id{};  // of a batch that stays closed
  std::string_view region = "DefaultRegion";
  bool trace_on = true;
};
// For codes 0, 10, 11 and 12. Errors: kInvalid naming the field.
Result<SendResponse> decode_send_response(const Command& response);
void append_send_response(std::string& out, const Header& header, const SendResponse& response);
// A refusal; region and trace are said there as well.
void append_send_error(std::string& out, const Header& header);

// One message of a batch body (5.4).
struct BatchItem {
  std::int32_t flag = 0;
  Bytes body{};
  std::string_view properties{};
};
class BatchReader {
 public:
  explicit BatchReader(Bytes body) noexcept : body_(body) {}
  // The next message; false at the end. Errors: kCorrupt with the byte it happened at; nothing
  // follows an error.
  Result<bool> next(BatchItem& out);

 private:
  Bytes body_;
  std::size_t at_ = 0;
};
// Properties of more than 32767 bytes do not fit; the caller has checked.
void append_batch_item(std::string& out, const BatchItem& item);

}  // namespace mq::wire

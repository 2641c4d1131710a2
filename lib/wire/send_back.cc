#include "wire/send_back.h"

#include <array>
#include <span>

#include "wire/fields.h"

namespace mq::wire {

Result<SendBackRequest> decode_send_back_request(const Command& request) {
  const ExtFields& ext = request.ext;
  SendBackRequest out;
  MQ_TRY(out.offset, int64_field(ext, "offset"));
  MQ_TRY(out.group, text_field(ext, "group"));
  MQ_TRY(out.delay_level, int32_field(ext, "delayLevel"));
  out.origin_msg_id = text_or(ext, "originMsgId", "");
  out.origin_topic = text_or(ext, "originTopic", "");
  out.unit_mode = bool_or(ext, "unitMode", false);
  if (const auto times = ext.find("maxReconsumeTimes"); times && !times->empty()) {
    MQ_TRY(const auto number, integer_from<std::int32_t>("maxReconsumeTimes", *times));
    out.max_reconsume_times = number;
  }
  out.broker_name = text_or(ext, "bname", "");
  return out;
}

void append_send_back_request(std::string& out, const Header& header,
                              const SendBackRequest& request) {
  std::array<Field, 8> fields = {
      Field{"offset", request.offset},
      Field{"group", request.group},
      Field{"delayLevel", request.delay_level},
      Field{"originMsgId", request.origin_msg_id},
      Field{"originTopic", request.origin_topic},
      Field{"unitMode", request.unit_mode},
      Field{"", ""},
      Field{"", ""},
  };
  std::size_t count = 6;
  if (request.max_reconsume_times)
    fields[count++] = Field{"maxReconsumeTimes", *request.max_reconsume_times};
  if (!request.broker_name.empty()) fields[count++] = Field{"bname", request.broker_name};
  append_frame_head(out, header, std::span(fields).first(count), 0);
}

}  // namespace mq::wire

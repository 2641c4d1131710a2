// A message as one JSON object, schema version 1. Fields, in this order:
//
//   v topic broker queue offset physicalOffset size msgId offsetMsgId tag keys properties
//   body|body64 bornTime storeTime bornHost storeHost sysFlag flag reconsumeTimes bodyCrc
//   transaction
//
// `broker` is left out when it is not known; `msgId` (the unique key) and `tag` are null when there
// is none. `body64` (base64) stands in place of `body` when the body is not UTF-8. `properties`
// holds those that have no field of their own, or all with `all_properties`.
#pragma once

#include <string>

#include "cli/message.h"

namespace mq::cli {

struct MessageJsonOptions {
  bool all_properties = false;
  bool headers_only = false;  // no body
};
// Appends the object, without a line end.
void append_message_json(std::string& out, const Message& message,
                         const MessageJsonOptions& options);

}  // namespace mq::cli

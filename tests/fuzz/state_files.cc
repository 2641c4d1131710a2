// Any text as each of the state files, and of what pop consumption keeps in the log. What is read
// is written, read again and written the same.
#include "format/state_files.h"

#include "base/assert.h"
#include "format/pop_records.h"
#include "format/pop_state.h"

namespace {

using namespace mq::format;

template <typename Parse, typename Write>
void check(std::string_view text, Parse parse, Write write) {
  const auto first = parse(text);
  if (!first) return;
  const std::string written = write(*first);
  const auto second = parse(written);
  MQ_ASSERT(second);
  MQ_ASSERT(write(*second) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text, parse_topics_json, to_topics_json);
  check(text, parse_consumer_offset_json, to_consumer_offset_json);
  check(text, parse_delay_offset_json, to_delay_offset_json);
  check(text, parse_subscription_group_json, to_subscription_group_json);
  check(text, parse_order_info_json, to_order_info_json);
  check(text, parse_request_modes_json,
        [](const RequestModes& modes) { return to_request_modes_json(modes, /*pretty=*/true); });
  check(text, parse_pop_checkpoint, encode_pop_checkpoint);
  check(text, parse_pop_ack, [](const PopAck& ack) { return encode_pop_ack(ack, true); });
  return 0;
}

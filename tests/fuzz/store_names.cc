// Any text as message id, host, file name, topic and group. What is accepted is written the same.
#include "base/assert.h"
#include "format/index_file.h"
#include "format/message_id.h"
#include "format/names.h"

using namespace mq::format;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto id = parse_offset_message_id(text)) {
    const std::string again = offset_message_id(id->store_host, id->offset);
    MQ_ASSERT(again.size() == text.size());
    MQ_ASSERT(parse_offset_message_id(again)->offset == id->offset);
    MQ_ASSERT(parse_offset_message_id(again)->store_host == id->store_host);
  }
  if (const auto host = parse_host(text)) MQ_ASSERT(*parse_host(to_string(*host)) == *host);
  if (const auto start = parse_stream_file_name(text)) MQ_ASSERT(stream_file_name(*start) == text);
  if (check_topic_name(text)) MQ_ASSERT(check_group_name(text) && !text.empty());
  MQ_ASSERT(index_file_name(1'700'000'000'000, text).size() == 17);
  return 0;
}

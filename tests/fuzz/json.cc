// Any text as JSON. What is read is written, in both forms, as text that reads as the same.
#include "base/json.h"

#include "base/assert.h"

using namespace mq;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = parse_json(text);
  if (!value) {
    MQ_ASSERT(value.error().code() == Errc::kCorrupt && !value.error().text().empty());
    return 0;
  }
  const std::string compact = to_json(*value);
  MQ_ASSERT(is_utf8(compact));
  const auto from_compact = parse_json(compact);
  MQ_ASSERT(from_compact && *from_compact == *value);
  const auto from_pretty = parse_json(to_pretty_json(*value));
  MQ_ASSERT(from_pretty && *from_pretty == *value);
  (void)int_or(&*value, 0);
  (void)bool_or(&*value, false);
  MQ_ASSERT(is_utf8(string_or(&*value, "")));
  (void)member(*value, "a");
  return 0;
}

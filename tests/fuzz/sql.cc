// Any text as a SQL filter. What compiles gives an answer on any properties, and the same one
// twice.
#include "base/assert.h"
#include "broker/sql_expression.h"

using namespace mq;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // The expression, and behind the first zero byte the properties.
  const std::size_t split = std::min(input.find('\0'), input.size());
  const std::string_view text = input.substr(0, split);
  const auto compiled = broker::SqlExpression::compile(text);
  if (!compiled) {
    MQ_ASSERT(compiled.error().code() == Errc::kInvalid && !compiled.error().text().empty());
    return 0;
  }
  const std::string_view properties = input.substr(std::min(split + 1, input.size()));
  MQ_ASSERT(compiled->wants(properties) == compiled->wants(properties));
  (void)compiled->wants(
      "a\x01"
      "5\x02"
      "b\x01"
      "it's\x02");
  return 0;
}

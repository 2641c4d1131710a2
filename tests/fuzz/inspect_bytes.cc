// Any bytes where a record, a batch of messages or an expression is expected: the inspector's
// readers stay within them.
#include "base/assert.h"
#include "format/inner_batch.h"
#include "inspect/annotate.h"
#include "inspect/expression.h"
#include "inspect/message_parts.h"

using namespace mq;

namespace {

// Fields follow one another from the start on, within the bytes.
void check_gapless(const inspect::Annotation& annotation, std::size_t size) {
  std::int64_t at = 0;
  for (const inspect::Field& field : annotation.fields) {
    MQ_ASSERT(field.at == at && field.bytes >= 0);
    at += field.bytes;
  }
  MQ_ASSERT(at <= static_cast<std::int64_t>(size));
}

Bytes as_stored(const format::Record& record, std::string&) { return record.body; }

void check_expression(std::string_view text, const format::Record& record) {
  const auto number = [](std::string_view value) -> Result<std::int64_t> {
    return static_cast<std::int64_t>(value.size());
  };
  const auto expression = inspect::Expression::parse(text, {.time_ms = number, .size = number});
  if (!expression) {
    MQ_ASSERT(expression.error().code() == Errc::kInvalid && !expression.error().text().empty());
    return;
  }
  std::string buffer;
  (void)expression->matches(record, as_stored, buffer);
  (void)expression->scan();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes in = std::as_bytes(std::span(data, size));
  const auto time = [](std::int64_t ms) { return std::to_string(ms); };
  check_gapless(inspect::annotate_record(in, PhysicalOffset(0), time), size);
  if (size >= 20) {
    check_gapless(inspect::annotate_queue_entry(in.first(20), true, time), 20);
    check_gapless(inspect::annotate_index_entry(in.first(20), 0, time), 20);
  }
  format::Record record;
  record.sys_flag = format::kFlagInnerBatch;
  record.properties = as_text(in);
  record.topic = "T";
  std::size_t messages = 0;
  MQ_ASSERT(format::for_each_message(record, in, [&](const format::Record& one) {
    (void)inspect::hash_parts(one, one.body, inspect::PartSet::all());
    return ++messages > 0;
  }));
  MQ_ASSERT(messages >= 1);
  check_expression(as_text(in.first(std::min<std::size_t>(size, 4096))), record);
  return 0;
}

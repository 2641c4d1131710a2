// Any bytes as queue entry, index header, index entry, checkpoint and the timer's values. What
// decodes is encoded to the same bytes.
#include <algorithm>
#include <array>

#include "base/assert.h"
#include "format/checkpoint.h"
#include "format/consume_queue_entry.h"
#include "format/index_file.h"
#include "format/timer_files.h"

namespace {

using namespace mq;
using namespace mq::format;

template <typename Value>
std::array<std::byte, Value::kEncodedBytes> encoded(const Value& value) {
  std::array<std::byte, Value::kEncodedBytes> out{};
  encode(value, out);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes in = std::as_bytes(std::span(data, size));
  if (const auto entry = decode_consume_queue_entry(in)) {
    MQ_ASSERT(std::ranges::equal(encoded(*entry), in.first(ConsumeQueueEntry::kEncodedBytes)));
    MQ_ASSERT(entry->end() > entry->commitlog_offset);
  }
  if (const auto entry = decode_index_entry(in))
    MQ_ASSERT(std::ranges::equal(encoded(*entry), in.first(IndexEntry::kEncodedBytes)));
  if (const auto header = decode_index_header(in)) {
    MQ_ASSERT(header->index_count >= 1);
    MQ_ASSERT(*decode_index_header(encoded(*header)) == *header);
  }
  if (const auto checkpoint = decode_checkpoint(in)) {
    MQ_ASSERT(std::ranges::equal(Bytes(encoded(*checkpoint)).first(40), in.first(40)));
    MQ_ASSERT(*decode_checkpoint(encoded(*checkpoint)) == *checkpoint);
  }
  if (const auto unit = decode_timer_unit(in))
    MQ_ASSERT(std::ranges::equal(encoded(*unit), in.first(TimerUnit::kEncodedBytes)));
  if (const auto slot = decode_timer_slot(in))
    MQ_ASSERT(std::ranges::equal(encoded(*slot), in.first(TimerSlot::kEncodedBytes)));
  if (const auto checkpoint = decode_timer_checkpoint(in))
    MQ_ASSERT(*decode_timer_checkpoint(encoded(*checkpoint)) == *checkpoint);
  return 0;
}

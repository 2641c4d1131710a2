// Any bytes as a run of commit log records. What decodes is encoded to the same bytes.
#include "format/record.h"

#include <algorithm>
#include <vector>

#include "base/assert.h"

namespace {

using namespace mq;
using namespace mq::format;

void check_same_bytes(const Record& record, Bytes raw) {
  MQ_ASSERT(check_encodable(record));
  std::vector<std::byte> again(record_bytes(record));
  encode_record(record, again);
  if (record.magic == kMagicV2 && record.topic.size() <= 127) return;  // encoded as V1
  store_be(again.data() + 8, record.body_crc);                         // not checked yet
  MQ_ASSERT(std::equal(again.begin(), again.end(), raw.begin(), raw.end()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes in = std::as_bytes(std::span(data, size));
  for (;;) {
    const auto record = decode_record(in, CheckBody::kNo);
    const auto checked = decode_record(in, CheckBody::kCrc);
    const auto timestamp = peek_store_timestamp(in);
    if (!record) {
      MQ_ASSERT(!checked && checked.error().code() == record.error().code());
      MQ_ASSERT(!record.error().text().empty());
      break;
    }
    MQ_ASSERT(record_kind(in) == RecordKind::kMessage);
    MQ_ASSERT(timestamp && *timestamp == record->store_timestamp_ms);
    const auto bytes = static_cast<std::size_t>(record->total_bytes);
    MQ_ASSERT(bytes >= kRecordBytesMin && bytes <= in.size());
    check_same_bytes(*record, in.first(bytes));
    in = in.subspan(bytes);
  }
  return 0;
}

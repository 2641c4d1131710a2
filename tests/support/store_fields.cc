// What each byte of a sample store's files is.
#include <algorithm>

#include <fmt/format.h>

#include "base/assert.h"
#include "format/consume_queue_entry.h"
#include "format/index_file.h"
#include "format/names.h"
#include "format/properties.h"
#include "format/record.h"
#include "support/store_damage.h"

namespace mq::test {
namespace {

// Times are vouched for by the index to the second: all but the last two bytes of a time in ms.
constexpr std::int64_t kTimeBytesVouched = 6;

class Fields {
 public:
  void add(std::int64_t bytes, std::string name, Vouched vouched) {
    if (bytes <= 0) return;
    out_.push_back({at_, at_ + bytes, std::move(name), vouched});
    at_ += bytes;
  }
  [[nodiscard]] std::int64_t at() const noexcept { return at_; }
  std::vector<Field> take(std::size_t file_bytes, std::string rest, Vouched vouched) {
    add(static_cast<std::int64_t>(file_bytes) - at_, std::move(rest), vouched);
    return std::move(out_);
  }

 private:
  std::vector<Field> out_;
  std::int64_t at_ = 0;
};

std::int64_t start_of(const std::string& path) {
  return format::parse_stream_file_name(path.substr(path.rfind('/') + 1)).value();
}

// TAGS is in the queue entry (in its place the due time of a delayed message), KEYS and UNIQ_KEY
// are in the index; the last of a name counts.
void add_properties(Fields& fields, const std::string& of, const format::Record& r,
                    bool has_entry) {
  std::string_view rest = r.properties;
  while (!rest.empty()) {
    const std::size_t end = rest.find(format::kPairEnd);
    const std::string_view piece = rest.substr(0, end);
    const std::string_view name = piece.substr(0, piece.find(format::kNameEnd));
    const bool linked =
        name == format::kKeys || name == format::kUniqKey ||
        (has_entry && name == (r.topic == format::kScheduleTopic ? format::kDelay : format::kTags));
    const bool counts =
        linked && format::find_property(r.properties, name) == piece.substr(name.size() + 1);
    const auto name_bytes = static_cast<std::int64_t>(name.size());
    const auto value_bytes = static_cast<std::int64_t>(piece.size()) - name_bytes - 1;
    const Vouched vouched = counts ? Vouched::kYes : Vouched::kNo;
    fields.add(name_bytes, fmt::format("name of {}{}", name, of), vouched);
    fields.add(1, "0x01" + of, vouched);
    fields.add(value_bytes, fmt::format("value of {}{}", name, of), vouched);
    if (end == std::string_view::npos) return;
    fields.add(1, "0x02" + of, Vouched::kNo);
    rest.remove_prefix(end + 1);
  }
}

void add_record(Fields& fields, const SampleMessage& m) {
  const auto record = format::decode_record(as_bytes(m.record), format::CheckBody::kNo);
  MQ_ASSERT(record.has_value());
  const std::string of = fmt::format(" of the record at {}", m.at.value());
  const auto add = [&](std::int64_t bytes, const char* name, Vouched vouched) {
    fields.add(bytes, name + of, vouched);
  };
  const bool body = !record->body.empty();
  // Whatever moves a record out of its queue is missed there.
  const Vouched linked = m.has_entry ? Vouched::kYes : Vouched::kNo;
  add(4, "totalSize", Vouched::kYes);
  // V1 and V2 differ in the width of the topic's length.
  add(4, "magic", Vouched::kYes);
  add(4, "bodyCRC", body ? Vouched::kYes : Vouched::kNo);
  add(4, "queueId", linked);
  add(4, "flag", Vouched::kNo);
  add(8, "queueOffset", linked);
  add(8, "physicalOffset", Vouched::kYes);
  add(4, "sysFlag", Vouched::kNo);
  add(8, "bornTimestamp", Vouched::kNo);
  add(static_cast<std::int64_t>(record->born_host.encoded_bytes()), "bornHost", Vouched::kNo);
  add(kTimeBytesVouched, "storeTimestamp", m.keys.empty() ? Vouched::kNo : Vouched::kYes);
  add(8 - kTimeBytesVouched, "storeTimestamp, low", Vouched::kNo);
  add(static_cast<std::int64_t>(record->store_host.encoded_bytes()), "storeHost", Vouched::kNo);
  add(4, "reconsumeTimes", Vouched::kNo);
  add(8, "preparedTransactionOffset", Vouched::kNo);
  add(4, "bodyLength", Vouched::kYes);
  add(static_cast<std::int64_t>(record->body.size()), "body", Vouched::kYes);
  add(record->magic == format::kMagicV1 ? 1 : 2, "topicLength", Vouched::kYes);
  add(static_cast<std::int64_t>(record->topic.size()), "topic", linked);
  add(2, "propertiesLength", Vouched::kYes);
  add_properties(fields, of, *record, m.has_entry);
}

std::vector<Field> log_fields(const SampleStore& store, const std::string& content,
                              std::int64_t start) {
  Fields fields;
  for (const SampleMessage& m : store.messages) {
    if (m.at.value() >= start && m.at.value() < start + SampleStore::kCommitLogFileBytes)
      add_record(fields, m);
  }
  if (start + static_cast<std::int64_t>(content.size()) <= store.end.value()) {
    fields.add(8, "blank", Vouched::kYes);
    return fields.take(content.size(), "behind the blank", Vouched::kUnused);
  }
  return fields.take(content.size(), "behind the end", Vouched::kUnused);
}

std::vector<Field> queue_fields(const SampleStore& store, const std::string& path,
                                const std::string& content) {
  const std::size_t slash = path.rfind('/');
  const std::size_t topic_at = path.find('/') + 1;
  const std::size_t queue_at = path.rfind('/', slash - 1) + 1;
  const SampleQueue queue = store.queues.at({path.substr(topic_at, queue_at - 1 - topic_at),
                                             std::stoi(path.substr(queue_at, slash - queue_at))});
  constexpr std::int64_t kBytes = format::ConsumeQueueEntry::kEncodedBytes;
  const std::int64_t entries = static_cast<std::int64_t>(content.size()) / kBytes;
  const std::int64_t first = start_of(path) / kBytes;
  Fields fields;
  for (std::int64_t i = first; i < std::min(first + entries, queue.max.value()); ++i) {
    fields.add(kBytes, fmt::format("entry {}", i),
               i >= queue.min.value() ? Vouched::kYes : Vouched::kNo);
  }
  return fields.take(content.size(), "behind the end", Vouched::kUnused);
}

std::vector<Field> index_fields(const SampleStore& store, const std::string& content) {
  const Bytes bytes = as_bytes(content);
  const auto header = format::decode_index_header(bytes);
  MQ_ASSERT(header.has_value());
  constexpr format::IndexShape kShape = SampleStore::kIndexShape;
  Fields fields;
  fields.add(kTimeBytesVouched, "beginTimestamp", Vouched::kYes);
  fields.add(8 - kTimeBytesVouched, "beginTimestamp, low", Vouched::kNo);
  fields.add(8, "endTimestamp", Vouched::kYes);
  fields.add(8, "beginPhyOffset", Vouched::kYes);
  fields.add(8, "endPhyOffset", Vouched::kYes);
  fields.add(4, "hashSlotCount", Vouched::kYes);
  fields.add(4, "indexCount", Vouched::kYes);
  fields.add(4LL * kShape.slots, "slots", Vouched::kYes);
  fields.add(20, "entry 0", Vouched::kUnused);
  for (std::int32_t i = 1; i < header->index_count; ++i) {
    const auto entry =
        format::decode_index_entry(bytes.subspan(static_cast<std::size_t>(kShape.entry_at(i)), 20));
    MQ_ASSERT(entry.has_value());
    const Vouched linked = entry->commitlog_offset >= store.begin ? Vouched::kYes : Vouched::kNo;
    const std::string name = fmt::format(" of entry {}", i);
    fields.add(4, "hash" + name, linked);
    fields.add(8, "offset" + name, linked);
    // To the second, and the first of a file counts from the end of the file before.
    fields.add(3, "time" + name, i == 1 ? Vouched::kNo : linked);
    fields.add(1, "time, low" + name, Vouched::kNo);
    fields.add(4, "previous" + name, Vouched::kYes);
  }
  return fields.take(content.size(), "unused entries", Vouched::kUnused);
}

}  // namespace

std::vector<Field> fields_of(const SampleStore& store, const StoreImage& image,
                             const std::string& path) {
  const std::string& content = image.files.at(path);
  if (path.starts_with("commitlog/")) return log_fields(store, content, start_of(path));
  if (path.starts_with("consumequeue/")) return queue_fields(store, path, content);
  if (path.starts_with("index/")) return index_fields(store, content);
  if (path == "checkpoint") {
    Fields fields;
    fields.add(24, "timestamps", Vouched::kNo);  // as their value is
    return fields.take(content.size(), "rest", Vouched::kUnused);
  }
  return Fields().take(content.size(), "text", Vouched::kNo);  // as the text is
}

}  // namespace mq::test

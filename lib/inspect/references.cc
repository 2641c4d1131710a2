#include "inspect/references.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "format/batch_queue_entry.h"
#include "format/light_queues.h"
#include "format/properties.h"
#include "format/state_files.h"
#include "inspect/rebuild_rules.h"

namespace mq::inspect {
namespace {

constexpr std::int64_t kEntryBytes = format::ConsumeQueueEntry::kEncodedBytes;
constexpr std::int64_t kBatchEntryBytes = format::BatchQueueEntry::kEncodedBytes;

// The bytes at a position of a queue's stream, and which file they are in.
Result<void> read_entry(fs::Fs& fs, const QueueDirectory& queue, std::int64_t at,
                        std::int64_t entry_bytes, QueueReference& out) {
  for (const QueueFile& file : queue.files) {
    const std::int64_t position = at - file.start;
    if (position < 0 || position + entry_bytes > file.bytes) continue;
    MQ_TRY(const auto in, fs.open(file.path, fs::OpenMode::kRead));
    std::string raw(static_cast<std::size_t>(entry_bytes), '\0');
    MQ_TRY(const std::size_t got,
           in->read_at(position, {reinterpret_cast<std::byte*>(raw.data()), raw.size()}));
    if (got < raw.size()) continue;
    out.path = file.path;
    out.position = position;
    out.bytes = std::move(raw);
    return {};
  }
  return {};
}

// An entry of either kind begins with offset and size.
std::string why_wrong(const QueueReference& reference, const format::Record& record) {
  if (reference.bytes.empty()) return "no entry yet: the queue ends before";
  const auto* raw = reinterpret_cast<const std::byte*>(reference.bytes.data());
  const auto offset = load_be<std::int64_t>(raw);
  const auto size = load_be<std::int32_t>(raw + 8);
  if (offset == 0 && size == 0) return "no entry yet: nothing is written there";
  if (offset == 0 && size == 0x7FFFFFFF) return "a filler stands there: the queue begins behind";
  if (offset != record.physical_offset.value()) return fmt::format("it leads to {}", offset);
  if (size != record.total_bytes) return fmt::format("it says {} bytes", size);
  return {};
}

Result<QueueReference> in_queue(fs::Fs& fs, const std::string& store, const std::string& topic,
                                std::int32_t queue, std::int64_t offset,
                                const format::Record& record) {
  QueueReference out{.topic = topic,
                     .queue = queue,
                     .offset = offset,
                     .path = {},
                     .position = 0,
                     .bytes = {},
                     .wrong = {}};
  MQ_TRY(const auto directory, list_queue(fs, store, "consumequeue", topic, queue));
  if (offset >= 0 && offset <= INT64_MAX / kEntryBytes - 1)
    MQ_CHECK(read_entry(fs, directory, offset * kEntryBytes, kEntryBytes, out));
  out.wrong = why_wrong(out, record);
  return out;
}

// Entries of a batch queue are packed: theirs is the last one whose base is not above the offset.
Result<std::optional<QueueReference>> in_batch_queue(fs::Fs& fs, const std::string& store,
                                                     const format::Record& record) {
  MQ_TRY(const auto directory,
         list_queue(fs, store, "batchconsumequeue", std::string(record.topic), record.queue_id));
  if (directory.files.empty()) return std::optional<QueueReference>();
  QueueReference out{.topic = std::string(record.topic),
                     .queue = record.queue_id,
                     .offset = record.queue_offset.value(),
                     .path = {},
                     .position = 0,
                     .bytes = {},
                     .wrong = {}};
  std::int64_t low = directory.files.front().start / kBatchEntryBytes;
  std::int64_t high =
      (directory.files.back().start + directory.files.back().bytes) / kBatchEntryBytes;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    QueueReference probe;
    MQ_CHECK(read_entry(fs, directory, middle * kBatchEntryBytes, kBatchEntryBytes, probe));
    const auto entry = format::decode_batch_queue_entry(as_bytes(probe.bytes));
    if (!entry || entry->base > record.queue_offset) {
      high = middle;
    } else {
      out.path = probe.path;
      out.position = probe.position;
      out.bytes = probe.bytes;
      low = middle + 1;
    }
  }
  out.wrong = why_wrong(out, record);
  return std::optional(std::move(out));
}

Result<void> in_light_queues(fs::Fs& fs, const std::string& store, const format::Record& record,
                             References& out) {
  static const DispatchRules rules;
  const Dispatched dispatched = rules.of(record);
  Result<void> done;
  format::for_each_light_queue(dispatched.light_queues, dispatched.light_offsets,
                               [&](std::string_view name, std::int64_t number) {
                                 if (!done) return;
                                 auto found = in_queue(fs, store, std::string(name),
                                                       format::kLightQueueId, number, record);
                                 if (!found) {
                                   done = found.error();
                                 } else if (!found->path.empty()) {
                                   out.queues.push_back(*std::move(found));
                                 }
                               });
  return done;
}

Result<void> in_index(fs::Fs& fs, const std::string& store, const format::Record& record,
                      References& out) {
  MQ_TRY(const auto files, list_index(fs, store));
  const std::int64_t at = record.physical_offset.value();
  for (const IndexInfo& file : files) {
    if (!file.damage.empty()) {
      out.damage.push_back(file.damage);
      continue;
    }
    if (at < file.header.begin_offset.value()) continue;
    std::vector<std::int32_t> hashes;  // two keys may share a hash, and then entries
    for (const std::string_view key : index_keys(record.properties)) {
      const std::int32_t hash = format::index_key_hash(record.topic, key);
      if (std::find(hashes.begin(), hashes.end(), hash) != hashes.end()) continue;
      hashes.push_back(hash);
      MQ_CHECK(find_in_index(
          fs, file, hash,
          [&](const IndexHit& hit) {
            if (hit.entry.commitlog_offset != record.physical_offset)
              return hit.entry.commitlog_offset > record.physical_offset;
            std::array<std::byte, format::IndexEntry::kEncodedBytes> raw{};
            format::encode(hit.entry, raw);
            out.index.push_back({.key = std::string(key),
                                 .path = file.path,
                                 .slot = hit.slot,
                                 .number = hit.number,
                                 .position = file.shape.entry_at(hit.number),
                                 .begin_ms = file.header.begin_timestamp_ms,
                                 .bytes = std::string(as_text(raw))});
            return true;
          },
          [&](const std::string& damage) { out.damage.push_back(damage); }));
    }
  }
  return {};
}

void groups_in(fs::Fs& fs, const std::string& store, const std::string& file,
               const format::Record& record, References& out) {
  const auto text = fs::read_file(fs, store + "/" + file);
  if (!text) return;
  const auto offsets = format::parse_consumer_offset_json(*text);
  if (!offsets) {
    out.damage.push_back(file + ": " + offsets.error().text());
    return;
  }
  for (const auto& [name, queues] : offsets->offsets) {
    const std::size_t split = name.find('@');
    if (split == std::string::npos || std::string_view(name).substr(0, split) != record.topic)
      continue;
    const auto at = queues.find(record.queue_id);
    if (at != queues.end()) out.groups.push_back({name.substr(split + 1), at->second});
  }
}

void groups_of(fs::Fs& fs, const std::string& store, const format::Record& record,
               References& out) {
  for (const std::string_view name : format::kConsumerOffsetFiles)
    groups_in(fs, store, "config/" + std::string(name), record, out);
}

}  // namespace

std::vector<std::string_view> index_keys(std::string_view properties) {
  std::vector<std::string_view> out;
  if (const auto unique = format::find_property(properties, format::kUniqKey))
    out.push_back(*unique);
  format::for_each_key(format::find_property(properties, format::kKeys).value_or(""),
                       [&](std::string_view key) { out.push_back(key); });
  return out;
}

Result<References> find_references(fs::Fs& fs, const std::string& store,
                                   const format::Record& record) {
  References out;
  out.expects_queue = format::has_queue_entry(record.transaction_type());
  // A topic that no directory can be called is no way to one.
  const bool named = record.topic.find('/') == std::string_view::npos && record.topic != "..";
  if (out.expects_queue && named && fs.exists(store + "/consumequeue")) {
    MQ_TRY(auto batch, in_batch_queue(fs, store, record));
    if (batch) {
      out.queues.push_back(*std::move(batch));
    } else {
      MQ_TRY(auto plain, in_queue(fs, store, std::string(record.topic), record.queue_id,
                                  record.queue_offset.value(), record));
      out.queues.push_back(std::move(plain));
    }
    MQ_CHECK(in_light_queues(fs, store, record, out));
  }
  MQ_CHECK(in_index(fs, store, record, out));
  groups_of(fs, store, record, out);
  return out;
}

}  // namespace mq::inspect

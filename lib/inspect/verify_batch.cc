#include "inspect/verify_batch.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace mq::inspect {
namespace {

using format::BatchQueueEntry;

constexpr auto kEntryBytes = static_cast<std::int64_t>(BatchQueueEntry::kEncodedBytes);
constexpr std::int64_t kBufferEntries = 200;

std::string text_of(const BatchQueueEntry& e) {
  return fmt::format("offset {} size {} tag code {} stored {} base {} count {}",
                     e.commitlog_offset.value(), e.record_bytes, e.tag_code, e.store_timestamp_ms,
                     e.base.value(), e.count);
}

}  // namespace

Result<void> VerifyBatch::open() {
  MQ_TRY(auto directories, list_queues(fs_, facts_.root, "batchconsumequeue"));
  // A topic without a message has its directory all the same.
  if (const auto topics = fs_.list(facts_.root + "/batchconsumequeue"))
    for (const std::string& topic : *topics) queues_[topic];
  std::map<std::int64_t, int> lengths;
  for (const QueueDirectory& directory : directories)
    for (const QueueFile& file : directory.files) ++lengths[file.bytes];
  if (lengths.empty()) return {};
  const std::int64_t length =
      std::max_element(lengths.begin(), lengths.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
      })->first;
  for (QueueDirectory& directory : directories) {
    for (std::size_t i = 0; i < directory.files.size(); ++i) {
      const QueueFile& file = directory.files[i];
      const bool is_gap = i > 0 && directory.files[i - 1].start + length < file.start;
      if (file.bytes == length && !is_gap) continue;
      report_.add(Part::kQueues,
                  {.severity = Severity::kDamage,
                   .file = file.path,
                   .at = is_gap ? 0 : std::min(file.bytes, length),
                   .what = is_gap ? "the file before it is missing"
                                  : "the file has another length than the others; brokers refuse "
                                    "to start",
                   .expected = is_gap ? std::string() : fmt::format("{} bytes", length),
                   .found = is_gap ? std::string() : fmt::format("{} bytes", file.bytes),
                   .mend = report_.rebuild("cq")});
    }
    ++count_;
    Queue& queue = queues_[directory.topic][directory.queue];
    queue.path =
        fmt::format("{}/batchconsumequeue/{}/{}", facts_.root, directory.topic, directory.queue);
    queue.files = std::move(directory.files);
  }
  return {};
}

bool VerifyBatch::peek(Queue& queue, BatchQueueEntry& entry) {
  while (queue.file < queue.files.size()) {
    const QueueFile& file = queue.files[queue.file];
    if (queue.at + kEntryBytes > file.bytes) {
      ++queue.file;
      queue.at = queue.buffer_at = 0;
      queue.buffer.clear();
      continue;
    }
    const auto buffered = static_cast<std::int64_t>(queue.buffer.size());
    if (queue.at < queue.buffer_at || queue.at + kEntryBytes > queue.buffer_at + buffered) {
      const auto in = fs_.open(file.path, fs::OpenMode::kRead);
      queue.buffer.resize(
          static_cast<std::size_t>(std::min(kBufferEntries * kEntryBytes, file.bytes - queue.at)));
      const auto got = in ? (*in)->read_at(queue.at, queue.buffer) : Result<std::size_t>(0);
      if (!got || *got < static_cast<std::size_t>(kEntryBytes)) return false;
      queue.buffer.resize(*got);
      queue.buffer_at = queue.at;
    }
    const auto read = format::decode_batch_queue_entry(
        Bytes(queue.buffer).subspan(static_cast<std::size_t>(queue.at - queue.buffer_at)));
    if (read) {
      entry = *read;
      return true;
    }
    if (read.error().code() == Errc::kNotFound) return false;
    bad(queue, read.error().text(), "an entry", "");
    queue.at += kEntryBytes;
  }
  return false;
}

void VerifyBatch::bad(const Queue& queue, std::string what, std::string expected,
                      std::string found) {
  report_.add(Part::kQueues, {.severity = Severity::kDamage,
                              .file = queue.files[queue.file].path,
                              .at = queue.at,
                              .what = std::move(what),
                              .expected = std::move(expected),
                              .found = std::move(found),
                              .mend = report_.rebuild("cq")});
}

void VerifyBatch::record(std::string_view topic, QueueId id, const BatchQueueEntry& expected) {
  Queue& queue = queues_.find(topic)->second[id];
  if (queue.path.empty())
    queue.path = fmt::format("{}/batchconsumequeue/{}/{}", facts_.root, topic, id);
  BatchQueueEntry entry;
  while (peek(queue, entry) && entry.commitlog_offset < expected.commitlog_offset) {
    DeadStretch* const stretch = facts_.stretch_of(entry.commitlog_offset);
    if (stretch != nullptr) {
      stretch->lost += entry.count;
      if (stretch->names.size() < 3)
        stretch->names.push_back(fmt::format("{}/{}/{}", topic, id, entry.base.value()));
    } else if (entry.commitlog_offset >= facts_.begin) {
      bad(queue, "entry that points at no record of its queue", "an entry", text_of(entry));
    }
    queue.at += kEntryBytes;
    ++entries_;
  }
  const bool is_there = peek(queue, entry) && entry.commitlog_offset == expected.commitlog_offset;
  if (queue.next_base >= 0 && expected.base.value() != queue.next_base &&
      facts_.stretches.empty()) {
    report_.add(Part::kLog,
                {.severity = Severity::kDamage,
                 .file = facts_.file_at(expected.commitlog_offset),
                 .at = facts_.place_at(expected.commitlog_offset),
                 .what = fmt::format("number of the first message of a batch of {}/{}", topic, id),
                 .expected = fmt::format("{}", queue.next_base),
                 .found = fmt::format("{}", expected.base.value()),
                 .mend = report_.repair()});
  }
  queue.next_base = expected.base.value() + expected.count;
  if (!is_there) {
    if (queue.missing++ == 0) queue.missing_at = expected.commitlog_offset;
    return;
  }
  flush_missing(queue, false);
  BatchQueueEntry plain = entry;  // a compacted position may be there or not
  plain.compacted = expected.compacted;
  if (plain != expected)
    bad(queue, "entry is not that of its record", text_of(expected), text_of(entry));
  queue.at += kEntryBytes;
  ++entries_;
}

void VerifyBatch::flush_missing(Queue& queue, bool at_end) {
  if (queue.missing == 0) return;
  const bool is_normal = at_end && facts_.is_unsettled();
  const bool is_gone = queue.files.empty();
  report_.add(Part::kQueues,
              {.severity = is_normal ? Severity::kNormal : Severity::kDamage,
               .file = is_gone || queue.file >= queue.files.size() ? queue.path
                                                                   : queue.files[queue.file].path,
               .at = is_gone || queue.file >= queue.files.size() ? -1 : queue.at,
               .what = fmt::format(
                   "{} without an entry{}; the first is at {}", count_of(queue.missing, "record"),
                   is_gone ? ", and there is no such queue" : "", queue.missing_at.value()),
               .mend = is_normal ? std::string() : report_.rebuild("cq")});
  queue.missing = 0;
}

void VerifyBatch::finish() {
  for (auto& [topic, by_id] : queues_) {
    for (auto& [id, queue] : by_id) {
      flush_missing(queue, true);
      BatchQueueEntry entry;
      if (facts_.live || !peek(queue, entry)) continue;
      if (entry.commitlog_offset < facts_.begin) {  // all of its records are deleted
        while (peek(queue, entry) && entry.commitlog_offset < facts_.begin) {
          queue.at += kEntryBytes;
          ++entries_;
        }
        if (!peek(queue, entry)) continue;
      }
      report_.add(Part::kQueues,
                  {.severity = facts_.crashed ? Severity::kNormal : Severity::kDamage,
                   .file = queue.files[queue.file].path,
                   .at = queue.at,
                   .what = "entries that point at no record from here on",
                   .expected = "zeros",
                   .found = text_of(entry),
                   .mend = report_.rebuild("cq")});
    }
  }
}

}  // namespace mq::inspect

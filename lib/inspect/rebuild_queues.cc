#include "inspect/rebuild_queues.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json.h"
#include "format/names.h"

namespace mq::inspect {
namespace {

using format::ConsumeQueueEntry;

constexpr auto kEntryBytes = static_cast<std::int64_t>(ConsumeQueueEntry::kEncodedBytes);
constexpr std::size_t kNameBytesMax = 255;
// Numbers without a record right in front of one: the reference would pass over all that it reads
// together with an entry that leads nowhere, so they lead to the next record instead (see
// fill_gap).
constexpr std::int64_t kRepeatedMax = 1024;
constexpr std::size_t kIdleBytesMax = 8 << 10;  // capacity that a queue keeps when written out

}  // namespace

std::string to_string(const QueueKey& key) { return fmt::format("{}/{}", key.topic, key.id); }

bool is_directory_name(std::string_view topic) {
  return !topic.empty() && topic.size() <= kNameBytesMax && topic != "." && topic != ".." &&
         is_utf8(topic) && std::none_of(topic.begin(), topic.end(), [](char c) {
           return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
         });
}

// --- files

std::string QueueFileSink::directory(const QueueKey& queue) const {
  return fmt::format("{}/{}/{}", root_, queue.topic, queue.id);
}

Result<void> QueueFileSink::start(const QueueKey& queue, std::int64_t number) {
  if (fs_.exists(directory(queue))) {
    MQ_CHECK(fs::remove_tree(fs_, directory(queue)));
    std::erase_if(
        made_, [&](const std::string& path) { return path.starts_with(directory(queue) + "/"); });
  }
  MQ_CHECK(fs_.make_directories(directory(queue)));
  const std::int64_t position = number * kEntryBytes;
  const std::int64_t begin = position - position % file_bytes_;
  std::vector<std::byte> fillers(static_cast<std::size_t>(
      std::min<std::int64_t>(position - begin, 1 << 16) / kEntryBytes * kEntryBytes));
  for (std::size_t at = 0; at < fillers.size(); at += kEntryBytes) {
    format::encode(ConsumeQueueEntry::filler(),
                   std::span<std::byte, kEntryBytes>(fillers.data() + at, kEntryBytes));
  }
  for (std::int64_t at = begin; at < position;) {
    const auto bytes = static_cast<std::size_t>(
        std::min<std::int64_t>(position - at, static_cast<std::int64_t>(fillers.size())));
    MQ_CHECK(write(queue, at / kEntryBytes, Bytes(fillers).first(bytes)));
    at += static_cast<std::int64_t>(bytes);
  }
  return {};
}

Result<void> QueueFileSink::write_in_file(const std::string& path, std::int64_t position,
                                          Bytes entries) {
  const bool is_new = position == 0;
  MQ_TRY(const auto file,
         fs_.open(path, is_new ? fs::OpenMode::kCreate : fs::OpenMode::kReadWrite));
  if (is_new) {
    MQ_CHECK(file->truncate(file_bytes_));
    made_.push_back(path);
  }
  return file->write_at(position, entries);
}

Result<void> QueueFileSink::write(const QueueKey& queue, std::int64_t number, Bytes entries) {
  std::int64_t position = number * kEntryBytes;
  while (!entries.empty()) {
    const std::int64_t start = position - position % file_bytes_;
    const auto bytes = static_cast<std::size_t>(std::min<std::int64_t>(
        static_cast<std::int64_t>(entries.size()), start + file_bytes_ - position));
    MQ_CHECK(write_in_file(directory(queue) + "/" + format::stream_file_name(start),
                           position - start, entries.first(bytes)));
    entries = entries.subspan(bytes);
    position += static_cast<std::int64_t>(bytes);
  }
  return {};
}

Result<void> QueueFileSink::finish() {
  std::string last_directory;
  for (const std::string& path : made_) {
    MQ_TRY(const auto file, fs_.open(path, fs::OpenMode::kReadWrite));
    MQ_CHECK(file->sync());
    const std::string directory = path.substr(0, path.rfind('/'));
    if (directory == last_directory) continue;
    MQ_CHECK(fs_.sync_directory(directory));
    last_directory = directory;
  }
  return {};
}

// --- order

QueueBuilder::Queue& QueueBuilder::find(std::string_view topic, QueueId id) {
  if (last_ != nullptr && last_->key.id == id && last_->key.topic == topic) return *last_;
  auto found = queues_.find(topic);
  if (found == queues_.end()) found = queues_.try_emplace(std::string(topic)).first;
  auto& queue = found->second[id];
  if (!queue) {
    queue = std::make_unique<Queue>(QueueKey{std::string(topic), id}, options_.log_begins_at_zero);
  }
  last_ = queue.get();
  return *last_;
}

Result<void> QueueBuilder::add(std::string_view topic, QueueId id, std::int64_t number,
                               const ConsumeQueueEntry& entry) {
  Queue& queue = find(topic, id);
  Result<void> done;
  const auto explained = [&](std::int64_t count) {
    return hooks_.is_explained && hooks_.is_explained(queue.key, queue.numbering.next(), count,
                                                      queue.last_end, entry.commitlog_offset);
  };
  queue.numbering.take(number, entry, explained, [&](const QueueNumbering::Placed& placed) {
    if (done) done = place(queue, placed);
  });
  return done;
}

Result<void> QueueBuilder::place(Queue& queue, const QueueNumbering::Placed& placed) {
  using How = QueueNumbering::How;
  if (placed.how != How::kStray) ++queue.records;
  if (placed.how == How::kInOrder && queue.first >= 0) [[likely]]
    return push(queue, placed.entry);
  if (placed.how != How::kInOrder && hooks_.note) hooks_.note({queue.key, placed, queue.last_end});
  if (placed.how == How::kStray) return {};
  if (queue.first < 0 || placed.how == How::kRestart) {
    // In front of a queue's first record the log may simply not reach any further back.
    buffered_ -= queue.buffer.size();
    queue.buffer.clear();
    const std::int64_t missing = std::min(placed.missing, kRepeatedMax);
    queue.first = queue.end = placed.number - missing;
    queue.first_at = placed.entry.commitlog_offset;
    queue.records = 1;
    MQ_CHECK(sink_.start(queue.key, queue.first));
    MQ_CHECK(fill_gap(queue, missing, placed.entry));
  } else {
    MQ_CHECK(fill_gap(queue, placed.missing, placed.entry));
  }
  return push(queue, placed.entry);
}

// What stands where a record should be: the last numbers lead to the next record, so that whoever
// reads there gets it once more; an entry that leads nowhere would make the reference pass over
// real entries of the same commit log file. Only where many are missing, the ones further in front
// are fillers.
Result<void> QueueBuilder::fill_gap(Queue& queue, std::int64_t missing,
                                    const ConsumeQueueEntry& next) {
  for (; missing > 0; --missing)
    MQ_CHECK(push(queue, missing > kRepeatedMax ? ConsumeQueueEntry::filler() : next));
  return {};
}

Result<void> QueueBuilder::push(Queue& queue, const ConsumeQueueEntry& entry) {
  const std::size_t at = queue.buffer.size();
  queue.buffer.resize(at + kEntryBytes);
  format::encode(entry, std::span<std::byte, kEntryBytes>(queue.buffer.data() + at, kEntryBytes));
  ++queue.end;
  queue.last_end = entry.end();
  buffered_ += kEntryBytes;
  return buffered_ >= options_.buffer_bytes ? flush_all() : Result<void>();
}

Result<void> QueueBuilder::flush(Queue& queue) {
  if (queue.buffer.empty()) return {};
  const auto count = static_cast<std::int64_t>(queue.buffer.size()) / kEntryBytes;
  MQ_CHECK(sink_.write(queue.key, queue.end - count, queue.buffer));
  buffered_ -= queue.buffer.size();
  queue.buffer.clear();
  if (queue.buffer.capacity() > kIdleBytesMax) queue.buffer = {};
  return {};
}

Result<void> QueueBuilder::flush_all() {
  for (auto& [topic, queues] : queues_) {
    for (auto& [id, queue] : queues) MQ_CHECK(flush(*queue));
  }
  return {};
}

Result<void> QueueBuilder::finish() {
  for (auto& [topic, queues] : queues_) {
    for (auto& [id, queue] : queues) {
      Result<void> done;
      std::optional<std::int64_t> known;
      if (queue->numbering.has_held_back() && hooks_.known)
        known = hooks_.known(queue->key, queue->numbering.held_back().commitlog_offset);
      queue->numbering.finish(known, [&, &queue = *queue](const QueueNumbering::Placed& placed) {
        done = place(queue, placed);
      });
      MQ_CHECK(std::move(done));
    }
  }
  MQ_CHECK(flush_all());
  return sink_.finish();
}

std::int64_t QueueBuilder::next_number(std::string_view topic, QueueId id) const {
  const auto found = queues_.find(topic);
  if (found != queues_.end()) {
    const auto queue = found->second.find(id);
    if (queue != found->second.end()) return queue->second->numbering.next();
  }
  return options_.log_begins_at_zero ? 0 : -1;
}

std::vector<QueueBuilder::Range> QueueBuilder::ranges() const {
  std::vector<Range> out;
  for (const auto& [topic, queues] : queues_) {
    for (const auto& [id, queue] : queues) {
      if (queue->first >= 0)
        out.push_back({.queue = queue->key,
                       .first = queue->first,
                       .end = queue->end,
                       .records = queue->records,
                       .first_at = queue->first_at,
                       .last_end = queue->last_end});
    }
  }
  std::sort(out.begin(), out.end(),
            [](const Range& a, const Range& b) { return a.queue < b.queue; });
  return out;
}

}  // namespace mq::inspect

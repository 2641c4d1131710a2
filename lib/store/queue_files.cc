#include "store/queue_files.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "format/consume_queue_entry.h"
#include "format/names.h"

namespace mq::store {
namespace {

constexpr auto kEntryBytes = static_cast<std::int64_t>(format::ConsumeQueueEntry::kEncodedBytes);
constexpr std::size_t kTailKeptBytes = 4096;  // capacity that a queue may keep while it is idle

}  // namespace

std::optional<QueueId> parse_queue_id(std::string_view name) noexcept {
  QueueId id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc{} || end != name.data() + name.size() || id < 0) return std::nullopt;
  return id;
}

std::string QueueFiles::topic_directory(const ConsumeQueue& queue) const {
  return root_ + '/' + queue.topic().name;
}
std::string QueueFiles::directory(const ConsumeQueue& queue) const {
  return topic_directory(queue) + '/' + std::to_string(queue.id());
}
std::string QueueFiles::path(const ConsumeQueue& queue, std::int64_t start) const {
  return directory(queue) + '/' + format::stream_file_name(start);
}

void QueueFiles::keep(const Key& key, FilePtr file) {
  FilePtr last;  // closed outside of the lock
  MutexLock lock(mu_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    last = std::exchange(found->second->file, std::move(file));
    return;
  }
  open_.push_front(Open{key, std::move(file)});
  by_key_.emplace(key, open_.begin());
  if (open_.size() > static_cast<std::size_t>(open_max_)) {
    last = std::move(open_.back().file);
    by_key_.erase(open_.back().key);
    open_.pop_back();
  }
}

void QueueFiles::forget(const ConsumeQueue& queue, std::int64_t start) {
  MutexLock lock(mu_);
  const auto found = by_key_.find(Key{&queue, start});
  if (found == by_key_.end()) return;
  open_.erase(found->second);
  by_key_.erase(found);
}

Result<QueueFiles::FilePtr> QueueFiles::open(const ConsumeQueue& queue, std::int64_t start) {
  const Key key{&queue, start};
  {
    MutexLock lock(mu_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
      open_.splice(open_.begin(), open_, found->second);
      return found->second->file;
    }
  }
  MQ_TRY(FilePtr file, fs_.open(path(queue, start), fs::OpenMode::kReadWrite));
  keep(key, file);
  return file;
}

Result<std::size_t> QueueFiles::read(const ConsumeQueue& queue, std::int64_t position,
                                     MutableBytes out) {
  const std::int64_t start = file_start(position);
  MQ_TRY(const FilePtr file, open(queue, start));
  return file->read_at(position - start, out);
}

// A new file gets its full length at once, as the reference insists.
Result<QueueFiles::FilePtr> QueueFiles::create(const ConsumeQueue& queue, std::int64_t start) {
  const std::string name = path(queue, start);
  auto opened = fs_.open(name, fs::OpenMode::kCreate);
  if (!opened && opened.error().code() == Errc::kNotFound) {
    // Not durable yet, as the file is not: sync() and sync_all() see to both.
    MQ_CHECK(fs_.make_directories(root_));
    MQ_CHECK(fs_.make_directory(topic_directory(queue)));
    MQ_CHECK(fs_.make_directory(directory(queue)));
    opened = fs_.open(name, fs::OpenMode::kCreate);
  }
  if (!opened) return std::move(opened).error();
  FilePtr file = std::move(*opened);
  MQ_CHECK(file->truncate(0));  // whatever an earlier attempt left
  MQ_CHECK(file->truncate(file_bytes_));
  return file;
}

// Fillers in front of a queue's first entry (4.3). Fillers without a real entry behind them are
// poison to the reference, and a file that starts with zeros is simply empty to it: so everything
// else is written before the first page, which makes it all valid at once.
Result<void> QueueFiles::write_first(fs::File& file, std::int64_t fillers, Bytes entries) {
  constexpr std::int64_t kPieceEntries = 50'000;
  constexpr std::int64_t kLastEntries = 200;
  std::vector<std::byte> piece(
      static_cast<std::size_t>(std::min(fillers, kPieceEntries) * kEntryBytes));
  for (std::size_t at = 0; at < piece.size(); at += kEntryBytes) {
    format::encode(format::ConsumeQueueEntry::filler(),
                   std::span<std::byte, kEntryBytes>(piece.data() + at, kEntryBytes));
  }
  if (fillers <= kLastEntries) {
    piece.insert(piece.end(), entries.begin(), entries.end());
    return file.write_at(0, piece);
  }
  MQ_CHECK(file.write_at(fillers * kEntryBytes, entries));
  std::int64_t end = fillers;
  while (end > 0) {
    const std::int64_t count =
        end <= kLastEntries ? end : std::min(kPieceEntries, end - kLastEntries);
    MQ_CHECK(file.write_at((end - count) * kEntryBytes,
                           Bytes(piece).first(static_cast<std::size_t>(count * kEntryBytes))));
    end -= count;
  }
  return {};
}

Result<void> QueueFiles::write_piece(ConsumeQueue& queue, std::int64_t position, bool is_new,
                                     Bytes entries) {
  const std::int64_t start = file_start(position);
  if (!is_new) {
    MQ_TRY(const FilePtr file, open(queue, start));
    return file->write_at(position - start, entries);
  }
  auto created = create(queue, start);
  const auto write = [&]() -> Result<void> {
    if (!created) return created.error();
    if (position == start) return (*created)->write_at(0, entries);
    return write_first(**created, (position - start) / kEntryBytes, entries);
  };
  if (auto done = write(); !done) {
    (void)fs_.remove(path(queue, start));  // never an empty last file (trap 2)
    return done;
  }
  keep(Key{&queue, start}, std::move(*created));
  return {};
}

Result<void> QueueFiles::write_out(ConsumeQueue& queue, std::int64_t& written) {
  for (;;) {
    Bytes entries;
    std::int64_t position = 0;
    bool is_new = false;
    {
      MutexLock lock(queue.mu_);
      if (queue.writing_.empty()) {
        if (queue.tail_.empty()) {
          if (queue.tail_.capacity() > kTailKeptBytes) queue.tail_ = {};
          if (queue.writing_.capacity() > kTailKeptBytes) queue.writing_ = {};
          return {};
        }
        queue.writing_.swap(queue.tail_);
      }
      position = queue.written_ * kEntryBytes;
      is_new = queue.last_file_ == ConsumeQueue::kNoFile || file_start(position) > queue.last_file_;
      const std::int64_t room = file_start(position) + file_bytes_ - position;
      entries = queue.writing_;
      entries = entries.first(std::min(entries.size(), static_cast<std::size_t>(room)));
    }
    // `entries` stays put: only this function, under the set's file lock, changes writing_.
    MQ_CHECK(write_piece(queue, position, is_new, entries));
    const auto count = static_cast<std::int64_t>(entries.size()) / kEntryBytes;
    MutexLock lock(queue.mu_);
    queue.written_ += count;
    written += count;
    if (is_new) {
      queue.last_file_ = file_start(position);
      if (queue.first_file_ == ConsumeQueue::kNoFile) queue.first_file_ = queue.last_file_;
      queue.has_new_file_ = true;
    }
    if (entries.size() == queue.writing_.size()) {
      queue.writing_.clear();
    } else {
      queue.writing_.erase(queue.writing_.begin(),
                           queue.writing_.begin() + static_cast<std::ptrdiff_t>(entries.size()));
    }
  }
}

Result<void> QueueFiles::sync(ConsumeQueue& queue) {
  std::int64_t written = 0;
  std::int64_t synced = 0;
  std::int64_t first = 0;
  bool has_new_file = false;
  {
    MutexLock lock(queue.mu_);
    written = queue.written_;
    synced = queue.synced_;
    first = queue.first_file_;
    has_new_file = std::exchange(queue.has_new_file_, false);
  }
  if (first == ConsumeQueue::kNoFile || written <= synced) return {};
  const std::int64_t from = std::max(first, file_start(synced * kEntryBytes));
  for (std::int64_t start = from; start < written * kEntryBytes; start += file_bytes_) {
    auto file = open(queue, start);
    if (!file && file.error().code() == Errc::kNotFound) continue;  // deleted meanwhile
    if (!file) return std::move(file).error();
    MQ_CHECK((*file)->sync());
  }
  if (has_new_file) {
    for (const std::string& each : {directory(queue), topic_directory(queue), root_}) {
      auto done = fs_.sync_directory(each);
      if (!done && done.error().code() != Errc::kNotFound) return done;
    }
  }
  MutexLock lock(queue.mu_);
  queue.synced_ = std::min(written, queue.written_);
  return {};
}

Result<void> QueueFiles::sync_all(std::span<ConsumeQueue* const> queues) {
  std::vector<std::int64_t> written;
  written.reserve(queues.size());
  for (ConsumeQueue* queue : queues) {
    MutexLock lock(queue->mu_);
    written.push_back(queue->written_);
    queue->has_new_file_ = false;
  }
  MQ_CHECK(fs_.sync_all(root_));
  for (std::size_t i = 0; i < queues.size(); ++i) {
    MutexLock lock(queues[i]->mu_);
    queues[i]->synced_ = std::min(written[i], queues[i]->written_);
  }
  return {};
}

Result<void> QueueFiles::remove(const ConsumeQueue& queue, std::int64_t start) {
  forget(queue, start);
  auto removed = fs_.remove(path(queue, start));
  if (!removed && removed.error().code() == Errc::kNotFound) return {};
  return removed;
}

Result<void> QueueFiles::remove_all(const ConsumeQueue& queue) {
  {
    MutexLock lock(mu_);
    for (auto at = open_.begin(); at != open_.end();) {
      if (at->key.queue != &queue) {
        ++at;
        continue;
      }
      by_key_.erase(at->key);
      at = open_.erase(at);
    }
  }
  return fs::remove_tree(fs_, directory(queue));
}

}  // namespace mq::store

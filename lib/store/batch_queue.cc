#include "store/batch_queue.h"

#include <algorithm>
#include <array>

#include "format/names.h"

namespace mq::store {
namespace {

constexpr std::int64_t kPieceEntries = 4096;
constexpr std::size_t kOpenFiles = 2;  // of a queue: the one written, and the one read

std::int64_t end_of(const format::BatchQueueEntry& e) {
  return e.commitlog_offset.value() + e.record_bytes;
}

}  // namespace

std::string BatchQueue::path(std::int64_t start) const {
  return directory_ + "/" + format::stream_file_name(start);
}

Result<std::shared_ptr<fs::File>> BatchQueue::open(File& file) {
  if (file.file == nullptr) {
    std::size_t open = 0;
    for (File& each : files_) {
      if (each.file != nullptr && &each != &files_.back() && ++open + 1 >= kOpenFiles)
        each.file.reset();
    }
    MQ_TRY(file.file, fs_.open(path(file.start), fs::OpenMode::kReadWrite));
  }
  return file.file;
}

std::int64_t BatchQueue::written() const {
  std::int64_t n = 0;
  for (const File& file : files_) n += file.count;
  return n;
}

// --- opening -------------------------------------------------------------------------------------

// How many entries stand at its front, each behind the one before it.
Result<std::int64_t> BatchQueue::good_entries(File& file, std::int64_t bytes) {
  MQ_TRY(const auto open, this->open(file));
  std::vector<std::byte> raw(static_cast<std::size_t>(kPieceEntries * kBytes));
  std::int64_t n = 0;
  std::int64_t last = -1;
  while (n < std::min(bytes / kBytes, per_file())) {
    MQ_TRY(const std::size_t got, open->read_at(n * kBytes, raw));
    for (std::size_t at = 0; at + Entry::kEncodedBytes <= got; at += Entry::kEncodedBytes, ++n) {
      const auto e = format::decode_batch_queue_entry(Bytes(raw).subspan(at, Entry::kEncodedBytes));
      if (!e || e->commitlog_offset.value() <= last) return n;
      last = e->commitlog_offset.value();
    }
    if (got < raw.size()) break;
  }
  return std::min(n, per_file());
}

Result<void> BatchQueue::load() {
  const MutexLock lock(mu_);
  auto names = fs_.list(directory_);
  if (!names) return {};
  for (const std::string& name : *names) {
    if (const auto start = format::parse_stream_file_name(name))
      files_.push_back({.start = *start});
  }
  std::sort(files_.begin(), files_.end(),
            [](const File& a, const File& b) { return a.start < b.start; });
  for (File& file : files_) {
    MQ_TRY(const fs::Stat stat, fs_.stat(path(file.start)));
    MQ_TRY(file.count, good_entries(file, stat.bytes));
    // What stands behind a file that is not full counts for nothing: cut() removes it.
    if (file.count < per_file()) break;
  }
  return {};
}

Result<std::int64_t> BatchQueue::max_physical(std::int64_t log_end) {
  const MutexLock lock(mu_);
  for (std::int64_t n = count(); n > 0; --n) {
    MQ_TRY(const Entry e, entry(n - 1));
    if (end_of(e) <= log_end) return end_of(e);
  }
  return -1;
}

Result<bool> BatchQueue::cut(std::int64_t limit,
                             const std::function<bool(const Entry&)>& is_borne_out) {
  const MutexLock lock(mu_);
  MQ_TRY(std::int64_t kept,
         first_where([limit](const Entry& e) { return e.commitlog_offset.value() >= limit; }));
  const bool is_long = kept < count();
  const std::int64_t before = kept;
  for (; kept > 0; --kept) {
    MQ_TRY(const Entry e, entry(kept - 1));
    if (is_borne_out(e)) break;
  }
  const bool has_surplus =
      std::any_of(files_.begin(), files_.end(), [](const File& file) { return file.count == 0; });
  if (is_long || kept < before || has_surplus) MQ_CHECK(keep(kept));
  return kept < before;
}

// Nothing that looks like an entry stays behind them, and no file without any.
Result<void> BatchQueue::keep(std::int64_t entries) {
  std::int64_t before = written();
  while (!files_.empty()) {
    File& last = files_.back();
    before -= last.count;
    if (before < entries) {
      last.count = entries - before;
      MQ_TRY(const auto file, open(last));
      dirty_from_ = std::min(dirty_from_, last.start);
      MQ_CHECK(file->truncate(last.count * kBytes));
      return file->truncate(file_bytes_);
    }
    const std::string name = path(last.start);
    files_.pop_back();
    if (auto done = fs_.remove(name); !done && done.error().code() != Errc::kNotFound) return done;
  }
  return {};
}

// --- dispatch ------------------------------------------------------------------------------------

void BatchQueue::append(const Entry& entry) {
  const MutexLock lock(mu_);
  tail_.push_back(entry);
}

std::size_t BatchQueue::pending() const {
  const MutexLock lock(mu_);
  return tail_.size();
}

// The last file while it has room, or a new one of full length.
Result<BatchQueue::File*> BatchQueue::file_for_next() {
  if (!files_.empty() && files_.back().count < per_file()) return &files_.back();
  const std::int64_t start = files_.empty() ? 0 : files_.back().start + file_bytes_;
  auto opened = fs_.open(path(start), fs::OpenMode::kCreate);
  if (!opened && opened.error().code() == Errc::kNotFound) {
    MQ_CHECK(fs_.make_directories(directory_));
    opened = fs_.open(path(start), fs::OpenMode::kCreate);
  }
  if (!opened) return std::move(opened).error();
  MQ_CHECK((*opened)->truncate(0));  // whatever an earlier attempt left
  MQ_CHECK((*opened)->truncate(file_bytes_));
  files_.push_back({.start = start, .count = 0, .file = *std::move(opened)});
  has_new_file_ = true;
  return &files_.back();
}

Result<void> BatchQueue::write_out() {
  const MutexLock lock(mu_);
  std::vector<std::byte> raw;
  while (!tail_.empty()) {
    MQ_TRY(File* const to, file_for_next());
    const auto n = static_cast<std::size_t>(
        std::min(static_cast<std::int64_t>(tail_.size()), per_file() - to->count));
    raw.resize(n * Entry::kEncodedBytes);
    for (std::size_t i = 0; i < n; ++i) {
      format::encode(tail_[i], std::span<std::byte, Entry::kEncodedBytes>(
                                   raw.data() + i * Entry::kEncodedBytes, Entry::kEncodedBytes));
    }
    MQ_TRY(const auto file, open(*to));
    if (auto done = file->write_at(to->count * kBytes, raw); !done) {
      if (to->count == 0) {  // never an empty last file
        (void)fs_.remove(path(to->start));
        files_.pop_back();
      }
      return done;
    }
    to->count += static_cast<std::int64_t>(n);
    tail_.erase(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(n));
    dirty_from_ = std::min(dirty_from_, to->start);
  }
  return {};
}

Result<void> BatchQueue::sync() {
  std::vector<std::shared_ptr<fs::File>> files;
  bool has_new_file = false;
  {
    const MutexLock lock(mu_);
    const std::int64_t from = std::exchange(dirty_from_, kClean);
    if (from == kClean) return {};
    has_new_file = std::exchange(has_new_file_, false);
    for (File& file : files_) {
      if (file.start < from) continue;
      MQ_TRY(auto opened, open(file));
      files.push_back(std::move(opened));
    }
  }
  for (const auto& file : files) MQ_CHECK(file->sync());
  if (!has_new_file) return {};
  // Its queue, its topic, and all topics.
  std::string each = directory_;
  for (int level = 0; level < 3; ++level, each.resize(each.rfind('/'))) {
    auto done = fs_.sync_directory(each);
    if (!done && done.error().code() != Errc::kNotFound) return done;  // deleted meanwhile
    if (each.find('/') == std::string::npos) break;
  }
  return {};
}

// --- reads ---------------------------------------------------------------------------------------

Result<std::size_t> BatchQueue::entries(std::int64_t n, std::span<Entry> out) {
  const std::int64_t in_files = written();
  if (n >= in_files) {
    const auto from = static_cast<std::size_t>(n - in_files);
    const std::size_t got = std::min(out.size(), tail_.size() - from);
    std::copy_n(tail_.begin() + static_cast<std::ptrdiff_t>(from), got, out.begin());
    return got;
  }
  for (File& file : files_) {
    if (n >= file.count) {
      n -= file.count;
      continue;
    }
    std::array<std::byte, 64 * Entry::kEncodedBytes> raw;  // NOLINT: filled by read
    const auto want = std::min(
        {out.size(), static_cast<std::size_t>(file.count - n), raw.size() / Entry::kEncodedBytes});
    MQ_TRY(const auto open, this->open(file));
    MQ_TRY(const std::size_t got,
           open->read_at(n * kBytes, MutableBytes(raw).first(want * Entry::kEncodedBytes)));
    for (std::size_t i = 0; i < got / Entry::kEncodedBytes; ++i) {
      MQ_TRY(out[i], format::decode_batch_queue_entry(
                         Bytes(raw).subspan(i * Entry::kEncodedBytes, Entry::kEncodedBytes)));
    }
    return got / Entry::kEncodedBytes;
  }
  return std::size_t{0};
}

Result<BatchQueue::Entry> BatchQueue::entry(std::int64_t n) {
  Entry one;
  MQ_TRY(const std::size_t got, entries(n, std::span(&one, 1)));
  if (got == 0) return Error{Errc::kNotFound};
  return one;
}

Result<std::int64_t> BatchQueue::first_where(const std::function<bool(const Entry&)>& is_behind) {
  std::int64_t low = 0;
  std::int64_t high = count();
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    MQ_TRY(const Entry e, entry(middle));
    if (is_behind(e)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

Result<std::size_t> BatchQueue::read(std::int64_t at, std::span<Entry> out) {
  const MutexLock lock(mu_);
  // Whoever reads on finds its entry where the last read ended.
  std::int64_t n = hint_;
  const auto hinted = n < count() ? entry(n) : Result<Entry>(Error{Errc::kNotFound});
  if (!hinted || hinted->base.value() > at || hinted->base.value() + hinted->count <= at) {
    MQ_TRY(n, first_where([at](const Entry& e) { return e.base.value() + e.count > at; }));
    if (n == count()) return std::size_t{0};
  }
  MQ_TRY(const std::size_t got, entries(n, out));
  hint_ = n + static_cast<std::int64_t>(got);
  return got;
}

Result<std::int32_t> BatchQueue::expire(std::int64_t log_begin, std::int64_t& min) {
  const MutexLock lock(mu_);
  MQ_TRY(std::int64_t gone, first_where([log_begin](const Entry& e) {
           return e.commitlog_offset.value() >= log_begin;
         }));
  if (gone < count()) {
    MQ_TRY(const Entry first, entry(gone));
    min = first.base.value();
  } else if (gone > 0) {
    MQ_TRY(const Entry last, entry(gone - 1));
    min = last.base.value() + last.count;
  }
  std::int32_t deleted = 0;
  while (files_.size() > 1 && files_.front().count <= gone) {
    gone -= files_.front().count;
    hint_ = std::max<std::int64_t>(0, hint_ - files_.front().count);
    const std::string name = path(files_.front().start);
    files_.erase(files_.begin());
    MQ_CHECK(fs_.remove(name));
    ++deleted;
  }
  return deleted;
}

Result<void> BatchQueue::clear() {
  const MutexLock lock(mu_);
  files_.clear();
  tail_.clear();
  hint_ = 0;
  dirty_from_ = kClean;
  has_new_file_ = false;
  return fs::remove_tree(fs_, directory_);
}

Result<BatchQueue::Ends> BatchQueue::ends() {
  const MutexLock lock(mu_);
  if (count() == 0) return Ends{};
  MQ_TRY(const Entry first, entry(0));
  MQ_TRY(const Entry last, entry(count() - 1));
  return Ends{first.base.value(), last.base.value() + last.count, end_of(last)};
}

}  // namespace mq::store

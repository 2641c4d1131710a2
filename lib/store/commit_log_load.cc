// Opening the directory of a commit log, and settling where it ends.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "format/names.h"
#include "store/commit_log.h"

namespace mq::store {
namespace {

// Stands here while mqdump changes the store: what is there may be half of the change.
constexpr std::string_view kChangeJournal = "mqdump.journal";
constexpr std::int64_t kPageBytes = 4096;
constexpr std::size_t kProbeBytes = 1 << 20;

struct Found {
  PhysicalOffset start{};
  std::string path;
  std::int64_t bytes = 0;
};

// The files that have a log file's name, sorted; all else is named in `notes`.
Result<std::vector<Found>> list_files(fs::Fs& fs, const std::string& directory,
                                      std::vector<std::string>& notes) {
  std::vector<Found> out;
  MQ_TRY(const auto names, fs.list(directory));
  for (const std::string& name : names) {
    const std::string path = directory + '/' + name;
    MQ_TRY(const fs::Stat stat, fs.stat(path));
    const auto start = format::parse_stream_file_name(name);
    if (stat.is_directory) continue;
    if (name == kChangeJournal) {
      return Error{
          Errc::kUnavailable,
          fmt::format("{}: a repair of this store was interrupted; `mqdump repair --write` "
                      "completes it",
                      path)};
    }
    if (!start) {
      notes.push_back(fmt::format("{}: not a commit log file, passed over", path));
      continue;
    }
    out.push_back({PhysicalOffset(*start), path, stat.bytes});
  }
  std::ranges::sort(out, {}, &Found::start);
  return out;
}

// Sizes that can only mean another mappedFileSizeCommitLog than the configured one.
Result<void> check_sizes(const std::vector<Found>& files, std::int64_t file_bytes) {
  bool any_fits = files.empty();
  for (const Found& file : files) {
    any_fits = any_fits || file.bytes == file_bytes || file.bytes == 0;
    if (file.start.value() % file_bytes != 0 || file.bytes > file_bytes) {
      return Error{Errc::kCorrupt,
                   fmt::format("{}: a file of {} bytes does not belong to a log with "
                               "mappedFileSizeCommitLog={}; set the size that it was written with",
                               file.path, file.bytes, file_bytes)};
    }
  }
  // One short file is a cut one; when all have another size, and a round one, they were made so.
  if (!any_fits && files.front().bytes % kPageBytes == 0) {
    return Error{
        Errc::kCorrupt,
        fmt::format("{}: {} bytes, but mappedFileSizeCommitLog={}; if the size is right and "
                    "the file was cut, extend it with `truncate -s {}`",
                    files.front().path, files.front().bytes, file_bytes, file_bytes)};
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<CommitLog>> CommitLog::open(const CommitLogOptions& options,
                                                   std::vector<std::string>& notes) {
  std::unique_ptr<CommitLog> log(new CommitLog(options));
  MQ_CHECK(log->load(notes));
  return log;
}

Result<void> CommitLog::load(std::vector<std::string>& notes) {
  fs::Fs& fs = *options_.fs;
  MQ_CHECK(fs.make_directories(options_.path));
  MQ_TRY(auto files, list_files(fs, options_.path, notes));
  MQ_CHECK(check_sizes(files, options_.file_bytes));
  while (!files.empty() && files.back().bytes == 0) {
    notes.push_back(fmt::format("{}: empty, removed", files.back().path));
    MQ_CHECK(fs.remove(files.back().path));
    files.pop_back();
  }
  for (const Found& found : files) {
    if (found.bytes != options_.file_bytes) {
      notes.push_back(fmt::format("{}: {} bytes, extended with zeros to {}", found.path,
                                  found.bytes, options_.file_bytes));
      MQ_TRY(const auto file, fs.open(found.path, fs::OpenMode::kReadWrite));
      MQ_CHECK(file->truncate(options_.file_bytes));
      MQ_CHECK(file->sync());
    }
    if (const SegmentPtr before = segments_.back(); before && before->end() != found.start) {
      notes.push_back(fmt::format("{}: the file before it is missing: {} to {} is lost", found.path,
                                  before->end().value(), found.start.value()));
    }
    MQ_TRY(auto segment, Segment::open(fs, found.path, found.start, options_.file_bytes));
    segments_.push_back(std::move(segment));
  }
  if (files.empty()) return {};
  begin_.store(segments_.front()->start().value(), std::memory_order_release);
  written_.store(segments_.back()->end().value(), std::memory_order_release);
  flushed_.store(segments_.back()->end().value(), std::memory_order_release);
  return {};
}

// Zeros [position, end) of a file, by cutting it there and giving it its length back, unless zeros
// stand there: what lies behind the end and looks like a record could become one when the log has
// grown up to it (trap 28). Such remains start right at the end, so that a look at the next MiB
// tells; after a crash, that is not relied upon. Returns how far behind `position` there was
// something.
Result<std::int64_t> CommitLog::clear_behind(Segment& segment, std::int64_t position,
                                             bool thoroughly) {
  const auto rest = static_cast<std::size_t>(segment.bytes() - position);
  const Bytes probe =
      segment.data().subspan(static_cast<std::size_t>(position), std::min(rest, kProbeBytes));
  const auto last = std::find_if(probe.rbegin(), probe.rend(),
                                 [](std::byte byte) { return byte != std::byte{0}; });
  if (last == probe.rend() && !thoroughly) return 0;
  MQ_CHECK(segment.file().truncate(position));
  MQ_CHECK(segment.file().truncate(segment.bytes()));
  MQ_CHECK(segment.file().sync());
  return probe.rend() - last;
}

Result<std::int64_t> CommitLog::truncate(PhysicalOffset end, std::int64_t last_store_time_ms,
                                         bool thoroughly) {
  std::int64_t cut = 0;
  bool has_removed = false;
  for (SegmentPtr last = segments_.back(); last && last->start() >= end; last = segments_.back()) {
    segments_.pop_back();
    MQ_CHECK(options_.fs->remove(last->path()));
    has_removed = true;
  }
  if (has_removed) MQ_CHECK(options_.fs->sync_directory(options_.path));
  if (const SegmentPtr last = segments_.back(); last && last->end() > end) {
    MQ_TRY(cut, clear_behind(*last, end - last->start(), thoroughly));
    AppendGuard guard(append_lock_);
    tail_ = last;
  }
  if (thoroughly) {
    // What a killed process wrote may be in the page cache alone, in any file; what is appended
    // from now on must not be on disk while a record before it is not: recovery would end there.
    for (const SegmentPtr& segment : segments_.all()) MQ_CHECK(segment->file().sync());
  }
  const SegmentPtr first = segments_.front();
  begin_.store(first ? first->start().value() : end.value(), std::memory_order_release);
  written_.store(end.value(), std::memory_order_release);
  flushed_.store(end.value(), std::memory_order_release);
  last_store_time_.store(last_store_time_ms, std::memory_order_relaxed);
  return cut;
}

}  // namespace mq::store

#include "inspect/log_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "format/names.h"

namespace mq::inspect {
bool is_held(fs::Fs& fs, const std::string& lock) {
  const auto holder = fs.lock_holder(lock);
  return holder && *holder;
}

Result<format::Record> good_record(Bytes in, PhysicalOffset at) {
  MQ_TRY(const format::Record record, format::decode_record(in, format::CheckBody::kCrc));
  if (record.physical_offset != at) {
    return Error{Errc::kCorrupt,
                 fmt::format("a record of position {} stands here: stale data of another time",
                             record.physical_offset.value())};
  }
  return record;
}

Result<std::unique_ptr<LogReader>> LogReader::open(fs::Fs& fs, const std::string& path,
                                                   Cache cache) {
  std::unique_ptr<LogReader> reader(new LogReader(fs, cache, path));
  reader->live_ = is_held(fs, path + "/lock") || is_held(fs, path + "/../lock");
  MQ_CHECK(reader->refresh());
  return reader;
}

Result<void> LogReader::refresh() {
  files_.clear();
  MQ_TRY(const fs::Stat stat, fs_.stat(path_));
  if (!stat.is_directory) return add_single(path_);
  if (fs_.exists(path_ + "/commitlog")) return list(path_ + "/commitlog");
  MQ_CHECK(list(path_));
  if (files_.empty())
    return Error{Errc::kNotFound, path_ + ": no store: there is no commitlog directory in it"};
  return {};
}

Result<void> LogReader::list(const std::string& directory) {
  MQ_TRY(const auto names, fs_.list(directory));
  for (const std::string& name : names) {
    const auto start = format::parse_stream_file_name(name);
    if (!start) continue;
    auto stat = fs_.stat(directory + "/" + name);
    if (!stat && stat.error().code() == Errc::kNotFound) continue;  // deleted a moment ago
    if (!stat) return std::move(stat).error();
    if (!stat->is_directory && stat->bytes > 0 && *start <= INT64_MAX - stat->bytes)
      files_.push_back({directory + "/" + name, PhysicalOffset(*start), stat->bytes});
  }
  return {};
}

// A copied file may have any name: its first record says where it belongs.
Result<void> LogReader::add_single(const std::string& path) {
  MQ_TRY(const fs::Stat stat, fs_.stat(path));
  if (stat.bytes == 0) return Error{Errc::kNotFound, path + ": empty"};
  const std::size_t slash = path.rfind('/');
  auto start =
      format::parse_stream_file_name(path.substr(slash == std::string::npos ? 0 : slash + 1));
  if (!start) {
    files_.push_back({path, PhysicalOffset(0), stat.bytes});
    MQ_TRY(const Bytes bytes, bytes_from(PhysicalOffset(0)));
    auto record = format::decode_record(bytes, format::CheckBody::kNo);
    if (!record)
      return Error{Errc::kCorrupt, fmt::format("{}: does not begin with a record: {}", path,
                                               record.error().text())};
    start = record->physical_offset.value();
    open_.reset();
    files_.clear();
  }
  files_.push_back({path, PhysicalOffset(*start), stat.bytes});
  return {};
}

PhysicalOffset LogReader::begin() const noexcept {
  return files_.empty() ? PhysicalOffset(0) : files_.front().start;
}
PhysicalOffset LogReader::end_of_files() const noexcept {
  return files_.empty() ? PhysicalOffset(0) : files_.back().start + files_.back().bytes;
}

const LogFile* LogReader::file_of(PhysicalOffset at) const {
  const auto behind = std::upper_bound(
      files_.begin(), files_.end(), at,
      [](PhysicalOffset wanted, const LogFile& file) { return wanted < file.start; });
  if (behind == files_.begin()) return nullptr;
  const LogFile& file = *std::prev(behind);
  return at < file.start + file.bytes ? &file : nullptr;
}

std::string LogReader::where(PhysicalOffset at) const {
  const LogFile* file = file_of(at);
  if (file == nullptr) return fmt::format("{}", at.value());
  return fmt::format("{} at {}", file->path, at - file->start);
}

LogReader::Open::~Open() {
  mapping.reset();
  if (file) cache.drop(*file, 0, log.bytes);
}

Result<std::shared_ptr<LogReader::Open>> LogReader::open_file(const LogFile& file) {
  if (open_ && open_->log.path == file.path && open_->log.start == file.start &&
      open_->log.bytes == file.bytes)
    return open_;
  open_.reset();
  auto open = std::make_shared<Open>();
  open->log = file;
  MQ_TRY(open->file, fs_.open(file.path, fs::OpenMode::kRead));
  if (cache_ == Cache::kDrop) open->cache = CacheKeeper::of(*open->file, file.bytes);
  MQ_TRY(open->mapping, open->file->map(file.bytes, fs::MapMode::kRead));
  open->mapping->advise(fs::Mapping::Advice::kSequential);
  open_ = open;
  return open;
}

Result<Bytes> LogReader::bytes_from(PhysicalOffset at) {
  const LogFile* file = file_of(at);
  if (file == nullptr) return Bytes();
  MQ_TRY(const auto open, open_file(*file));
  // Reads that go forward leave no more in memory than a walk does; released pages come back with
  // the same bytes when a view of them is still in use.
  const auto offset = static_cast<std::size_t>(at - file->start);
  open->released = std::min(open->released, offset);
  release(*open, offset);
  return Bytes(open->mapping->bytes()).subspan(offset);
}

Result<PhysicalOffset> LogReader::next_good(PhysicalOffset at) {
  const LogFile* file = file_of(at);
  if (file == nullptr) return Error{Errc::kNotFound, fmt::format("no file holds {}", at.value())};
  const PhysicalOffset start = file->start;
  MQ_TRY(const auto open, open_file(*file));
  return start + static_cast<std::int64_t>(next_good(*open, static_cast<std::size_t>(at - start)));
}

Result<PhysicalOffset> LogReader::next_data(PhysicalOffset at) {
  const LogFile* file = file_of(at);
  if (file == nullptr) return Error{Errc::kNotFound, fmt::format("no file holds {}", at.value())};
  MQ_TRY(const auto open, open_file(*file));
  MQ_TRY(const std::int64_t found, open->file->next_data(at - file->start));
  return file->start + std::clamp<std::int64_t>(found, at - file->start, file->bytes);
}

bool LogReader::faulted() const { return open_ && open_->mapping->faulted(); }

Result<format::Record> LogReader::record_at(PhysicalOffset at) {
  MQ_TRY(const Bytes bytes, bytes_from(at));
  if (bytes.empty()) {
    return Error{Errc::kNotFound,
                 fmt::format("no record at {}: the commit log's files hold {} to {}", at.value(),
                             begin().value(), end_of_files().value())};
  }
  auto record = good_record(bytes, at);
  if (!record) return std::move(record).error().within(where(at));
  return record;
}

void LogReader::release(Open& open, std::size_t before) {
  if (before < open.released + static_cast<std::size_t>(kResidentBytes)) return;
  const auto from = static_cast<std::int64_t>(open.released);
  const auto to = static_cast<std::int64_t>(before);
  open.mapping->release(from, to - from);
  open.cache.drop(*open.file, from, to);
  open.released = before;
}

}  // namespace mq::inspect

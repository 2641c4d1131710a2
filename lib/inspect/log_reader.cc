#include "inspect/log_reader.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "format/names.h"

namespace mq::inspect {
namespace {

// The bytes that both magics of a record begin with; they stand 4 bytes into it.
constexpr std::array<std::byte, 3> kMagic = {std::byte{0xDA}, std::byte{0xA3}, std::byte{0x20}};
constexpr std::size_t kMagicAt = 4;
constexpr std::size_t kPositionAt = 28;  // of the record's own physical offset

bool is_zero(Bytes in) {
  return in.empty() ||
         (in[0] == std::byte{0} && std::memcmp(in.data(), in.data() + 1, in.size() - 1) == 0);
}

}  // namespace

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
  std::unique_ptr<LogReader> reader(new LogReader(fs, cache));
  MQ_TRY(const fs::Stat stat, fs.stat(path));
  if (!stat.is_directory) {
    MQ_CHECK(reader->add_single(path));
  } else if (fs.exists(path + "/commitlog")) {
    MQ_CHECK(reader->list(path + "/commitlog"));
  } else {
    MQ_CHECK(reader->list(path));
    if (reader->files_.empty())
      return Error{Errc::kNotFound, path + ": no store: there is no commitlog directory in it"};
  }
  return reader;
}

Result<void> LogReader::list(const std::string& directory) {
  MQ_TRY(const auto names, fs_.list(directory));
  for (const std::string& name : names) {
    const auto start = format::parse_stream_file_name(name);
    if (!start) continue;
    MQ_TRY(const fs::Stat stat, fs_.stat(directory + "/" + name));
    if (!stat.is_directory && stat.bytes > 0 && *start <= INT64_MAX - stat.bytes)
      files_.push_back({directory + "/" + name, PhysicalOffset(*start), stat.bytes});
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
  // The last that begins before it: one that is too long reaches into the next.
  for (auto file = files_.rbegin(); file != files_.rend(); ++file) {
    if (at >= file->start) return at < file->start + file->bytes ? &*file : nullptr;
  }
  return nullptr;
}

std::string LogReader::where(PhysicalOffset at) const {
  const LogFile* file = file_of(at);
  if (file == nullptr) return fmt::format("{}", at.value());
  return fmt::format("{} at {}", file->path, at - file->start);
}

LogReader::Open::~Open() {
  mapping.reset();
  if (file) cache.drop(*file, 0, log->bytes);
}

Result<std::shared_ptr<LogReader::Open>> LogReader::open_file(const LogFile& file) {
  if (open_ && open_->log == &file) return open_;
  open_.reset();
  auto open = std::make_shared<Open>();
  open->log = &file;
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
  MQ_TRY(const auto open, open_file(*file));
  const std::size_t found = next_good(*open, static_cast<std::size_t>(at - file->start));
  return file->start + static_cast<std::int64_t>(found);
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

std::size_t LogReader::next_good(Open& open, std::size_t from) const {
  constexpr std::size_t kWindow = 1 << 20;
  const Bytes in = open.mapping->bytes();
  std::size_t window_end = 0;
  for (std::size_t at = from + kMagicAt; at + kMagic.size() <= in.size();) {
    if (at >= window_end) {
      // Nothing starts in a hole, and most of a store's newest file is one.
      if (auto data = open.file->next_data(static_cast<std::int64_t>(at)))
        at = std::max(at, static_cast<std::size_t>(*data));
      if (at >= in.size()) break;
      window_end = std::min(in.size(), at + kWindow);
      release(open, at);
    }
    const void* hit = memmem(in.data() + at, window_end - at, kMagic.data(), kMagic.size());
    if (hit == nullptr) {
      if (window_end == in.size()) break;
      at = window_end - (kMagic.size() - 1);  // a magic may have been cut in two
      window_end = 0;
      continue;
    }
    const auto found = static_cast<std::size_t>(static_cast<const std::byte*>(hit) - in.data());
    const std::size_t candidate = found - kMagicAt;
    const PhysicalOffset position = open.log->start + static_cast<std::int64_t>(candidate);
    const Bytes rest = in.subspan(candidate);
    // The stored position first: it costs nothing, and a body full of magics has none that fits.
    if (rest.size() >= kPositionAt + sizeof(std::int64_t) &&
        load_be<std::int64_t>(rest.data() + kPositionAt) == position.value() &&
        good_record(rest, position))
      return candidate;
    at = found + 1;
  }
  return in.size();
}

void LogReader::release(Open& open, std::size_t before) const {
  if (before < open.released + static_cast<std::size_t>(kResidentBytes)) return;
  const auto at = static_cast<std::int64_t>(open.released);
  const auto bytes = static_cast<std::int64_t>(before - open.released);
  open.mapping->release(at, bytes);
  open.cache.drop(*open.file, at, at + bytes);
  open.released = before;
}

Result<bool> LogReader::is_unused(std::size_t number) {
  if (number >= files_.size()) return true;
  MQ_TRY(const auto file, fs_.open(files_[number].path, fs::OpenMode::kRead));
  std::array<std::byte, format::kBlankHeadBytes> head{};
  MQ_TRY(const std::size_t got, file->read_at(0, head));
  return is_zero(Bytes(head).first(got));
}

Result<std::size_t> LogReader::pass_over(std::size_t number, Open& open, std::size_t at,
                                         const Pass& pass) {
  const Bytes in = open.mapping->bytes();
  const Bytes rest = in.subspan(at);
  const PhysicalOffset position = open.log->start + static_cast<std::int64_t>(at);
  if (format::record_kind(rest) == format::RecordKind::kBlank) {
    const auto bytes = load_be<std::int32_t>(rest.data());
    if (bytes != static_cast<std::int64_t>(rest.size())) {
      pass.tell(position,
                fmt::format("a blank of {} bytes, {} are left in the file", bytes, rest.size()),
                true);
    }
    return in.size();
  }
  const auto refused = good_record(rest, position);
  const std::size_t next = next_good(open, at);
  // Zeros to the end of the newest file that is used are how it is meant to be.
  if (next == in.size() && is_zero(rest.first(std::min<std::size_t>(rest.size(), 8)))) {
    MQ_TRY(const bool newest, is_unused(number + 1));
    pass.tell(position,
              newest ? "end of the log: zeros from here"
                     : "zeros to the end of the file, and files follow",
              !newest);
    return next;
  }
  pass.tell(position,
            fmt::format("{}; {}", refused ? std::string() : refused.error().text(),
                        next == in.size() ? std::string("nothing readable follows in this file")
                                          : fmt::format("the next good record is at {}",
                                                        open.log->start.value() +
                                                            static_cast<std::int64_t>(next))),
            true);
  return next;
}

Result<bool> LogReader::walk_file(std::size_t number, Pass& pass) {
  MQ_TRY(const auto open, open_file(files_[number]));  // kept, whatever `visit` asks of us
  const PhysicalOffset start = open->log->start;
  const Bytes in = open->mapping->bytes();
  std::size_t at = pass.from > start ? static_cast<std::size_t>(pass.from - start) : 0;
  open->released = at;
  if (at > 0 && !good_record(in.subspan(at), pass.from)) at = next_good(*open, at);
  while (at < in.size()) {
    const PhysicalOffset position = start + static_cast<std::int64_t>(at);
    if (position >= pass.to) return false;
    const Bytes rest = in.subspan(at);
    if (auto record = good_record(rest, position)) {
      const auto bytes = static_cast<std::size_t>(record->total_bytes);
      pass.last = position + record->total_bytes;
      if (!pass.visit(*record, rest.first(bytes))) return false;
      at += bytes;
      release(*open, at);
    } else {
      MQ_TRY(at, pass_over(number, *open, at, pass));
    }
  }
  // A page that could not be read looks like zeros: then nothing above is to be believed.
  if (open->mapping->faulted()) {
    return Error{Errc::kIo, open->log->path + ": the device failed while it was read"};
  }
  open->released = 0;
  return true;
}

Result<PhysicalOffset> LogReader::walk(PhysicalOffset from, PhysicalOffset to, const Visit& visit,
                                       const Note& note) {
  Pass pass{.from = from, .to = to, .visit = visit, .note = note, .last = std::max(from, begin())};
  for (std::size_t f = 0; f < files_.size(); ++f) {
    const LogFile& file = files_[f];
    if (file.start + file.bytes <= from || file.start >= to) continue;
    if (f > 0 && files_[f - 1].start + files_[f - 1].bytes != file.start) {
      pass.tell(file.start, fmt::format("the file before {} is missing or short", file.path), true);
    }
    MQ_TRY(const bool more, walk_file(f, pass));
    if (!more) break;
  }
  return pass.last;
}

}  // namespace mq::inspect

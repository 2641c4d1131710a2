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

Result<std::unique_ptr<LogReader>> LogReader::open(fs::Fs& fs, const std::string& path) {
  std::unique_ptr<LogReader> reader(new LogReader(fs));
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
    if (!stat.is_directory && stat.bytes > 0)
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
    files_.clear();
    mapped_ = nullptr;
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
  for (const LogFile& file : files_) {
    if (at >= file.start && at < file.start + file.bytes) return &file;
  }
  return nullptr;
}

std::string LogReader::where(PhysicalOffset at) const {
  const LogFile* file = file_of(at);
  if (file == nullptr) return fmt::format("{}", at.value());
  return fmt::format("{} at {}", file->path, at - file->start);
}

Result<Bytes> LogReader::bytes_from(PhysicalOffset at) {
  const LogFile* file = file_of(at);
  if (file == nullptr) return Bytes();
  if (file != mapped_) {
    if (file_ && mapped_ != nullptr) file_->drop_cache(0, 0);
    mapping_.reset();
    MQ_TRY(file_, fs_.open(file->path, fs::OpenMode::kRead));
    MQ_TRY(mapping_, file_->map(file->bytes, fs::MapMode::kRead));
    mapping_->advise(fs::Mapping::Advice::kSequential);
    mapped_ = file;
  }
  return Bytes(mapping_->bytes()).subspan(static_cast<std::size_t>(at - file->start));
}

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

std::size_t LogReader::next_good(Bytes in, std::size_t from, PhysicalOffset start) {
  for (std::size_t at = from + kMagicAt; at + kMagic.size() <= in.size();) {
    const void* hit = memmem(in.data() + at, in.size() - at, kMagic.data(), kMagic.size());
    if (hit == nullptr) break;
    const auto found = static_cast<std::size_t>(static_cast<const std::byte*>(hit) - in.data());
    const std::size_t candidate = found - kMagicAt;
    if (good_record(in.subspan(candidate), start + static_cast<std::int64_t>(candidate)))
      return candidate;
    at = found + 1;
  }
  return in.size();
}

Result<PhysicalOffset> LogReader::walk(PhysicalOffset from, PhysicalOffset to, const Visit& visit,
                                       const std::function<void(const Finding&)>& note) {
  const auto tell = [&](PhysicalOffset at, std::string what, bool damage) {
    if (note) note({at, std::move(what), damage});
  };
  PhysicalOffset last = std::max(from, begin());
  for (std::size_t f = 0; f < files_.size(); ++f) {
    const LogFile& file = files_[f];
    const PhysicalOffset file_end = file.start + file.bytes;
    if (file_end <= from || file.start >= to) continue;
    if (f > 0 && files_[f - 1].start + files_[f - 1].bytes != file.start) {
      tell(file.start, fmt::format("the file before {} is missing or short", file.path), true);
    }
    MQ_TRY(const Bytes in, bytes_from(file.start));
    std::size_t at = from > file.start ? static_cast<std::size_t>(from - file.start) : 0;
    if (at > 0 && !good_record(in.subspan(at), from)) at = next_good(in, at, file.start);
    while (at < in.size()) {
      const PhysicalOffset position = file.start + static_cast<std::int64_t>(at);
      if (position >= to) return last;
      const Bytes rest = in.subspan(at);
      auto record = good_record(rest, position);
      if (record) {
        const auto bytes = static_cast<std::size_t>(record->total_bytes);
        last = position + record->total_bytes;
        if (!visit(*record, rest.first(bytes))) return last;
        at += bytes;
        continue;
      }
      if (format::record_kind(rest) == format::RecordKind::kBlank) {
        if (load_be<std::int32_t>(rest.data()) != static_cast<std::int64_t>(rest.size())) {
          tell(position,
               fmt::format("a blank of {} bytes, {} are left in the file",
                           load_be<std::int32_t>(rest.data()), rest.size()),
               true);
        }
        break;
      }
      // Zeros to the end of the newest file that is used are how it is meant to be.
      const std::size_t next = next_good(in, at, file.start);
      if (next == in.size() && is_zero(rest.first(std::min<std::size_t>(rest.size(), 8)))) {
        const bool newest =
            f + 1 == files_.size() || is_zero(bytes_from(files_[f + 1].start)->first(8));
        tell(position,
             newest ? "end of the log: zeros from here"
                    : "zeros to the end of the file, and files follow",
             !newest);
        break;
      }
      tell(position,
           fmt::format("{}; {}", record.error().text(),
                       next == in.size()
                           ? "nothing readable follows in this file"
                           : fmt::format("the next good record is at {}",
                                         file.start.value() + static_cast<std::int64_t>(next))),
           true);
      at = next;
    }
  }
  return last;
}

}  // namespace mq::inspect

#include "broker/timer_log.h"

#include <algorithm>

#include <fmt/format.h>

#include "format/names.h"

namespace mq::broker {

using format::TimerUnit;

namespace {

constexpr auto kUnitBytes = static_cast<std::int64_t>(TimerUnit::kEncodedBytes);

bool makes_sense(const TimerUnit& unit, std::int64_t at) {
  return unit.previous >= -1 && unit.previous < at && unit.write_time_ms >= 0 &&
         unit.commitlog_offset >= PhysicalOffset(0) && unit.record_bytes > 0;
}

}  // namespace

TimerLog::TimerLog(Options options) : options_(std::move(options)) {}

std::string TimerLog::path_of(std::int64_t start) const {
  return options_.directory + "/" + format::stream_file_name(start);
}

std::int64_t TimerLog::begin() const noexcept {
  return files_.empty() ? written_ : files_.front().start;
}

Result<void> TimerLog::add_file(std::int64_t start, fs::OpenMode mode) {
  File file{.start = start, .file = nullptr, .mapping = nullptr};
  MQ_TRY(file.file, options_.fs.open(path_of(start), mode));
  if (mode == fs::OpenMode::kCreate) {
    MQ_CHECK(file.file->truncate(0));  // one that a power cut brought back
    MQ_CHECK(file.file->truncate(options_.file_bytes));
    // So that a power cut leaves no file behind one that is not there, or has no length.
    MQ_CHECK(file.file->sync());
    MQ_CHECK(options_.fs.sync_directory(options_.directory));
  }
  MQ_TRY(file.mapping, file.file->map(options_.file_bytes, fs::MapMode::kRead));
  files_.push_back(std::move(file));
  return {};
}

Result<void> TimerLog::open() {
  auto names = options_.fs.list(options_.directory);
  if (!names) {
    if (names.error().code() == Errc::kNotFound) return {};
    return std::move(names).error();
  }
  for (const std::string& name : *names) {
    const std::string path = options_.directory + "/" + name;
    MQ_TRY(const fs::Stat stat, options_.fs.stat(path));
    if (stat.is_directory) continue;
    if (stat.bytes == 0 && &name == &names->back()) {  // made, but not filled up any more
      MQ_CHECK(options_.fs.remove(path));
      continue;
    }
    const auto start = format::parse_stream_file_name(name);
    if (!start) return Error{Errc::kCorrupt, path + ": no file of a timer log"};
    if (stat.bytes != options_.file_bytes) {
      return Error{Errc::kInvalid, fmt::format("{}: {} bytes, mappedFileSizeTimerLog is {}", path,
                                               stat.bytes, options_.file_bytes)};
    }
    if (!files_.empty() && *start != files_.back().start + options_.file_bytes)
      return Error{Errc::kCorrupt, path + ": the file before it is missing"};
    MQ_CHECK(add_file(*start, fs::OpenMode::kReadWrite));
  }
  if (!files_.empty()) end_ = written_ = synced_ = files_.back().start + options_.file_bytes;
  return {};
}

Result<void> TimerLog::recover(std::int64_t from,
                               const std::function<bool(std::int64_t, const TimerUnit&)>& visit) {
  if (files_.empty()) return {};
  from = std::max(from, begin());
  std::int64_t at = from - from % options_.file_bytes;
  while (at < files_.back().start + options_.file_bytes) {
    const Bytes bytes = bytes_at(at);
    if (!format::timer_unit_fits(options_.file_bytes, at % options_.file_bytes)) {
      // Full: on to the next file, if the log got that far.
      const std::int64_t next = at - at % options_.file_bytes + options_.file_bytes;
      const bool goes_on = file_of(next) != nullptr && format::decode_timer_unit(bytes_at(next));
      if (!goes_on) break;
      at = next;
      continue;
    }
    const auto unit = format::decode_timer_unit(bytes);
    if (!unit || !makes_sense(*unit, at) || !visit(at, *unit)) break;
    at += kUnitBytes;
  }
  return cut(at);
}

// Everything from `end` on becomes zeros; files behind it go.
Result<void> TimerLog::cut(std::int64_t end) {
  while (files_.size() > 1 && files_.back().start > end) {
    const std::string path = path_of(files_.back().start);
    files_.pop_back();
    MQ_CHECK(options_.fs.remove(path));
    MQ_CHECK(options_.fs.sync_directory(options_.directory));
  }
  File& last = files_.back();
  const std::int64_t position = end - last.start;
  if (position < options_.file_bytes) {
    MQ_TRY(const std::int64_t data, last.file->next_data(position));
    const Bytes rest =
        Bytes(last.mapping->bytes())
            .subspan(static_cast<std::size_t>(std::clamp(data, position, options_.file_bytes)));
    if (!is_zero(rest)) {
      last.mapping.reset();
      MQ_CHECK(last.file->truncate(position));
      MQ_CHECK(last.file->truncate(options_.file_bytes));
      MQ_CHECK(last.file->sync());
      MQ_TRY(last.mapping, last.file->map(options_.file_bytes, fs::MapMode::kRead));
    }
  }
  end_ = written_ = synced_ = end;
  return {};
}

const TimerLog::File* TimerLog::file_of(std::int64_t position) const noexcept {
  if (files_.empty() || position < files_.front().start) return nullptr;
  const auto index =
      static_cast<std::size_t>((position - files_.front().start) / options_.file_bytes);
  return index < files_.size() ? &files_[index] : nullptr;
}

Bytes TimerLog::bytes_at(std::int64_t position) const noexcept {
  const File* file = file_of(position);
  if (file == nullptr) return {};
  return Bytes(file->mapping->bytes()).subspan(static_cast<std::size_t>(position - file->start));
}

std::int64_t TimerLog::append(const TimerUnit& unit) {
  const std::int64_t position = end_ % options_.file_bytes;
  if (!format::timer_unit_fits(options_.file_bytes, position)) {
    const std::int64_t rest = options_.file_bytes - position;
    const std::size_t at = tail_.size();
    tail_.resize(at + static_cast<std::size_t>(rest));
    if (rest >= static_cast<std::int64_t>(TimerUnit::kBlankBytes)) {
      format::encode_timer_blank(
          static_cast<std::int32_t>(rest),
          std::span<std::byte, TimerUnit::kBlankBytes>(tail_.data() + at, TimerUnit::kBlankBytes));
    }
    end_ += rest;
  }
  const std::size_t at = tail_.size();
  tail_.resize(at + TimerUnit::kEncodedBytes);
  format::encode(unit, std::span<std::byte, TimerUnit::kEncodedBytes>(tail_.data() + at,
                                                                      TimerUnit::kEncodedBytes));
  return std::exchange(end_, end_ + kUnitBytes);
}

Result<TimerUnit> TimerLog::read(std::int64_t position) const {
  if (position < begin() || position >= end_ ||
      !format::timer_unit_fits(options_.file_bytes, position % options_.file_bytes))
    return Error{Errc::kNotFound, fmt::format("timer log: no unit at {}", position)};
  if (position >= written_)
    return format::decode_timer_unit(
        Bytes(tail_).subspan(static_cast<std::size_t>(position - written_)));
  return format::decode_timer_unit(bytes_at(position));
}

Result<void> TimerLog::write_out() {
  std::size_t done = 0;
  Result<void> result;
  while (done < tail_.size()) {
    const std::int64_t start = written_ - written_ % options_.file_bytes;
    if (file_of(written_) == nullptr) {
      if (files_.empty()) result = options_.fs.make_directories(options_.directory);
      if (result) result = add_file(start, fs::OpenMode::kCreate);
      if (!result) break;
    }
    File& file = files_.back();
    const std::int64_t position = written_ - file.start;
    const std::size_t bytes =
        std::min(tail_.size() - done, static_cast<std::size_t>(options_.file_bytes - position));
    result = file.file->write_at(position, Bytes(tail_).subspan(done, bytes));
    if (!result) break;
    file.is_synced = false;
    done += bytes;
    written_ += static_cast<std::int64_t>(bytes);
  }
  tail_.erase(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(done));
  return result;
}

Result<void> TimerLog::sync() {
  MQ_CHECK(write_out());
  for (File& file : files_) {
    if (file.is_synced) continue;
    MQ_CHECK(file.file->sync());
    file.is_synced = true;
  }
  synced_ = written_;
  return {};
}

Result<int> TimerLog::expire(PhysicalOffset log_begin) {
  int deleted = 0;
  while (files_.size() > 1) {
    // The last place in a file where a unit can stand.
    const std::int64_t units =
        (options_.file_bytes - static_cast<std::int64_t>(TimerUnit::kBlankBytes)) / kUnitBytes;
    const auto last = read(files_.front().start + (units - 1) * kUnitBytes);
    if (!last || last->commitlog_offset >= log_begin) break;
    const std::string path = path_of(files_.front().start);
    files_.pop_front();
    MQ_CHECK(options_.fs.remove(path));
    ++deleted;
  }
  return deleted;
}

}  // namespace mq::broker

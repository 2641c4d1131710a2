#include "inspect/verify_queue.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/hash.h"
#include "format/names.h"

namespace mq::inspect {
namespace {

bool is_empty(const std::byte* slot) {
  return std::all_of(slot, slot + VerifyQueue::kEntryBytes,
                     [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

VerifyQueue::VerifyQueue(fs::Fs& fs, QueueDirectory directory)
    : fs_(fs),
      directory_(std::move(directory)),
      key_prefix_(java_string_hash(java_string_hash(directory_.topic), "#")),
      is_delayed_(directory_.topic == format::kScheduleTopic) {}

std::string VerifyQueue::name() const {
  return fmt::format("{}/{}", directory_.topic, directory_.queue);
}

std::int64_t VerifyQueue::first_slot() const noexcept {
  return directory_.files.empty() ? 0 : directory_.files.front().start / kEntryBytes;
}

std::int64_t VerifyQueue::end_slot() const noexcept {
  if (directory_.files.empty()) return 0;
  const QueueFile& last = directory_.files.back();
  return (last.start + last.bytes) / kEntryBytes;
}

const QueueFile* VerifyQueue::file_of(std::int64_t number) const {
  const auto& files = directory_.files;
  if (number < 0 || number > kNumberMax) return nullptr;
  const std::int64_t at = number * kEntryBytes;
  const auto behind = std::partition_point(files.begin(), files.end(),
                                           [at](const QueueFile& f) { return f.start <= at; });
  if (behind == files.begin()) return nullptr;
  const QueueFile& file = *std::prev(behind);
  return at + kEntryBytes <= file.start + file.bytes ? &file : nullptr;
}

VerifyQueue::Place VerifyQueue::place(std::int64_t number) const {
  if (directory_.files.empty()) return {};
  if (const QueueFile* file = file_of(number))
    return {file->path, number * kEntryBytes - file->start};
  const QueueFile& last = directory_.files.back();
  if (number >= end_slot()) return {last.path, last.bytes};
  for (const QueueFile& file : directory_.files)
    if (number * kEntryBytes < file.start) return {file.path, 0};
  return {last.path, last.bytes};
}

bool VerifyQueue::load(std::int64_t number, std::size_t buffer_bytes) {
  buffer_first_ = buffer_end_ = 0;
  const QueueFile* file = file_of(number);
  if (file == nullptr) return false;
  const auto fail = [&](const Error& error) {
    if (failed_.empty()) failed_ = error.to_string();
    return false;
  };
  if (open_ != file) {
    if (file_) cache_.drop(*file_, 0, open_->bytes);
    file_.reset();
    auto opened = fs_.open(file->path, fs::OpenMode::kRead);
    if (!opened) return fail(opened.error());
    file_ = *std::move(opened);
    cache_ = CacheKeeper::of(*file_, file->bytes);
    open_ = file;
  }
  const std::int64_t at = number * kEntryBytes - file->start;
  buffer_.resize(static_cast<std::size_t>(std::min<std::int64_t>(
                     static_cast<std::int64_t>(buffer_bytes), file->bytes - at)) /
                 kEntryBytes * kEntryBytes);
  auto got = file_->read_at(at, buffer_);
  if (!got) return fail(got.error());
  buffer_first_ = number;
  buffer_end_ = number + static_cast<std::int64_t>(*got) / kEntryBytes;
  return buffer_end_ > number;
}

QueueSlot VerifyQueue::slot(std::int64_t number, std::size_t buffer_bytes) {
  if (number < buffer_first_ || number >= buffer_end_) [[unlikely]] {
    if (!load(number, buffer_bytes)) return {};
  }
  const std::byte* const raw =
      buffer_.data() + static_cast<std::size_t>((number - buffer_first_) * kEntryBytes);
  QueueSlot out;
  out.entry.commitlog_offset = PhysicalOffset(load_be<std::int64_t>(raw));
  out.entry.record_bytes = load_be<std::int32_t>(raw + 8);
  out.entry.tag_code = load_be<std::int64_t>(raw + 12);
  if (out.entry.commitlog_offset >= PhysicalOffset(0) && out.entry.record_bytes > 0) [[likely]] {
    out.kind = QueueSlot::Kind::kEntry;
  } else {
    out.kind = is_empty(raw) ? QueueSlot::Kind::kEmpty : QueueSlot::Kind::kBroken;
  }
  return out;
}

std::int64_t VerifyQueue::next_used(std::int64_t number, std::size_t buffer_bytes) {
  const std::int64_t end = end_slot();
  while (number < end) {
    const QueueFile* const file = file_of(number);
    if (file == nullptr) {  // between two files
      const auto behind =
          std::find_if(directory_.files.begin(), directory_.files.end(),
                       [&](const QueueFile& f) { return f.start > number * kEntryBytes; });
      if (behind == directory_.files.end()) return end;
      number = (behind->start + kEntryBytes - 1) / kEntryBytes;
      continue;
    }
    if (!load(number, buffer_bytes)) {
      number = (file->start + file->bytes) / kEntryBytes;
      continue;
    }
    for (; number < buffer_end_; ++number) {
      if (!is_empty(buffer_.data() +
                    static_cast<std::size_t>((number - buffer_first_) * kEntryBytes)))
        return number;
    }
    // The rest of a file is a hole more often than not.
    if (const auto data = file_->next_data(number * kEntryBytes - file->start)) {
      number = std::max(number, (file->start + *data) / kEntryBytes);
    }
  }
  return end;
}

void VerifyQueue::close() {
  if (file_) cache_.drop(*file_, 0, open_->bytes);
  file_.reset();
  open_ = nullptr;
  cache_ = {};
  buffer_ = {};
  buffer_first_ = buffer_end_ = 0;
}

}  // namespace mq::inspect

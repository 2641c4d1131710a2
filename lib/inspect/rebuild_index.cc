#include "inspect/rebuild_index.h"

#include <algorithm>
#include <limits>

#include "base/hash.h"

namespace mq::inspect {
namespace {

using format::IndexEntry;
using format::IndexHeader;

constexpr std::size_t kWriteBytes = 1 << 20;
constexpr std::size_t kSlotsPerWrite = 16 << 10;

}  // namespace

std::int32_t index_hash_prefix(std::string_view topic) noexcept {
  return java_string_hash(java_string_hash(topic), "#");
}

std::int32_t index_hash(std::int32_t prefix, std::string_view key) noexcept {
  const std::int32_t hash = java_string_hash(prefix, key);
  if (hash == std::numeric_limits<std::int32_t>::min()) return 0;
  return hash < 0 ? -hash : hash;
}

IndexBuilder::IndexBuilder(fs::Fs& fs, std::string directory, const format::IndexShape& shape,
                           std::int64_t now_ms)
    : fs_(fs), directory_(std::move(directory)), shape_(shape), now_ms_(now_ms) {}

// A file that follows a full one counts its first key's time from the end of that (5).
Result<void> IndexBuilder::open_file(std::int64_t store_timestamp_ms) {
  // A damaged time must not give a name that is no name, or one that is ahead of all to come.
  name_ = format::index_file_name(std::clamp<std::int64_t>(store_timestamp_ms, 0, now_ms_), name_);
  MQ_TRY(file_, fs_.open(directory_ + "/" + name_, fs::OpenMode::kCreateExclusive));
  MQ_CHECK(file_->truncate(shape_.file_bytes()));
  IndexHeader header;
  if (files_ > 0 && header_.end_offset.value() > 0) {
    header.begin_offset = header.end_offset = header_.end_offset;
    header.begin_timestamp_ms = header.end_timestamp_ms = header_.end_timestamp_ms;
  }
  header_ = header;
  slots_.assign(static_cast<std::size_t>(shape_.slots), 0);
  ++files_;
  return {};
}

Result<void> IndexBuilder::add(std::int32_t hash, PhysicalOffset at,
                               std::int64_t store_timestamp_ms) {
  if (!file_) MQ_CHECK(open_file(store_timestamp_ms));
  std::int32_t& slot = slots_[static_cast<std::size_t>(hash % shape_.slots)];
  const IndexEntry entry{
      .key_hash = hash,
      .commitlog_offset = at,
      .seconds = format::index_seconds(header_.begin_timestamp_ms, store_timestamp_ms),
      .previous = slot};
  const std::size_t end = entries_.size();
  entries_.resize(end + IndexEntry::kEncodedBytes);
  format::encode(entry, std::span<std::byte, IndexEntry::kEncodedBytes>(entries_.data() + end,
                                                                        IndexEntry::kEncodedBytes));
  if (header_.index_count <= 1) {
    header_.begin_offset = at;
    header_.begin_timestamp_ms = store_timestamp_ms;
  }
  if (slot == 0) ++header_.slot_count;
  slot = header_.index_count++;
  header_.end_offset = at;
  header_.end_timestamp_ms = store_timestamp_ms;
  ++keys_;
  if (header_.index_count >= shape_.entries) {
    sealed_ms_ = header_.end_timestamp_ms;
    return close_file();
  }
  return entries_.size() >= kWriteBytes ? write_entries() : Result<void>();
}

Result<void> IndexBuilder::write_entries() {
  const auto count = static_cast<std::int32_t>(entries_.size() / IndexEntry::kEncodedBytes);
  MQ_CHECK(file_->write_at(shape_.entry_at(header_.index_count - count), entries_));
  entries_.clear();
  return {};
}

Result<void> IndexBuilder::close_file() {
  MQ_CHECK(write_entries());
  std::vector<std::byte> out;
  for (std::size_t done = 0, count = 0; done < slots_.size(); done += count) {
    count = std::min(slots_.size() - done, kSlotsPerWrite);
    const auto begin = slots_.begin() + static_cast<std::ptrdiff_t>(done);
    if (std::all_of(begin, begin + static_cast<std::ptrdiff_t>(count),
                    [](std::int32_t slot) { return slot == 0; }))
      continue;  // stays a hole
    out.resize(count * 4);
    for (std::size_t i = 0; i < count; ++i) store_be(out.data() + i * 4, slots_[done + i]);
    MQ_CHECK(file_->write_at(shape_.slot_at(static_cast<std::int32_t>(done)), out));
  }
  std::array<std::byte, IndexHeader::kEncodedBytes> head{};
  format::encode(header_, head);
  MQ_CHECK(file_->write_at(0, head));
  MQ_CHECK(file_->sync());
  file_.reset();
  return {};
}

Result<void> IndexBuilder::finish() {
  if (file_) MQ_CHECK(close_file());
  return fs_.sync_directory(directory_);
}

}  // namespace mq::inspect

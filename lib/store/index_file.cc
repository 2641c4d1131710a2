#include "store/index_file.h"

#include <algorithm>

#include <fmt/format.h>

namespace mq::store {
namespace {

using format::IndexEntry;
using format::IndexHeader;

constexpr std::int64_t kStepBytes = 1 << 20;

}  // namespace

IndexFile::IndexFile(std::string name, const format::IndexShape& shape,
                     std::unique_ptr<fs::File> file, std::unique_ptr<fs::Mapping> mapping)
    : name_(std::move(name)),
      shape_(shape),
      file_(std::move(file)),
      mapping_(std::move(mapping)),
      data_(mapping_->bytes().data()) {}

Result<std::shared_ptr<IndexFile>> IndexFile::create(fs::Fs& fs, const std::string& directory,
                                                     const std::string& name,
                                                     const format::IndexShape& shape,
                                                     const IndexFile* before) {
  MQ_CHECK(fs.make_directories(directory));
  const std::string path = directory + "/" + name;
  auto fail = [&](Error error) {
    (void)fs.remove(path);
    return error;
  };
  MQ_TRY(auto file, fs.open(path, fs::OpenMode::kCreateExclusive));
  if (auto done = file->truncate(shape.file_bytes()); !done) return fail(std::move(done).error());
  const std::int64_t slots_end = shape.entry_at(0);
  if (auto done = file->allocate(0, slots_end); !done) return fail(std::move(done).error());
  if (auto done = fs.sync_directory(directory); !done) return fail(std::move(done).error());
  auto mapping = file->map(shape.file_bytes(), fs::MapMode::kReadWrite);
  if (!mapping) return fail(std::move(mapping).error());
  (*mapping)->advise(fs::Mapping::Advice::kRandom);
  std::shared_ptr<IndexFile> out(new IndexFile(name, shape, std::move(file), std::move(*mapping)));
  out->reserved_ = slots_end;
  IndexHeader header;
  if (before != nullptr && before->end_offset().value() > 0) {
    header.begin_offset = header.end_offset = before->end_offset();
    header.begin_timestamp_ms = header.end_timestamp_ms = before->end_ms();
  }
  out->load_header(header);
  out->write_header();
  return out;
}

Result<std::shared_ptr<IndexFile>> IndexFile::open(fs::Fs& fs, const std::string& directory,
                                                   const std::string& name,
                                                   const format::IndexShape& shape) {
  MQ_TRY(auto file, fs.open(directory + "/" + name, fs::OpenMode::kReadWrite));
  MQ_TRY(const std::int64_t bytes, file->size());
  if (bytes != shape.file_bytes()) {
    return Error{Errc::kCorrupt,
                 fmt::format("{} bytes, expected {} for {} slots and {} entries", bytes,
                             shape.file_bytes(), shape.slots, shape.entries)};
  }
  MQ_TRY(auto mapping, file->map(bytes, fs::MapMode::kReadWrite));
  mapping->advise(fs::Mapping::Advice::kRandom);
  MQ_TRY(IndexHeader header,
         format::decode_index_header(Bytes(mapping->bytes()).first(IndexHeader::kEncodedBytes)));
  header.index_count = std::max(1, header.index_count);
  if (header.index_count > shape.entries || header.begin_offset > header.end_offset ||
      header.begin_offset.value() < 0 || header.begin_timestamp_ms < 0 ||
      header.end_timestamp_ms < 0) {
    return Error{
        Errc::kCorrupt,
        fmt::format("header says {} of {} entries, offsets {} to {}", header.index_count,
                    shape.entries, header.begin_offset.value(), header.end_offset.value())};
  }
  std::shared_ptr<IndexFile> out(new IndexFile(name, shape, std::move(file), std::move(mapping)));
  out->load_header(header);
  return out;
}

void IndexFile::load_header(const IndexHeader& h) noexcept {
  slot_count_ = h.slot_count;
  begin_ms_.store(h.begin_timestamp_ms);
  end_ms_.store(h.end_timestamp_ms);
  begin_offset_.store(h.begin_offset.value());
  end_offset_.store(h.end_offset.value());
  count_.store(h.index_count, std::memory_order_release);
}

void IndexFile::write_header() noexcept {
  const IndexHeader h{.begin_timestamp_ms = begin_ms(),
                      .end_timestamp_ms = end_ms(),
                      .begin_offset = begin_offset(),
                      .end_offset = end_offset(),
                      .slot_count = slot_count_,
                      .index_count = count()};
  format::encode(
      h, std::span<std::byte, IndexHeader::kEncodedBytes>(data_, IndexHeader::kEncodedBytes));
  dirty_.store(true);
}

// Readers look at slots and entries while they are written: word by word, so that none is ever seen
// half.
std::int32_t IndexFile::load32(std::int64_t at) const noexcept {
  auto& word = *reinterpret_cast<std::uint32_t*>(data_ + at);
  return static_cast<std::int32_t>(
      __builtin_bswap32(std::atomic_ref(word).load(std::memory_order_acquire)));
}
void IndexFile::store32(std::int64_t at, std::int32_t value) noexcept {
  auto& word = *reinterpret_cast<std::uint32_t*>(data_ + at);
  std::atomic_ref(word).store(__builtin_bswap32(static_cast<std::uint32_t>(value)),
                              std::memory_order_release);
}

Result<void> IndexFile::reserve_one() {
  if (reserved_ == 0) {  // opened: what is used is there, what follows is reserved anew
    MQ_CHECK(file_->allocate(0, shape_.entry_at(0)));
    reserved_ = shape_.entry_at(0);
  }
  const std::int64_t needed = shape_.entry_at(count() + 1);
  if (needed <= reserved_) return {};
  const std::int64_t to = std::min(shape_.file_bytes(), std::max(needed, reserved_ + kStepBytes));
  MQ_CHECK(file_->allocate(reserved_, to - reserved_));
  if (mapping_->faulted()) return Error{Errc::kIo, name_ + ": the device failed under the mapping"};
  reserved_ = to;
  return {};
}

void IndexFile::prefetch(std::int32_t hash) const noexcept {
  __builtin_prefetch(data_ + slot_at(hash), 1);
}

void IndexFile::put(std::int32_t hash, PhysicalOffset at, std::int64_t store_ms) noexcept {
  const std::int32_t number = count();
  const std::int64_t slot = slot_at(hash);
  std::int32_t previous = load32(slot);
  if (previous <= 0 || previous >= number) previous = 0;
  const std::int64_t entry = shape_.entry_at(number);
  store32(entry, hash);
  store32(entry + 4, static_cast<std::int32_t>(at.value() >> 32));
  store32(entry + 8, static_cast<std::int32_t>(at.value() & 0xFFFFFFFF));
  store32(entry + 12, format::index_seconds(begin_ms(), store_ms));
  store32(entry + 16, previous);
  if (number <= 1) {
    begin_offset_.store(at.value());
    begin_ms_.store(store_ms);
  }
  if (previous == 0) ++slot_count_;
  end_offset_.store(at.value());
  end_ms_.store(store_ms);
  count_.store(number + 1, std::memory_order_release);
  store32(slot, number);
}

IndexEntry IndexFile::entry(std::int32_t number) const noexcept {
  const std::int64_t at = shape_.entry_at(number);
  return {.key_hash = load32(at),
          .commitlog_offset = PhysicalOffset(static_cast<std::int64_t>(load32(at + 4)) << 32 |
                                             static_cast<std::uint32_t>(load32(at + 8))),
          .seconds = load32(at + 12),
          .previous = load32(at + 16)};
}

void IndexFile::find(std::int32_t hash, std::int64_t begin_ms, std::int64_t end_ms,
                     const std::function<bool(PhysicalOffset)>& take) const {
  const std::int32_t count = this->count();
  std::int32_t number = load32(slot_at(hash));
  // A chain leads to ever smaller numbers; anything else is damage and ends the walk.
  while (number > 0 && number < count) {
    const IndexEntry e = entry(number);
    if (e.seconds < 0) return;
    // Whole seconds are what is stored; the record itself has the exact time, so be generous at
    // both ends.
    const std::int64_t time = format::index_time_ms(this->begin_ms(), e.seconds);
    if (e.key_hash == hash && time + 1000 >= begin_ms && time - 1000 <= end_ms &&
        !take(e.commitlog_offset))
      return;
    if (e.previous >= number) return;
    number = e.previous;
  }
}

bool IndexFile::chains_hold(std::int32_t some) const noexcept {
  const std::int32_t count = this->count();
  for (std::int32_t i = count - 1; i >= std::max(1, count - some); --i) {
    const IndexEntry e = entry(i);
    if (e.key_hash < 0 || e.previous < 0 || e.previous >= i ||
        e.commitlog_offset < begin_offset() || e.commitlog_offset > end_offset()) {
      return false;
    }
    const std::int32_t newest = load32(slot_at(e.key_hash));
    if (newest < i || newest >= count) return false;
  }
  return true;
}

Result<void> IndexFile::rebuild(std::int32_t count, std::int64_t end_ms) {
  MQ_CHECK(file_->allocate(0, shape_.entry_at(count + 1) - (count >= shape_.entries ? 20 : 0)));
  for (std::int64_t at = shape_.slot_at(0); at < shape_.entry_at(0); at += 4) store32(at, 0);
  slot_count_ = 0;
  for (std::int32_t i = 1; i < count; ++i) {
    const std::int64_t at = shape_.entry_at(i);
    const std::int64_t slot = slot_at(load32(at));
    const std::int32_t previous = load32(slot);
    store32(at + 16, previous);
    if (previous == 0) ++slot_count_;
    store32(slot, i);
  }
  end_offset_.store(count > 1 ? entry(count - 1).commitlog_offset.value() : begin_offset().value());
  end_ms_.store(count > 1 ? end_ms : begin_ms());
  count_.store(count, std::memory_order_release);
  write_header();
  return {};
}

Result<void> IndexFile::sync() {
  if (!dirty_.exchange(false)) return {};
  MQ_CHECK(file_->sync());
  if (mapping_->faulted()) return Error{Errc::kIo, name_ + ": the device failed under the mapping"};
  return {};
}

}  // namespace mq::store

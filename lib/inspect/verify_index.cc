#include "inspect/verify_index.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace mq::inspect {
namespace {

using format::IndexEntry;
using format::IndexHeader;

constexpr std::int32_t kBufferEntries = 3200;
constexpr std::size_t kEntryBytes = IndexEntry::kEncodedBytes;
constexpr std::int32_t kSlotsMax = 1 << 25;
constexpr int kPrefetch = 8;  // entries ahead: slots lie far apart

bool is_index_name(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.size() == 17 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_broken(const IndexEntry& e) {
  return e.key_hash < 0 || e.commitlog_offset < PhysicalOffset(0) || e.seconds < 0 ||
         e.previous < 0;
}

std::string text_of(const IndexEntry& e) {
  return fmt::format("hash {} offset {} seconds {} previous {}", e.key_hash,
                     e.commitlog_offset.value(), e.seconds, e.previous);
}

}  // namespace

void VerifyIndex::file_damage(const IndexInfo& info, std::int64_t at, std::string what,
                              std::string expected, std::string found) {
  report_.add(Part::kIndex, {.severity = Severity::kDamage,
                             .file = info.path,
                             .at = at,
                             .what = std::move(what),
                             .expected = std::move(expected),
                             .found = std::move(found),
                             .mend = report_.rebuild("index")});
}

Result<void> VerifyIndex::open() {
  MQ_TRY(auto files, list_index(fs_, facts_.root));
  for (IndexInfo& info : files) {
    if (is_index_name(info.path)) {
      files_.push_back(std::move(info));
    } else {
      report_.add(Part::kIndex, {.severity = Severity::kNote,
                                 .file = info.path,
                                 .what = "no index file by its name; brokers pass it over"});
    }
  }
  adopt_shapes();
  for (const IndexInfo& info : files_) check_file(info);
  return {};
}

// Every file of a store has the same shape; the fullest tells it best.
void VerifyIndex::adopt_shapes() {
  const IndexInfo* best = nullptr;
  std::map<std::int64_t, int> lengths;
  for (const IndexInfo& info : files_) {
    ++lengths[info.bytes];
    if (info.damage.empty() &&
        (best == nullptr || info.header.index_count > best->header.index_count))
      best = &info;
  }
  if (best == nullptr) return;
  const format::IndexShape shape = best->shape;
  const std::int64_t bytes = best->bytes;
  for (IndexInfo& info : files_) {
    if (info.damage.empty() && info.shape.slots > kSlotsMax)
      info.damage = fmt::format("{} slots, more than can be", info.shape.slots);
    if (info.bytes != bytes) {
      if (info.damage.empty() || lengths[info.bytes] < lengths[bytes])
        info.damage = fmt::format("{} bytes, the others have {}", info.bytes, bytes);
      continue;
    }
    if (!info.damage.empty()) {
      // The header alone may be wrong.
      const auto file = fs_.open(info.path, fs::OpenMode::kRead);
      std::array<std::byte, IndexHeader::kEncodedBytes> head{};
      if (!file || !(*file)->read_at(0, head)) continue;
      const auto header = format::decode_index_header(head);
      if (!header || header->index_count > shape.entries) continue;
      info.header = *header;
      info.damage.clear();
    }
    info.shape = shape;
  }
}

void VerifyIndex::check_file(const IndexInfo& info) {
  if (info.damage.empty()) return;
  std::string what = info.damage;
  if (const std::string where = info.path + " at 0: "; what.starts_with(where))
    what = what.substr(where.size());
  if (const std::string where = info.path + ": "; what.starts_with(where))
    what = what.substr(where.size());
  file_damage(info, 0, "no entry of it can be read: " + what);
}

bool VerifyIndex::is_newest() const { return now_ && now_->info == &files_.back(); }

bool VerifyIndex::next_file() {
  while (at_file_ < files_.size()) {
    const IndexInfo& info = files_[at_file_++];
    auto file = info.damage.empty() ? fs_.open(info.path, fs::OpenMode::kRead)
                                    : Result<std::unique_ptr<fs::File>>(Error{Errc::kCorrupt});
    if (!file) {
      if (info.damage.empty() && !facts_.live)
        file_damage(info, -1, "cannot be read: " + file.error().to_string());
      is_lenient_ = true;
      previous_end_ms_ = -1;
      continue;
    }
    now_.emplace();
    now_->info = &info;
    now_->file = *std::move(file);
    now_->cache = CacheKeeper::of(*now_->file, info.bytes);
    now_->slots_inverse = UINT64_MAX / static_cast<std::uint64_t>(info.shape.slots) + 1;
    now_->newest.assign(static_cast<std::size_t>(info.shape.slots), 0);
    now_->count = std::min(info.header.index_count, info.shape.entries);
    find_count();
    return true;
  }
  return false;
}

// What entries there are, as they say themselves: the header is written last. Of one that is being
// written the header is right, and of one that a crash cut short the entries that are whole.
void VerifyIndex::find_count() {
  Current& now = *now_;
  const std::int32_t said = now.count;
  if (is_newest() && facts_.live) return;
  const auto is_used = [&](std::int32_t number) {
    std::array<std::byte, kEntryBytes> raw{};
    const auto got = now.file->read_at(now.info->shape.entry_at(number), raw);
    if (!got || *got < kEntryBytes) return false;
    const auto entry = format::decode_index_entry(raw);
    if (is_cut()) return entry && entry->commitlog_offset > PhysicalOffset(0);
    return !entry || *entry != IndexEntry{};
  };
  while (now.count < now.info->shape.entries && is_used(now.count)) ++now.count;
  if (now.count == said) {
    while (now.count > 1 && !is_used(now.count - 1)) --now.count;
  }
  if (now.count == said || is_cut()) return;
  file_damage(*now.info, 36, "indexCount, the number of the next free entry",
              fmt::format("{}", now.count), fmt::format("{}", said));
}

bool VerifyIndex::load() {
  Current& now = *now_;
  const bool has_follower = now.next + 1 < now.buffer_end || now.buffer_end == now.count;
  if (now.next >= now.buffer_first && now.next < now.buffer_end && has_follower) [[likely]]
    return true;
  now.buffer.resize(static_cast<std::size_t>(std::min(kBufferEntries, now.count - now.next)) *
                    kEntryBytes);
  const auto got = now.file->read_at(now.info->shape.entry_at(now.next), now.buffer);
  if (!got || *got < kEntryBytes) {
    file_damage(*now.info, now.info->shape.entry_at(now.next),
                got ? "the file ends before its entries" : "cannot be read: " + got.error().text());
    return false;
  }
  now.buffer_first = now.next;
  now.buffer_end = now.next + static_cast<std::int32_t>(*got / kEntryBytes);
  return true;
}

IndexEntry VerifyIndex::buffered(std::int32_t number) const {
  const std::byte* const raw =
      now_->buffer.data() + static_cast<std::size_t>(number - now_->buffer_first) * kEntryBytes;
  return {.key_hash = load_be<std::int32_t>(raw),
          .commitlog_offset = PhysicalOffset(load_be<std::int64_t>(raw + 4)),
          .seconds = load_be<std::int32_t>(raw + 12),
          .previous = load_be<std::int32_t>(raw + 16)};
}

// Offsets never go down. One that is higher than its follower's, which itself goes on from the last
// good one, is wrong.
bool VerifyIndex::is_outlier() const {
  if (now_->next + 1 >= now_->buffer_end) return false;
  const PhysicalOffset following = buffered(now_->next + 1).commitlog_offset;
  return following < entry_.commitlog_offset && following >= last_offset_ &&
         following >= PhysicalOffset(0);
}

const IndexEntry* VerifyIndex::peek() {
  if (has_entry_) return &entry_;
  for (;;) {
    if (!now_ && !next_file()) return nullptr;
    Current& now = *now_;
    if (now.next >= now.count) {
      end_file();
      continue;
    }
    if (!load()) {
      is_lenient_ = true;
      now.count = now.next;
      end_file();
      continue;
    }
    entry_ = buffered(now.next);
    if (now.next + kPrefetch < now.buffer_end) {
      const std::int32_t hash = buffered(now.next + kPrefetch).key_hash;
      if (hash >= 0) __builtin_prefetch(&now.newest[now.slot_of(hash)], 1);
    }
    check_chain(entry_);
    has_entry_ = true;
    if (!is_broken(entry_) && entry_.commitlog_offset >= last_offset_) [[likely]]
      return &entry_;
    skip_bad(is_broken(entry_) ? "no index entry" : "entry out of the order of the log");
  }
}

void VerifyIndex::skip_bad(const char* what) {
  bad_entry(what,
            fmt::format("an offset of {} or more", std::max<std::int64_t>(last_offset_.value(), 0)),
            text_of(entry_));
  ++now_->next;
  ++skipped_;
  has_entry_ = false;
}

void VerifyIndex::pop(std::int64_t stored_ms) {
  if (now_->next == 1) {
    now_->first_stored_ms = stored_ms;
    now_->first_offset = entry_.commitlog_offset;
  }
  const Current::State before = std::exchange(
      now_->last, Current::State{entry_.commitlog_offset, stored_ms, now_->used_slots});
  if (now_->next == said() - 1) {
    now_->before_counted = before;
    now_->counted = now_->last;
  }
  last_offset_ = entry_.commitlog_offset;
  ++now_->next;
  ++entries_;
  has_entry_ = false;
}

void VerifyIndex::check_chain(const IndexEntry& entry) {
  Current& now = *now_;
  if (entry.key_hash < 0) return;
  std::int32_t& newest = now.newest[now.slot_of(entry.key_hash)];
  const bool counts = now.next < said() || !is_cut();
  if (entry.previous != newest && counts && now.bad_chains++ == 0) [[unlikely]] {
    now.bad_chain_at = now.next;
    now.bad_chain_expected = newest;
    now.bad_chain_found = entry.previous;
  }
  if (newest == 0) ++now.used_slots;
  newest = now.next;
}

bool VerifyIndex::fits_time(const IndexEntry& entry, std::int64_t stored_ms) const {
  // The first entry of a file counts from the end of the file before.
  const bool is_first = now_->next == 1;
  const std::int64_t from_ms = is_first ? previous_end_ms_ : now_->info->header.begin_timestamp_ms;
  if (is_first && (from_ms < 0 || entry.seconds == 0)) return true;
  if (from_ms <= 0) return entry.seconds == 0;
  const std::int64_t seconds = format::index_seconds(from_ms, stored_ms);
  return std::abs(seconds - entry.seconds) <= 1;
}

void VerifyIndex::record(PhysicalOffset at, std::int64_t stored_ms,
                         std::span<const std::int32_t> hashes) {
  std::size_t taken = 0;
  for (; taken < hashes.size(); ++taken) {
    const IndexEntry* const entry = peek();
    if (entry == nullptr || entry->commitlog_offset != at || entry->key_hash != hashes[taken] ||
        !fits_time(*entry, stored_ms)) [[unlikely]] {
      break;
    }
    pop(stored_ms);
  }
  const IndexEntry* const following = peek();
  if (taken == hashes.size() && (following == nullptr || following->commitlog_offset > at))
      [[likely]] {
    if (hashes.empty()) return;
    ++keyed_records_;
    skipped_ = 0;
    is_lenient_ = false;
    has_matched_ = true;
    if (missing_.records > 0) [[unlikely]]
      flush_missing(false);
    return;
  }
  take_odd(at, stored_ms, hashes, taken);
}

// Entries that stand before those of the record at `at`: no record has claimed them.
void VerifyIndex::pass_to(PhysicalOffset at) {
  for (const IndexEntry* entry = peek(); entry != nullptr && entry->commitlog_offset < at;
       entry = peek()) {
    const PhysicalOffset offset = entry->commitlog_offset;
    const bool is_known = offset < facts_.begin || facts_.stretch_of(offset) != nullptr;
    if (!is_known) {
      bad_entry("entry for a position where no record with a key begins", "a record",
                text_of(*entry));
      ++skipped_;
    }
    pop(-1);
  }
}

void VerifyIndex::take_odd(PhysicalOffset at, std::int64_t stored_ms,
                           std::span<const std::int32_t> hashes, std::size_t taken) {
  std::vector<bool> seen(hashes.size());
  std::fill_n(seen.begin(), taken, true);
  const auto is_missing = [&seen] {
    return std::find(seen.begin(), seen.end(), false) != seen.end();
  };
  for (;;) {
    pass_to(at);
    const IndexEntry* const entry = peek();
    if (entry != nullptr && entry->commitlog_offset == at) {
      take_entry(*entry, stored_ms, hashes, seen);
    } else if (entry != nullptr && is_missing() && is_outlier()) {
      skip_bad("entry out of the order of the log");
    } else {
      break;
    }
  }
  if (hashes.empty()) return;
  ++keyed_records_;
  const auto missing = static_cast<std::int64_t>(std::count(seen.begin(), seen.end(), false));
  const std::int64_t excused = std::min(missing, skipped_);
  skipped_ -= excused;
  if (missing > excused) {
    if (!is_lenient_) miss(at, static_cast<std::size_t>(missing - excused));
    return;
  }
  if (excused > 0) return;
  is_lenient_ = false;
  has_matched_ = true;
  flush_missing(false);
}

// One of the record's entries; after a crash its keys may be indexed once more.
void VerifyIndex::take_entry(const IndexEntry& entry, std::int64_t stored_ms,
                             std::span<const std::int32_t> hashes, std::vector<bool>& seen) {
  bool is_known = false;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if (hashes[i] != entry.key_hash) continue;
    seen[i] = true;
    is_known = true;
  }
  if (!is_known) {
    bad_entry("entry with the hash of a key that its record has not",
              hashes.empty() ? "no entry" : fmt::format("hash {}", fmt::join(hashes, " or ")),
              text_of(entry));
    ++skipped_;
  } else if (!fits_time(entry, stored_ms)) {
    bad_entry(
        "time of an entry, in seconds after the file's first",
        fmt::format("{}", format::index_seconds(now_->info->header.begin_timestamp_ms, stored_ms)),
        text_of(entry));
  }
  pop(stored_ms);
}

}  // namespace mq::inspect

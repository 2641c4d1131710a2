// The layout of an index file (store-format.md section 5): header, hash slots, entries in order of
// arrival.
//
//   header  40 bytes     beginTimestamp 8, endTimestamp 8, beginPhyOffset 8, endPhyOffset 8,
//   hashSlotCount 4, indexCount 4 slot s  at 40+4s     number of the newest entry of the slot, 0 =
//   none entry i at 40+4*slots+20i, i from 1:  key hash 4, physical offset 8, seconds since begin
//   4, previous entry 4
//
// indexCount is the next free entry number; 0 on disk reads as 1.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace mq::format {

struct IndexHeader {
  static constexpr std::size_t kEncodedBytes = 40;
  std::int64_t begin_timestamp_ms = 0;
  std::int64_t end_timestamp_ms = 0;
  PhysicalOffset begin_offset{};
  PhysicalOffset end_offset{};
  std::int32_t slot_count = 0;   // used slots
  std::int32_t index_count = 1;  // next free entry number
  friend bool operator==(const IndexHeader&, const IndexHeader&) = default;
};

struct IndexEntry {
  static constexpr std::size_t kEncodedBytes = 20;
  std::int32_t key_hash = 0;
  PhysicalOffset commitlog_offset{};
  std::int32_t seconds = 0;   // after the file's begin_timestamp_ms
  std::int32_t previous = 0;  // entry number in the same slot, 0 = none
  friend bool operator==(const IndexEntry&, const IndexEntry&) = default;
};

// Sizes of one store's index files; they are not in the files and must be configured (trap 9).
struct IndexShape {
  std::int32_t slots = 5'000'000;
  std::int32_t entries = 20'000'000;  // entry 0 is never used, so one fewer fit
  [[nodiscard]] std::int64_t file_bytes() const noexcept {
    return static_cast<std::int64_t>(IndexHeader::kEncodedBytes) + 4LL * slots + 20LL * entries;
  }
  [[nodiscard]] std::int64_t slot_at(std::int32_t slot) const noexcept { return 40 + 4LL * slot; }
  [[nodiscard]] std::int64_t entry_at(std::int32_t number) const noexcept {
    return 40 + 4LL * slots + 20LL * number;
  }
  friend bool operator==(const IndexShape&, const IndexShape&) = default;
};

void encode(const IndexHeader& header,
            std::span<std::byte, IndexHeader::kEncodedBytes> out) noexcept;
// Errors: kShort, kCorrupt (negative counts).
Result<IndexHeader> decode_index_header(Bytes in);
void encode(const IndexEntry& entry, std::span<std::byte, IndexEntry::kEncodedBytes> out) noexcept;
// Errors: kShort, kCorrupt (negative hash, offset or previous).
Result<IndexEntry> decode_index_entry(Bytes in);

// What the entry of a record stored then says in a file that begins then: whole seconds, as far as
// 32 bits go; 0 for what is not later, or in a file without a beginning. Any times are safe.
[[nodiscard]] std::int32_t index_seconds(std::int64_t begin_ms, std::int64_t stored_ms) noexcept;
// The other way round: the time that such an entry stands for.
[[nodiscard]] std::int64_t index_time_ms(std::int64_t begin_ms, std::int32_t seconds) noexcept;

// |java_string_hash(topic + "#" + key)|, and 0 for -2^31.
[[nodiscard]] std::int32_t index_key_hash(std::string_view topic, std::string_view key) noexcept;
// A file's name from its creation time, `yyyyMMddHHmmssSSS` in local time, and greater than
// `newest` ("" if none).
[[nodiscard]] std::string index_file_name(std::int64_t now_ms, std::string_view newest);

}  // namespace mq::format

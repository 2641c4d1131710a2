#include "format/index_file.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>

#include <fmt/format.h>

#include "base/hash.h"

namespace mq::format {
namespace {

constexpr std::size_t kNameDigits = 17;

std::int32_t java_abs(std::int32_t value) noexcept {
  if (value == std::numeric_limits<std::int32_t>::min()) return 0;
  return value < 0 ? -value : value;
}

// Seventeen digits with one added; empty when `name` is no such number or the last of them.
std::string successor(std::string_view name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (name.size() != kNameDigits || error != std::errc{} || end != name.data() + name.size()) {
    return {};
  }
  std::string next = fmt::format("{:017}", number + 1);
  return next.size() == kNameDigits ? next : std::string();
}

}  // namespace

void encode(const IndexHeader& header,
            std::span<std::byte, IndexHeader::kEncodedBytes> out) noexcept {
  store_be(out.data(), header.begin_timestamp_ms);
  store_be(out.data() + 8, header.end_timestamp_ms);
  store_be(out.data() + 16, header.begin_offset.value());
  store_be(out.data() + 24, header.end_offset.value());
  store_be(out.data() + 32, header.slot_count);
  store_be(out.data() + 36, header.index_count);
}

Result<IndexHeader> decode_index_header(Bytes in) {
  if (in.size() < IndexHeader::kEncodedBytes) {
    return Error{Errc::kShort, fmt::format("index header of {} bytes, expected {}", in.size(),
                                           IndexHeader::kEncodedBytes)};
  }
  BigEndianReader r{in};
  IndexHeader header;
  header.begin_timestamp_ms = r.take<std::int64_t>();
  header.end_timestamp_ms = r.take<std::int64_t>();
  header.begin_offset = PhysicalOffset(r.take<std::int64_t>());
  header.end_offset = PhysicalOffset(r.take<std::int64_t>());
  header.slot_count = r.take<std::int32_t>();
  header.index_count = r.take<std::int32_t>();
  if (header.slot_count < 0 || header.index_count < 0) {
    return Error{Errc::kCorrupt, fmt::format("index header counts {} slots and {} entries",
                                             header.slot_count, header.index_count)};
  }
  if (header.index_count == 0) header.index_count = 1;
  return header;
}

void encode(const IndexEntry& entry, std::span<std::byte, IndexEntry::kEncodedBytes> out) noexcept {
  store_be(out.data(), entry.key_hash);
  store_be(out.data() + 4, entry.commitlog_offset.value());
  store_be(out.data() + 12, entry.seconds);
  store_be(out.data() + 16, entry.previous);
}

Result<IndexEntry> decode_index_entry(Bytes in) {
  if (in.size() < IndexEntry::kEncodedBytes) return Error{Errc::kShort};
  const IndexEntry entry{
      load_be<std::int32_t>(in.data()), PhysicalOffset(load_be<std::int64_t>(in.data() + 4)),
      load_be<std::int32_t>(in.data() + 12), load_be<std::int32_t>(in.data() + 16)};
  if (entry.key_hash < 0 || entry.commitlog_offset.value() < 0 || entry.previous < 0) [[unlikely]] {
    return Error{Errc::kCorrupt,
                 fmt::format("index entry with hash {}, offset {}, previous {}", entry.key_hash,
                             entry.commitlog_offset.value(), entry.previous)};
  }
  return entry;
}

std::int32_t index_seconds(std::int64_t begin_ms, std::int64_t stored_ms) noexcept {
  if (begin_ms <= 0 || stored_ms <= begin_ms) return 0;
  return static_cast<std::int32_t>(std::min<std::int64_t>(
      (stored_ms - begin_ms) / 1000, std::numeric_limits<std::int32_t>::max()));
}

std::int64_t index_time_ms(std::int64_t begin_ms, std::int32_t seconds) noexcept {
  std::int64_t out = 0;
  return __builtin_add_overflow(begin_ms, 1000LL * seconds, &out) ? begin_ms : out;
}

std::int32_t index_key_hash(std::string_view topic, std::string_view key) noexcept {
  return java_abs(java_string_hash(java_string_hash(java_string_hash(topic), "#"), key));
}

std::string index_file_name(std::int64_t now_ms, std::string_view newest) {
  const auto seconds = static_cast<std::time_t>(now_ms / 1000);
  std::tm local{};
  localtime_r(&seconds, &local);
  std::string name =
      fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}{:03}", local.tm_year + 1900, local.tm_mon + 1,
                  local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec, now_ms % 1000);
  // The clock stepped back, changed its zone, or stands still: names must grow all the same.
  if (newest >= name) {
    if (std::string next = successor(newest); !next.empty()) return next;
  }
  return name;
}

}  // namespace mq::format

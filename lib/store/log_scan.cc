// Walking the commit log record by record, over damage.

#include <algorithm>
#include <array>
#include <cstring>

#include "store/commit_log.h"

namespace mq::store {
namespace {

// The first bytes that both record magics share, and where the magic stands in a record.
constexpr std::array<std::byte, 3> kMagicStart = {std::byte{0xDA}, std::byte{0xA3},
                                                  std::byte{0x20}};
constexpr std::size_t kMagicAt = 4;
constexpr std::size_t kBlankBytesMin = format::kBlankHeadBytes;

// Two records of the largest size there is do not fit into that many zeros: what follows is the
// unused rest of a file.
constexpr std::size_t kZerosMax = 16 << 20;
constexpr std::size_t kZeroProbe = 4096;

Result<format::Record> good_record(Bytes in, PhysicalOffset at, format::CheckBody check) {
  MQ_TRY(const format::Record record, format::decode_record(in, check));
  if (record.physical_offset != at) {
    return Error{
        Errc::kCorrupt,
        "a record of position " + std::to_string(record.physical_offset.value()) + " stands here"};
  }
  return record;
}

bool is_good(Bytes in, PhysicalOffset at) {
  return good_record(in, at, format::CheckBody::kCrc).has_value();
}

// A blank that covers what is left of its file.
bool is_whole_blank(Bytes in, std::size_t rest_of_file) {
  return format::record_kind(in) == format::RecordKind::kBlank &&
         load_be<std::int32_t>(in.data()) == static_cast<std::int64_t>(rest_of_file);
}

bool all_zero(Bytes in) noexcept {
  return in.empty() ||
         (in[0] == std::byte{0} && std::memcmp(in.data(), in.data() + 1, in.size() - 1) == 0);
}

// Where a record might start at or behind `from`: 4 bytes in front of a magic.
std::optional<std::size_t> next_candidate(Bytes in, std::size_t from) {
  std::size_t zeros = 0;
  for (std::size_t at = from + kMagicAt; at + kMagicStart.size() <= in.size();) {
    const std::size_t bytes = std::min(kZeroProbe, in.size() - at);
    if (all_zero(in.subspan(at, bytes))) {
      zeros += bytes;
      if (zeros > kZerosMax) return std::nullopt;
      at += bytes;
      continue;
    }
    zeros = 0;
    // Two bytes more, so that a magic across the border is found.
    const std::size_t window = std::min(bytes + kMagicStart.size() - 1, in.size() - at);
    if (const void* hit = memmem(in.data() + at, window, kMagicStart.data(), kMagicStart.size())) {
      return static_cast<std::size_t>(static_cast<const std::byte*>(hit) - in.data()) - kMagicAt;
    }
    at += bytes;
  }
  return std::nullopt;
}

// Looks for the next good record in the bytes of one file, behind a damaged one at their start.
std::optional<std::size_t> find_in_file(Bytes in, PhysicalOffset start, std::size_t rest_of_file) {
  // If its size is right, the next one starts where it ends; a record within its body is none.
  if (in.size() >= kBlankBytesMin) {
    const auto bytes = load_be<std::int32_t>(in.data());
    if (bytes >= static_cast<std::int32_t>(format::kRecordBytesMin) &&
        static_cast<std::size_t>(bytes) < in.size()) {
      const auto behind = static_cast<std::size_t>(bytes);
      if (is_good(in.subspan(behind), start + bytes) ||
          is_whole_blank(in.subspan(behind), rest_of_file - behind)) {
        return behind;
      }
    }
  }
  for (auto at = next_candidate(in, 1); at; at = next_candidate(in, *at + 1)) {
    if (is_good(in.subspan(*at), start + static_cast<std::int64_t>(*at))) return at;
  }
  return std::nullopt;
}

// Readable bytes from `at` to the end of its file or to `to`.
Stretch stretch_below(const CommitLog& log, PhysicalOffset at, PhysicalOffset to) {
  Stretch stretch = log.view_from(at);
  if (at >= to) {
    stretch.view.bytes = {};
  } else if (to - at < static_cast<std::int64_t>(stretch.view.bytes.size())) {
    stretch.view.bytes = stretch.view.bytes.first(static_cast<std::size_t>(to - at));
  }
  return stretch;
}

std::size_t rest_of_file(const SegmentView& view, PhysicalOffset at) {
  return static_cast<std::size_t>(static_cast<const Segment*>(view.hold.get())->end() - at);
}

}  // namespace

std::optional<PhysicalOffset> find_next_good(const CommitLog& log, PhysicalOffset at,
                                             PhysicalOffset to) {
  Stretch stretch = stretch_below(log, at, to);
  const Bytes here = stretch.view.bytes;
  // Where nothing was written there is nothing to find, but for a later file.
  if (!here.empty() && !all_zero(here.first(std::min(here.size(), kBlankBytesMin)))) {
    if (const auto found = find_in_file(here, at, rest_of_file(stretch.view, at))) {
      return at + static_cast<std::int64_t>(*found);
    }
  }
  while (stretch.next_segment < to && stretch.next_segment > at) {
    at = stretch.next_segment;
    stretch = stretch_below(log, at, to);
    if (is_good(stretch.view.bytes, at)) return at;
  }
  return std::nullopt;
}

ScanResult scan(const CommitLog& log, PhysicalOffset from, PhysicalOffset to,
                const ScanOptions& options,
                const std::function<bool(const format::Record&, Bytes)>& visit) {
  const auto check = options.check_body ? format::CheckBody::kCrc : format::CheckBody::kNo;
  ScanResult result;
  result.end = from;
  PhysicalOffset at = from;
  Stretch stretch = stretch_below(log, at, to);
  Bytes rest = stretch.view.bytes;
  while (at < to) {
    if (format::record_kind(rest) == format::RecordKind::kBlank) {
      at = result.end = stretch.next_segment;
    } else if (auto record = good_record(rest, at, check)) {
      const auto bytes = static_cast<std::size_t>(record->total_bytes);
      if (visit && !visit(*record, rest.first(bytes))) return result;
      result.last_record = at;
      result.last_store_time_ms = std::max(result.last_store_time_ms, record->store_timestamp_ms);
      ++result.records;
      at = result.end = at + record->total_bytes;
      rest = rest.subspan(bytes);
      if (!rest.empty()) continue;
    } else {
      const auto next = find_next_good(log, at, to);
      if (!next) return result;
      result.damaged.push_back({at, *next, record.error().text()});
      at = *next;
    }
    stretch = stretch_below(log, at, to);
    rest = stretch.view.bytes;
  }
  return result;
}

}  // namespace mq::store

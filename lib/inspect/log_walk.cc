// LogReader's walk: from record to record, and over what is none.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "inspect/log_reader.h"

namespace mq::inspect {
namespace {

// The bytes that both magics of a record begin with; they stand 4 bytes into it.
constexpr std::array<std::byte, 3> kMagic = {std::byte{0xDA}, std::byte{0xA3}, std::byte{0x20}};
constexpr std::size_t kMagicAt = 4;
constexpr std::size_t kPositionAt = 28;  // of the record's own physical offset

}  // namespace

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
    const PhysicalOffset position = open.log.start + static_cast<std::int64_t>(candidate);
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

Result<bool> LogReader::is_unused(std::size_t number) {
  if (number >= files_.size()) return true;
  MQ_TRY(const auto file, fs_.open(files_[number].path, fs::OpenMode::kRead));
  std::array<std::byte, format::kBlankHeadBytes> head{};
  MQ_TRY(const std::size_t got, file->read_at(0, head));
  return is_zero(Bytes(head).first(got));
}

std::size_t LogReader::pass_blank(const Open& open, std::size_t at, const Pass& pass) {
  const Bytes rest = open.mapping->bytes().subspan(at);
  const auto bytes = load_be<std::int32_t>(rest.data());
  const auto left = static_cast<std::int64_t>(rest.size());
  Finding finding{.at = open.log.start + static_cast<std::int64_t>(at),
                  .what = "the rest of the file is unused",
                  .damage = false,
                  .kind = FindingKind::kBlank,
                  .bytes = left};
  if (bytes != left) {
    finding.what = fmt::format("a blank of {} bytes, {} are left in the file", bytes, left);
    finding.damage = true;
    finding.kind = FindingKind::kDamage;
  }
  pass.tell(finding);
  return at + rest.size();
}

Result<std::size_t> LogReader::pass_over(std::size_t number, Open& open, std::size_t at,
                                         const Pass& pass) {
  const Bytes in = open.mapping->bytes();
  const Bytes rest = in.subspan(at);
  const PhysicalOffset position = open.log.start + static_cast<std::int64_t>(at);
  if (format::record_kind(rest) == format::RecordKind::kBlank) return pass_blank(open, at, pass);
  const auto refused = good_record(rest, position);
  const std::size_t next = next_good(open, at);
  MQ_TRY(const bool newest, next == in.size() ? is_unused(number + 1) : Result<bool>(false));
  // A broker at work may have written here since we looked.
  if (live_ &&
      (good_record(rest, position) || format::record_kind(rest) == format::RecordKind::kBlank))
    return at;
  Finding finding{.at = position,
                  .what = {},
                  .damage = true,
                  .kind = newest ? FindingKind::kTail : FindingKind::kDamage,
                  .bytes = static_cast<std::int64_t>(next - at)};
  // Zeros to the end of the newest file that is used are how it is meant to be.
  if (next == in.size() && is_zero(rest.first(std::min<std::size_t>(rest.size(), 8)))) {
    if (newest) finding.kind = FindingKind::kEnd;
    finding.damage = !newest;
    finding.what = newest ? "end of the log: zeros from here"
                          : "zeros to the end of the file, and files follow";
  } else {
    finding.damage = !(newest && live_);
    finding.what = fmt::format(
        "{}; {}", refused ? std::string() : refused.error().text(),
        next == in.size() ? std::string("nothing readable follows in this file")
                          : fmt::format("the next good record is at {}",
                                        open.log.start.value() + static_cast<std::int64_t>(next)));
  }
  pass.tell(finding);
  return next;
}

Result<bool> LogReader::walk_file(std::size_t number, Pass& pass) {
  auto opened = open_file(files_[number]);
  if (!opened && opened.error().code() == Errc::kNotFound) {
    // Listed, and gone since: the broker deletes old files while we read.
    pass.tell({.at = files_[number].start,
               .what = fmt::format("{} was deleted meanwhile", files_[number].path),
               .damage = false,
               .kind = FindingKind::kGone,
               .bytes = files_[number].bytes});
    return true;
  }
  if (!opened) return std::move(opened).error();
  const auto open = *opened;  // kept, whatever `visit` asks of us
  const PhysicalOffset start = open->log.start;
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
    return Error{Errc::kIo, open->log.path + ": the device failed while it was read"};
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
      const PhysicalOffset hole = files_[f - 1].start + files_[f - 1].bytes;
      pass.tell({.at = file.start,
                 .what = fmt::format("the file before {} is missing or short", file.path),
                 .damage = true,
                 .kind = FindingKind::kMissing,
                 .bytes = std::max<std::int64_t>(0, file.start - hole)});
    }
    MQ_TRY(const bool more, walk_file(f, pass));
    if (!more) break;
  }
  return pass.last;
}

}  // namespace mq::inspect

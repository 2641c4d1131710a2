#include "inspect/timer_files.h"

#include <algorithm>

#include <fmt/format.h>

#include "format/names.h"
#include "inspect/page_cache.h"

namespace mq::inspect {
namespace {

using format::TimerSlot;
using format::TimerUnit;

constexpr auto kUnitBytes = static_cast<std::int64_t>(TimerUnit::kEncodedBytes);
constexpr auto kSlotBytes = static_cast<std::int64_t>(TimerSlot::kEncodedBytes);

using VisitUnit = std::function<bool(std::int64_t, const TimerUnit&)>;

void tell(const DamageNote& note, const std::string& path, std::int64_t at, std::string_view what) {
  if (note) note(fmt::format("{} at {}: {}", path, at, what));
}

// The files by position; others are told and left out.
Result<std::vector<QueueFile>> list_log(fs::Fs& fs, const std::string& directory,
                                        const DamageNote& note) {
  std::vector<QueueFile> out;
  auto names = fs.list(directory);
  if (!names && names.error().code() == Errc::kNotFound) return out;
  if (!names) return std::move(names).error();
  for (const std::string& name : *names) {
    const std::string path = directory + "/" + name;
    MQ_TRY(const fs::Stat stat, fs.stat(path));
    if (stat.is_directory) continue;
    const auto start = format::parse_stream_file_name(name);
    if (!start || *start > INT64_MAX - stat.bytes) {
      tell(note, path, 0, "not the name of a file of the timer log");
      continue;
    }
    out.push_back({path, *start, stat.bytes});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.start < b.start; });
  return out;
}

// False when there is nothing behind this file, or nobody wants it.
Result<bool> walk_file(fs::Fs& fs, const QueueFile& file, const VisitUnit& visit,
                       const DamageNote& note) {
  MQ_TRY(const auto in, fs.open(file.path, fs::OpenMode::kRead));
  const PageCacheGuard guard(*in);
  std::vector<std::byte> block(TimerUnit::kEncodedBytes * 1024);
  for (std::int64_t at = 0; at + kUnitBytes <= file.bytes;) {
    MQ_TRY(const std::size_t got, in->read_at(at, block));
    for (std::size_t i = 0; i + TimerUnit::kEncodedBytes <= got; i += TimerUnit::kEncodedBytes) {
      const Bytes raw = Bytes(block).subspan(i, TimerUnit::kEncodedBytes);
      const std::int64_t place = at + static_cast<std::int64_t>(i);
      if (format::is_timer_blank(raw)) return true;
      const auto unit = format::decode_timer_unit(raw);
      if (!unit && unit.error().code() == Errc::kNotFound) return false;
      if (!unit) {
        tell(note, file.path, place, unit.error().text());
      } else if (!visit(file.start + place, *unit)) {
        return false;
      }
    }
    if (got < TimerUnit::kEncodedBytes) break;  // it became shorter while we read
    at += static_cast<std::int64_t>(got) / kUnitBytes * kUnitBytes;
  }
  return true;
}

}  // namespace

Result<void> walk_timer_log(fs::Fs& fs, const std::string& store, const VisitUnit& visit,
                            const DamageNote& note) {
  MQ_TRY(const auto files, list_log(fs, store + "/timerlog", note));
  std::int64_t expected = files.empty() ? 0 : files.front().start;
  for (const QueueFile& file : files) {
    if (file.start != expected) tell(note, file.path, 0, "the file before it is missing or short");
    expected = file.start + file.bytes;
    MQ_TRY(const bool goes_on, walk_file(fs, file, visit, note));
    if (!goes_on) break;
  }
  return {};
}

Result<void> walk_timer_wheel(fs::Fs& fs, const std::string& store,
                              const std::function<bool(std::int64_t, const TimerSlot&)>& visit,
                              const DamageNote& note) {
  const std::string path = store + "/timerwheel";
  auto opened = fs.open(path, fs::OpenMode::kRead);
  if (!opened && opened.error().code() == Errc::kNotFound) return {};
  if (!opened) return std::move(opened).error();
  const auto& in = *opened;
  MQ_TRY(const std::int64_t bytes, in->size());
  if (bytes != TimerSlot::kFileBytes) {
    tell(note, path, std::min(bytes, TimerSlot::kFileBytes),
         fmt::format("length {}, expected {}", bytes, TimerSlot::kFileBytes));
  }
  const PageCacheGuard guard(*in);
  std::vector<std::byte> block(64 << 10);
  for (std::int64_t at = 0; at + kSlotBytes <= bytes;) {
    MQ_TRY(const std::int64_t data, in->next_data(at));
    at = std::max(at, data / kSlotBytes * kSlotBytes);
    MQ_TRY(const std::size_t got, in->read_at(at, block));
    for (std::size_t i = 0; i + TimerSlot::kEncodedBytes <= got; i += TimerSlot::kEncodedBytes) {
      MQ_TRY(const TimerSlot slot,
             format::decode_timer_slot(Bytes(block).subspan(i, TimerSlot::kEncodedBytes)));
      const std::int64_t number = (at + static_cast<std::int64_t>(i)) / kSlotBytes;
      if (slot != TimerSlot{} && !visit(number, slot)) return {};
    }
    if (got < TimerSlot::kEncodedBytes) break;
    at += static_cast<std::int64_t>(got) / kSlotBytes * kSlotBytes;
  }
  return {};
}

Result<format::TimerCheckpoint> read_timer_checkpoint(fs::Fs& fs, const std::string& store) {
  const std::string path = store + "/config/timercheck";
  MQ_TRY(const std::string raw, fs::read_file(fs, path, 1 << 20));
  auto checkpoint = format::decode_timer_checkpoint(as_bytes(raw));
  if (!checkpoint) {
    return Error{Errc::kCorrupt, fmt::format("{}: {} bytes, expected {}", path, raw.size(),
                                             format::TimerCheckpoint::kEncodedBytes)};
  }
  return checkpoint;
}

}  // namespace mq::inspect

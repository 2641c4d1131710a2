#include "inspect/verify_timer.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "format/names.h"

namespace mq::inspect {
namespace {

using format::TimerSlot;
using format::TimerUnit;

constexpr auto kUnitBytes = static_cast<std::int64_t>(TimerUnit::kEncodedBytes);
constexpr auto kSlotBytes = static_cast<std::int64_t>(TimerSlot::kEncodedBytes);

}  // namespace

void VerifyTimer::add(Severity severity, std::string file, std::int64_t at, std::string what,
                      std::string expected, std::string found) {
  report_.add(Part::kState, {.severity = severity,
                             .file = std::move(file),
                             .at = at,
                             .what = std::move(what),
                             .expected = std::move(expected),
                             .found = std::move(found)});
}

void VerifyTimer::run(std::int64_t queue_end) {
  list_log();
  walk_log();
  walk_wheel();
  check_checkpoint(queue_end);
}

void VerifyTimer::list_log() {
  const std::string directory = facts_.root + "/timerlog";
  const auto names = fs_.list(directory);
  if (!names) return;
  std::map<std::int64_t, int> lengths;
  for (const std::string& name : *names) {
    const std::string path = directory + "/" + name;
    const auto stat = fs_.stat(path);
    if (!stat || stat->is_directory) continue;
    const auto start = format::parse_stream_file_name(name);
    if (!start || *start > INT64_MAX - stat->bytes) {
      add(Severity::kDamage, path, -1, "a file that does not belong here; brokers refuse to start",
          "20 digits");
      continue;
    }
    log_.push_back({path, *start, stat->bytes});
    ++lengths[stat->bytes];
  }
  if (log_.empty()) return;
  const std::int64_t length =
      std::max_element(lengths.begin(), lengths.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
      })->first;
  for (std::size_t i = 0; i < log_.size(); ++i) {
    const LogFile& file = log_[i];
    if (file.bytes != length) {
      add(Severity::kDamage, file.path, std::min(file.bytes, length),
          "the file has another length than the others; brokers refuse to start",
          fmt::format("{} bytes", length), fmt::format("{} bytes", file.bytes));
    } else if (i > 0 && log_[i - 1].start + length < file.start) {
      add(Severity::kDamage, file.path, 0, "the file before it is missing");
    }
  }
  begin_ = end_ = log_.front().start;
}

void VerifyTimer::walk_log() {
  for (std::size_t i = 0; i < log_.size(); ++i)
    if (!walk_file(log_[i], i + 1 == log_.size())) break;
  flush_bad();
}

bool VerifyTimer::walk_file(const LogFile& file, bool is_last) {
  const auto in = fs_.open(file.path, fs::OpenMode::kRead);
  if (!in) {
    if (!facts_.live) add(Severity::kDamage, file.path, -1, "cannot be read: " + in.error().text());
    return true;
  }
  const CacheKeeper cache = CacheKeeper::of(**in, file.bytes);
  std::vector<std::byte> block(static_cast<std::size_t>(kUnitBytes) * 1024);
  bool goes_on = true;
  for (std::int64_t at = 0; at + kUnitBytes <= file.bytes;) {
    const auto got = (*in)->read_at(at, block);
    if (!got || *got < static_cast<std::size_t>(kUnitBytes)) break;
    std::size_t i = 0;
    for (; i + kUnitBytes <= *got; i += kUnitBytes) {
      const Bytes raw = Bytes(block).subspan(i, kUnitBytes);
      const std::int64_t place = at + static_cast<std::int64_t>(i);
      const auto unit = format::decode_timer_unit(raw);
      if (unit) {
        check_unit(file, place, *unit);
        end_ = file.start + place + kUnitBytes;
        continue;
      }
      goes_on = format::is_timer_blank(raw);
      if (!goes_on && unit.error().code() == Errc::kNotFound && is_last) {
        // The end.
      } else if (!goes_on && !facts_.live) {
        flush_bad();
        const bool is_torn = is_last && facts_.crashed;
        add(is_torn ? Severity::kNormal : Severity::kDamage, file.path, place,
            unit.error().code() == Errc::kNotFound ? "zeros, and files follow"
                                                   : unit.error().text());
      }
      cache.drop(**in, 0, file.bytes);
      return goes_on;
    }
    at += static_cast<std::int64_t>(i);
  }
  cache.drop(**in, 0, file.bytes);
  return goes_on;
}

bool VerifyTimer::is_unit_place(std::int64_t position) const {
  const auto behind = std::partition_point(
      log_.begin(), log_.end(), [position](const LogFile& f) { return f.start <= position; });
  if (behind == log_.begin()) return false;
  return (position - std::prev(behind)->start) % kUnitBytes == 0;
}

void VerifyTimer::check_unit(const LogFile& file, std::int64_t at, const TimerUnit& unit) {
  const std::int64_t position = file.start + at;
  const bool has_previous = unit.previous >= begin_;  // older files are deleted
  if (unit.previous < -1 || unit.previous >= position ||
      (has_previous && !is_unit_place(unit.previous))) {
    bad_unit(file, at, "position of the unit before it in its slot",
             fmt::format("-1, or a unit's before {}", position), fmt::format("{}", unit.previous));
    return;
  }
  if (unit.commitlog_offset >= facts_.append_at) {
    if (!facts_.is_unsettled()) {
      bad_unit(file, at, "unit for a message behind the end of the log",
               fmt::format("less than {}", facts_.append_at.value()),
               fmt::format("{}", unit.commitlog_offset.value()));
    }
    return;
  }
  if (unit.commitlog_offset < facts_.begin && unit.commitlog_offset >= PhysicalOffset(0)) return;
  if (facts_.stretch_of(unit.commitlog_offset) != nullptr) return;
  const auto bytes = record_bytes_(unit.commitlog_offset);
  if (bytes && *bytes == unit.record_bytes) return;
  bad_unit(file, at, fmt::format("unit for the message at {}", unit.commitlog_offset.value()),
           bytes ? fmt::format("{} bytes", *bytes) : "a message",
           bytes ? fmt::format("{} bytes", unit.record_bytes) : "none");
}

void VerifyTimer::bad_unit(const LogFile& file, std::int64_t at, std::string what,
                           std::string expected, std::string found) {
  if (bad_.count > 0 && bad_.file == file.path && bad_.next == at) {
    ++bad_.count;
    bad_.next += kUnitBytes;
    return;
  }
  flush_bad();
  bad_ = {file.path,        at, at + kUnitBytes, std::move(what), std::move(expected),
          std::move(found), 1};
}

void VerifyTimer::flush_bad() {
  Run run = std::exchange(bad_, {});
  if (run.count == 0) return;
  if (run.count > 1) run.what += fmt::format("; so are the {} behind it", run.count - 1);
  add(Severity::kDamage, std::move(run.file), run.at, std::move(run.what), std::move(run.expected),
      std::move(run.found));
}

void VerifyTimer::walk_wheel() {
  const std::string path = facts_.root + "/timerwheel";
  const auto stat = fs_.stat(path);
  if (!stat || stat->bytes == 0) return;
  if (stat->bytes != TimerSlot::kFileBytes) {
    add(Severity::kDamage, path, std::min(stat->bytes, TimerSlot::kFileBytes),
        "length of the wheel; brokers refuse to start",
        fmt::format("{} bytes", TimerSlot::kFileBytes), fmt::format("{} bytes", stat->bytes));
    return;
  }
  const auto in = fs_.open(path, fs::OpenMode::kRead);
  if (!in) return add(Severity::kDamage, path, -1, "cannot be read: " + in.error().text());
  const CacheKeeper cache = CacheKeeper::of(**in, stat->bytes);
  std::vector<std::byte> block(64 << 10);
  for (std::int64_t at = 0; at < stat->bytes;) {
    // Most of it is a hole.
    if (const auto data = (*in)->next_data(at)) at = std::max(at, *data / kSlotBytes * kSlotBytes);
    const auto got = (*in)->read_at(at, block);
    if (!got || *got < static_cast<std::size_t>(kSlotBytes)) break;
    for (std::size_t i = 0; i + kSlotBytes <= *got; i += kSlotBytes) {
      const auto slot = format::decode_timer_slot(Bytes(block).subspan(i, kSlotBytes));
      if (slot && *slot != TimerSlot{})
        check_slot((at + static_cast<std::int64_t>(i)) / kSlotBytes, *slot);
    }
    at += static_cast<std::int64_t>(*got) / kSlotBytes * kSlotBytes;
  }
  cache.drop(**in, 0, stat->bytes);
}

// Slots are not cleared, only written again: an old one may name units of files that are gone.
void VerifyTimer::check_slot(std::int64_t number, const TimerSlot& slot) {
  const std::string path = facts_.root + "/timerwheel";
  const std::int64_t at = number * kSlotBytes;
  if (slot.time < 0 || slot.time % TimerSlot::kCount != number) {
    add(Severity::kDamage, path, at, fmt::format("time of slot {}", number),
        fmt::format("{} more than a multiple of {}", number, TimerSlot::kCount),
        fmt::format("{}", slot.time));
    return;
  }
  for (const auto& [name, position, offset] :
       {std::tuple{"oldest", slot.first, 8}, std::tuple{"newest", slot.last, 16}}) {
    if (position < begin_) continue;
    if (position < end_ && is_unit_place(position) && slot.first <= slot.last) continue;
    if (position >= end_ && facts_.is_unsettled()) continue;  // scanned again at the next start
    add(Severity::kDamage, path, at + offset, fmt::format("{} unit of slot {}", name, number),
        fmt::format("a unit's position before {}", end_), fmt::format("{}", position));
    return;
  }
}

void VerifyTimer::check_checkpoint(std::int64_t queue_end) {
  const std::string path = facts_.root + "/config/timercheck";
  const auto raw = fs::read_file(fs_, path, 1 << 20);
  if (!raw) {
    // Our broker makes it a second after the first timed message, the reference when it starts.
    if (queue_end > 0 && raw.error().code() == Errc::kNotFound && !facts_.live) {
      add(facts_.crashed ? Severity::kNormal : Severity::kDamage, path, -1,
          "missing: a broker reads the timer's queue again and delivers its messages a second "
          "time");
    }
    return;
  }
  const auto checkpoint = format::decode_timer_checkpoint(as_bytes(*raw));
  if (!checkpoint || raw->size() != format::TimerCheckpoint::kEncodedBytes) {
    add(Severity::kDamage, path, static_cast<std::int64_t>(raw->size()),
        "length of the timer's checkpoint",
        fmt::format("{} bytes", format::TimerCheckpoint::kEncodedBytes),
        fmt::format("{} bytes", raw->size()));
    if (!checkpoint) return;
  }
  const auto check = [&](const char* name, std::int64_t at, std::int64_t value, std::int64_t most) {
    if (value >= 0 && (value <= most || facts_.live)) return;
    add(value > 0 && facts_.crashed ? Severity::kNormal : Severity::kDamage, path, at, name,
        fmt::format("0 to {}", most), fmt::format("{}", value));
  };
  check("lastReadTimeMs", 0, checkpoint->last_read_time_ms, INT64_MAX);
  check("lastTimerLogFlushPos", 8, checkpoint->last_log_flush_position, end_);
  check("lastTimerQueueOffset", 16, checkpoint->last_queue_offset.value(), queue_end);
  check("masterTimerQueueOffset", 24, checkpoint->master_queue_offset.value(), queue_end);
}

}  // namespace mq::inspect

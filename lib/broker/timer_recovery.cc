// Opening the timer's files: wheel, log, check and queue are brought in line with each other.
#include <algorithm>
#include <limits>
#include <unordered_map>

#include <fmt/format.h>

#include "base/log.h"
#include "broker/state_file.h"
#include "broker/timer.h"
#include "format/names.h"
#include "format/properties.h"
#include "format/record.h"

namespace mq::broker {
namespace {

// Where reading begins when nothing says how far it was: 7 days less a minute ago, as the
// reference.
constexpr std::int64_t kReadBackSlots = 604'800 - 60;

}  // namespace

Result<void> Timer::open(std::int64_t now_ms) {
  MQ_CHECK(load_check());
  MQ_CHECK(log_.open());
  MQ_CHECK(wheel_.load());
  MQ_CHECK(check_precision());
  const std::int64_t last_read = tick_of(check().last_read_time_ms);
  read_ms_ = last_read > 0 ? last_read
                           : std::max<std::int64_t>(
                                 0, tick_of(now_ms) - kReadBackSlots * options_.precision_ms);
  write_ms_ = std::max(read_ms_, tick_of(now_ms));
  now_ms_ = flushed_ms_ = metrics_ms_ = expired_ms_ = now_ms;
  MQ_CHECK(recover_log());
  recount(now_ms);
  publish();
  return {};
}

Result<void> Timer::load_check() {
  const std::string file = path("config/timercheck");
  auto opened = options_.fs.open(file, fs::OpenMode::kReadWrite);
  if (!opened) {
    if (opened.error().code() == Errc::kNotFound) return {};
    return std::move(opened).error();
  }
  check_file_ = std::move(*opened);
  std::array<std::byte, format::TimerCheckpoint::kEncodedBytes> raw{};
  MQ_TRY(const std::size_t got, check_file_->read_at(0, raw));
  auto decoded = format::decode_timer_checkpoint(Bytes(raw).first(got));
  if (decoded && (decoded->last_read_time_ms < 0 || decoded->last_log_flush_position < 0 ||
                  decoded->master_queue_offset < QueueOffset(0))) {
    decoded = Error{Errc::kCorrupt, "a time or position below zero"};
  }
  const MutexLock lock(mu_);
  if (decoded) {
    check_ = *decoded;
  } else {
    log::warn("{}: {}; the timer's queue is read again", file, decoded.error().to_string());
  }
  return {};
}

// Slots of another precision would never be looked at.
Result<void> Timer::check_precision() const {
  std::int64_t found = options_.precision_ms;
  wheel_.for_each_used([&](std::int64_t time_ms, const format::TimerSlot& slot) {
    const auto unit = log_.read(slot.last);
    if (found != options_.precision_ms || !unit || unit->is_done()) return;
    const std::int64_t precision = unit->due_ms() / std::max<std::int64_t>(1, slot.time);
    if (unit->due_ms() != time_ms && unit->due_ms() == slot.time * precision) found = precision;
  });
  if (found == options_.precision_ms) return {};
  return Error{Errc::kInvalid,
               fmt::format("timerPrecisionMs={}: the timers of this store were written with {}; "
                           "with another precision they would be lost",
                           options_.precision_ms, found)};
}

Result<void> Timer::recover_log() {
  const format::TimerCheckpoint known = check();
  // Units of records from here on may be in the log although the check does not count them yet.
  const QueueOffset counted =
      std::max(known.master_queue_offset, options_.store.min_offset(format::kTimerTopic, 0));
  std::array<format::ConsumeQueueEntry, 1> entry{};
  const auto got = options_.store.entries(format::kTimerTopic, 0, counted, entry);
  const PhysicalOffset not_counted = got && *got == 1 && !entry[0].is_filler()
                                         ? entry[0].commitlog_offset
                                         : PhysicalOffset(std::numeric_limits<std::int64_t>::max());
  std::optional<PhysicalOffset> last_record;
  // A power cut may have taken the message and left its unit, which would then name another one.
  const PhysicalOffset log_end = options_.store.written();
  const auto visit = [&](std::int64_t position, const format::TimerUnit& unit) {
    if (unit.commitlog_offset >= log_end) return false;
    last_record = unit.commitlog_offset;
    if (unit.is_done()) return true;
    if (unit.commitlog_offset >= not_counted) known_.push_back(unit.commitlog_offset.value());
    if (unit.due_ms() < read_ms_) return true;
    format::TimerSlot slot = wheel_.get(unit.due_ms());
    if (slot.last >= position) return true;
    if (slot.is_empty()) slot.first = position;
    slot.last = position;
    wheel_.put(unit.due_ms(), slot);
    return true;
  };
  MQ_CHECK(log_.recover(known.last_log_flush_position - options_.log_file_bytes, visit));
  std::sort(known_.begin(), known_.end());
  mend_slots_behind(log_.end());
  queue_next_ = queue_start(last_record);
  if (log_.end() < known.last_log_flush_position) {
    log::warn("timer log: ends at {}, not at {}; the timer's queue is read again from {}",
              log_.end(), known.last_log_flush_position, queue_next_.value());
  }
  return {};
}

// Slots whose chain begins behind the log's end: what of it is left is found from its oldest unit
// on.
void Timer::mend_slots_behind(std::int64_t end) {
  std::int64_t from = end;
  wheel_.for_each_used([&](std::int64_t time_ms, format::TimerSlot slot) {
    if (slot.last < end) return;
    if (time_ms >= read_ms_ && slot.first >= 0) from = std::min(from, slot.first);
    wheel_.clear(time_ms);
  });
  for (std::int64_t at = std::max(from, log_.begin()); at < end;) {
    const auto unit = log_.read(at);
    if (!unit) {  // the end mark of a file
      at = at - at % options_.log_file_bytes + options_.log_file_bytes;
      continue;
    }
    format::TimerSlot slot = wheel_.get(unit->due_ms());
    if (!unit->is_done() && unit->due_ms() >= read_ms_ && slot.last < at) {
      if (slot.is_empty()) slot.first = at;
      slot.last = at;
      wheel_.put(unit->due_ms(), slot);
    }
    at += static_cast<std::int64_t>(format::TimerUnit::kEncodedBytes);
  }
}

// The first message that is not known to have been taken in. The check was written after the log:
// as long as that is all there, the queue has been taken in as far as the check says, also where
// the last unit is of an older message because the reference delivered newer ones without a unit.
QueueOffset Timer::queue_start(std::optional<PhysicalOffset> last_record) const {
  const format::TimerCheckpoint known = check();
  QueueOffset next = last_record ? known.master_queue_offset : known.last_queue_offset;
  if (last_record && log_.end() < known.last_log_flush_position) {
    const auto view = options_.store.get_record(*last_record);
    const auto record = view ? format::decode_record(view->bytes, format::CheckBody::kNo)
                             : Result<format::Record>(view.error());
    if (record && record->topic == format::kTimerTopic)
      next = std::min(next, record->queue_offset + 1);
  }
  const QueueOffset min = options_.store.min_offset(format::kTimerTopic, 0);
  const QueueOffset max = options_.store.max_offset(format::kTimerTopic, 0);
  return std::clamp(next, min, std::max(min, max));
}

// What waits, counted from the chains: neither the slots' counts nor the metrics survive a crash.
void Timer::recount(std::int64_t now_ms) {
  std::unordered_map<std::int32_t, std::string> names;
  const auto name_of = [&](const format::TimerUnit& unit) -> const std::string& {
    auto& name = names[unit.topic_hash];
    if (name.empty()) {
      const auto view = options_.store.get_record(unit.commitlog_offset);
      const auto record = view ? format::decode_record(view->bytes, format::CheckBody::kNo)
                               : Result<format::Record>(view.error());
      if (record) name = format::find_property(record->properties, format::kRealTopic).value_or("");
    }
    return name;
  };
  format::TimerMetrics counted;
  std::int64_t pending = 0;
  wheel_.for_each_used([&](std::int64_t time_ms, format::TimerSlot slot) {
    if (time_ms < read_ms_) return;
    ++used_slots_;
    std::int32_t count = 0;
    for (std::int64_t at = slot.last; at >= 0;) {
      const auto unit = log_.read(at);
      if (!unit || unit->previous >= at) break;
      if (!unit->is_done()) {
        const std::int32_t one = unit->is_delete() ? -1 : 1;
        count += one;
        auto& entry = counted.topics[name_of(*unit)];
        entry.count += one;
        entry.timestamp_ms = now_ms;
      }
      at = unit->previous;
    }
    pending += count;
    if (count != slot.count) {
      slot.count = count;
      wheel_.put(time_ms, slot);
    }
  });
  counted.topics.erase("");
  // The version goes on from what was written; topics without anything left are left out.
  (void)load_state_file(options_.fs, path("config/timermetrics"),
                        [&](std::string_view text) -> Result<void> {
                          MQ_TRY(const auto stored, format::parse_timer_metrics_json(text));
                          counted.version = stored.version;
                          counted.extra = stored.extra;
                          return {};
                        });
  const MutexLock lock(mu_);
  metrics_ = std::move(counted);
  state_.pending = pending;
}

}  // namespace mq::broker

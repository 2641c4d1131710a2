#include "broker/timer.h"

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "base/log.h"
#include "format/names.h"
#include "format/properties.h"
#include "format/record.h"

namespace mq::broker {
namespace {

constexpr std::int64_t kRetryMs = 100;
constexpr std::int64_t kNever = INT64_MAX;
constexpr std::int32_t kTakenAtOnce = 512;
constexpr std::int64_t kRollSlotsMax = 604'740;  // 7 days less a minute, in seconds
// How far delivery may be behind before nothing new is taken in: no slot is then used twice.
constexpr std::int64_t kLagSlotsMax = format::TimerSlot::kCount / 2;
// What the reference writes as the enqueue time of a message that never saw the wheel.
constexpr std::int64_t kNotEnqueued = INT64_MAX;

std::optional<std::int64_t> number_property(std::string_view properties, std::string_view name) {
  const auto text = format::find_property(properties, name);
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return value;
}

Timer::Options checked(Timer::Options options) {
  if (options.roll_slots < 2 || options.roll_slots > kRollSlotsMax)
    options.roll_slots = kRollSlotsMax;
  return options;
}

}  // namespace

Timer::Timer(Options options)
    : options_(checked(std::move(options))),
      wheel_(options_.fs, path("timerwheel"), options_.precision_ms),
      log_({.fs = options_.fs,
            .directory = path("timerlog"),
            .file_bytes = options_.log_file_bytes}) {}

std::int64_t Timer::step(std::int64_t now_ms, std::int64_t budget) {
  now_ms_ = now_ms;
  set_time(now_ms);
  bool has_more = false;
  if (rewind() && (not_before_ms_ <= now_ms || not_before_ms_ - now_ms > kRetryMs)) {
    set_limit();
    const bool lags = (write_ms_ - read_ms_) / options_.precision_ms >= kLagSlotsMax;
    if (!lags) has_more = enqueue(now_ms, budget);
    if (lags || !has_more || queue_next_ >= take_to_) fire(now_ms, budget);
  }
  flush(now_ms);
  expire(now_ms);
  publish();
  return next_ms(now_ms, has_more);
}

std::int64_t Timer::next_ms(std::int64_t now_ms, bool has_more) const {
  if (read_ms_ > write_ms_ || log_.in_memory() > 0) return now_ms + kRetryMs;
  if (not_before_ms_ > now_ms && not_before_ms_ - now_ms <= kRetryMs) return not_before_ms_;
  if (firing_ || read_ms_ < write_ms_ || has_more) return now_ms;
  std::int64_t next = used_slots_ > 0 ? write_ms_ + options_.precision_ms : kNever;
  if (mark_.state() == DurableMark::State::kWaiting) next = std::min(next, now_ms + kRetryMs);
  if (is_changed_ && !has_failed_)
    next = std::min(next, std::max(now_ms + kRetryMs, flushed_ms_ + options_.flush_interval_ms));
  return next;
}

// --- time

void Timer::set_time(std::int64_t now_ms) {
  const std::int64_t tick = tick_of(now_ms);
  // A slot that has begun is delivered to its end, whatever the clock says now.
  if (tick >= write_ms_ || !firing_) write_ms_ = tick;
}

// What is to be delivered together, and how much of the queue is taken in before that: not more
// than there is now, so that a busy sender holds nothing up.
void Timer::set_limit() {
  if (fire_to_ms_ > write_ms_) fire_to_ms_ = write_ms_;  // the clock was set back
  if (read_ms_ < fire_to_ms_) return;
  fire_to_ms_ = write_ms_;
  take_to_ = options_.store.max_offset(format::kTimerTopic, 0);
}

// After the clock was set back, delivered slots are in the future again. True when all is well.
bool Timer::rewind() {
  if (read_ms_ <= write_ms_) return true;
  switch (rewind_mark_.state()) {
    case DurableMark::State::kNone:
    case DurableMark::State::kFailed:
      rewind_mark_.ask(options_.store, delivered_end_);
      if (rewind_mark_.state() != DurableMark::State::kReached) return false;
      break;
    case DurableMark::State::kWaiting:
      return false;
    case DurableMark::State::kReached:
      break;
  }
  rewind_mark_.forget();
  log::warn("timer: the clock was set back {} ms", read_ms_ - write_ms_);
  // What they held has been delivered for good; they must be empty when their time comes again.
  for (auto used = wheel_.next_used(write_ms_, read_ms_); used;
       used = wheel_.next_used(*used + options_.precision_ms, read_ms_)) {
    wheel_.clear(*used);
  }
  read_ms_ = write_ms_;
  is_changed_ = true;
  return true;
}

// --- delivery

void Timer::fire(std::int64_t now_ms, std::int64_t budget) {
  while (read_ms_ < fire_to_ms_) {
    if (!firing_) {
      const auto used = wheel_.next_used(read_ms_, fire_to_ms_);
      read_ms_ = used.value_or(fire_to_ms_);
      if (!used) return;
      begin_slot(*used);
    }
    while (const TimerFiring::Due* due = firing_->front()) {
      if (budget-- <= 0) return;
      if (fire_one(*due, now_ms) == CopyOutcome::kLater) {
        not_before_ms_ = now_ms + kRetryMs;
        return;
      }
      firing_->pop();
    }
    end_slot();
  }
}

void Timer::begin_slot(std::int64_t slot_ms) {
  deleted_.clear();
  const auto note_marker = [&](PhysicalOffset record_at) {
    const auto view = options_.store.get_record(record_at);
    if (!view) return;
    const auto record = format::decode_record(view->bytes, format::CheckBody::kNo);
    if (!record) return;
    const auto key = format::find_property(record->properties, format::kTimerDeleteKey);
    if (!key) return;
    Deleted& deleted = deleted_[std::string(*key)];
    deleted.topic = format::find_property(record->properties, format::kRealTopic).value_or("");
    ++deleted.markers;
  };
  firing_.emplace(log_,
                  TimerFiring::Options{.slot_ms = slot_ms,
                                       .precision_ms = options_.precision_ms,
                                       .last = wheel_.get(slot_ms).last},
                  note_marker);
}

void Timer::end_slot() {
  // A marker was counted for a message that it takes away.
  for (const auto& [key, deleted] : deleted_)
    add_metric(deleted.topic, deleted.markers - (deleted.is_found ? 1 : 0), now_ms_);
  deleted_.clear();
  firing_.reset();
  read_ms_ += options_.precision_ms;
  --used_slots_;
  is_changed_ = true;
}

// Is it the message that the unit was written for? Its time tells.
bool Timer::belongs_here(const format::Record& record, bool is_roll) const {
  const auto out_ms = number_property(record.properties, format::kTimerOutMs);
  if (!out_ms) return false;
  return is_roll ? tick_of(*out_ms) > read_ms_ : tick_of(*out_ms) == read_ms_;
}

CopyOutcome Timer::fire_one(const TimerFiring::Due& due, std::int64_t now_ms) {
  const auto view = options_.store.get_record(due.record_at);
  const auto record = view ? format::decode_record(view->bytes, format::CheckBody::kNo)
                           : Result<format::Record>(view.error());
  if (!record || record->topic != format::kTimerTopic || !belongs_here(*record, due.is_roll)) {
    log::error("timer: a message of {} (commit log {}) is not delivered: {}", read_ms_,
               due.record_at.value(), record ? "another record" : record.error().text());
    const MutexLock lock(mu_);
    --state_.pending;
    return CopyOutcome::kNever;
  }
  if (due.is_roll) return roll(*record, due.write_ms, now_ms);
  if (!deleted_.empty()) {
    const auto topic = format::find_property(record->properties, format::kRealTopic);
    const auto id = format::find_property(record->properties, format::kUniqKey);
    if (topic && id) {
      const auto deleted = deleted_.find(std::string(*topic).append("+").append(*id));
      if (deleted != deleted_.end() && !std::exchange(deleted->second.is_found, true))
        return CopyOutcome::kStored;
      if (deleted != deleted_.end()) {  // sent twice with one id: all of them are taken back
        add_metric(*topic, -1, now_ms);
        return CopyOutcome::kStored;
      }
    }
  }
  const CopyOutcome outcome = deliver(*record, due.write_ms, now_ms);
  if (outcome != CopyOutcome::kLater) {
    add_metric(format::find_property(record->properties, format::kRealTopic).value_or(""), -1,
               now_ms);
  }
  return outcome;
}

CopyOutcome Timer::deliver(const format::Record& record, std::int64_t enqueue_ms,
                           std::int64_t now_ms) {
  const auto target = real_target(record.properties);
  if (!target) {
    log::error("timer: the message at {} does not say where it belongs",
               record.physical_offset.value());
    return CopyOutcome::kNever;
  }
  properties_ = record.properties;
  format::set_property(properties_, format::kTimerEnqueueMs, std::to_string(enqueue_ms));
  format::set_property(properties_, format::kTimerDequeueMs, std::to_string(now_ms));
  // They are for people: a message that has no room for them goes without.
  const bool fits = properties_.size() <= format::kPropertiesBytesMax;
  return put(record, target->topic, target->queue_id,
             fits ? std::string_view(properties_) : record.properties);
}

// Once more round the wheel, as if it had just been sent.
CopyOutcome Timer::roll(const format::Record& record, std::int64_t write_ms, std::int64_t now_ms) {
  properties_ = record.properties;
  const auto times = number_property(record.properties, format::kTimerRollTimes).value_or(0);
  format::set_property(properties_, format::kTimerEnqueueMs, std::to_string(write_ms));
  format::set_property(properties_, format::kTimerRollTimes, std::to_string(times + 1));
  format::set_property(properties_, format::kTimerDequeueMs, std::to_string(now_ms));
  const bool fits = properties_.size() <= format::kPropertiesBytesMax;
  const CopyOutcome outcome = put(record, record.topic, record.queue_id,
                                  fits ? std::string_view(properties_) : record.properties);
  if (outcome == CopyOutcome::kStored) {
    const bool marker =
        format::find_property(record.properties, format::kTimerDeleteKey).has_value();
    add_metric(format::find_property(record.properties, format::kRealTopic).value_or(""),
               marker ? 1 : -1, now_ms);
  }
  return outcome;
}

CopyOutcome Timer::put(const format::Record& record, std::string_view topic, QueueId queue,
                       std::string_view properties) {
  const store::PutResult result = put_copy(
      options_.store, record, {.topic = topic, .queue_id = queue, .properties = properties});
  const CopyOutcome outcome = outcome_of(result.status);
  if (outcome == CopyOutcome::kNever) {
    log::error("timer: the message at {} is not delivered: {}", record.physical_offset.value(),
               result.reason);
  }
  if (outcome != CopyOutcome::kStored) return outcome;
  delivered_end_ = std::max(delivered_end_, result.end);
  is_changed_ = true;
  if (options_.stats != nullptr && topic != format::kTimerTopic) {
    options_.stats->put(topic, 1, static_cast<std::int64_t>(record.body.size()));
    options_.stats->timer_fired();
  }
  return outcome;
}

// --- taking in

// True when there is more.
bool Timer::enqueue(std::int64_t now_ms, std::int64_t budget) {
  bool has_more = false;
  while (true) {
    // What does not fit on the disk now stays in the queue.
    if (log_.in_memory() > 0 && !log_.write_out()) return false;
    const auto wanted = static_cast<std::int32_t>(std::min<std::int64_t>(budget, kTakenAtOnce));
    if (wanted <= 0) {
      has_more = true;
      break;
    }
    const store::GetResult got = options_.store.get({.topic = format::kTimerTopic,
                                                     .queue_id = 0,
                                                     .offset = queue_next_,
                                                     .count_max = wanted,
                                                     .ignore_transfer_limits = true});
    if (got.next <= queue_next_) break;
    for (const store::SegmentView& span : got.spans) {
      for (Bytes rest = span.bytes; !rest.empty();) {
        const auto record = format::decode_record(rest, format::CheckBody::kNo);
        if (!record) break;
        if (!enqueue_one(*record, now_ms)) {
          not_before_ms_ = now_ms + kRetryMs;
          (void)log_.write_out();
          return false;
        }
        queue_next_ = record->queue_offset + 1;
        rest = rest.subspan(static_cast<std::size_t>(record->total_bytes));
      }
    }
    queue_next_ = got.next;
    is_changed_ = true;
    budget -= std::max(1, got.count);
    if (auto done = log_.write_out(); !done) {
      log::warn("timer log: {}; timed messages wait in their queue", done.error().to_string());
      return false;
    }
  }
  return has_more;
}

// False when it must be tried again.
bool Timer::enqueue_one(const format::Record& record, std::int64_t now_ms) {
  const auto out_ms = number_property(record.properties, format::kTimerOutMs);
  const auto topic = format::find_property(record.properties, format::kRealTopic);
  if (!out_ms || *out_ms < 0 || !topic) {
    log::warn("timer: the message at {} does not say when and where: passed over",
              record.physical_offset.value());
    return true;
  }
  if (!known_.empty()) {
    if (std::binary_search(known_.begin(), known_.end(), record.physical_offset.value()))
      return true;
    if (record.physical_offset.value() > known_.back()) known_ = {};
  }
  const bool marker = format::find_property(record.properties, format::kTimerDeleteKey).has_value();
  const std::int64_t slot_ms = tick_of(*out_ms);
  const std::int32_t kind =
      format::TimerUnit::kMagicDefault | (marker ? format::TimerUnit::kMagicDelete : 0);
  if (slot_ms < write_ms_) {
    // Into a slot that has not begun, so that messages and what takes them back meet there, though
    // the broker was down meanwhile. After that a marker is too late.
    if (slot_ms >= read_ms_ && !(firing_ && firing_->slot_ms() == slot_ms)) {
      add_unit(record, slot_ms, kind, *topic);
      return true;
    }
    if (marker) return true;
    if (deliver(record, kNotEnqueued, now_ms) == CopyOutcome::kLater) return false;
    note_done(record, *topic);
    return true;
  }
  const std::int64_t window_ms = options_.roll_slots * options_.precision_ms;
  const std::int64_t beyond_ms = slot_ms - write_ms_ - window_ms;
  if (beyond_ms < 0) {
    add_unit(record, slot_ms, kind, *topic);
  } else {
    // Not so that the last round becomes a short one.
    const bool soon = beyond_ms < options_.roll_slots / 3 * options_.precision_ms;
    const std::int64_t first_ms =
        soon ? options_.roll_slots / 2 * options_.precision_ms : window_ms;
    add_unit(record, write_ms_ + first_ms, kind | format::TimerUnit::kMagicRoll, *topic);
  }
  return true;
}

// Appends the unit and links it into its slot, which has not been delivered.
void Timer::add_unit(const format::Record& record, std::int64_t slot_ms, std::int32_t magic,
                     std::string_view topic) {
  format::TimerSlot slot = wheel_.get(slot_ms);
  const std::int64_t position =
      log_.append({.previous = slot.last,
                   .magic = magic,
                   .write_time_ms = write_ms_,
                   .delay_ms = static_cast<std::int32_t>(slot_ms - write_ms_),
                   .commitlog_offset = record.physical_offset,
                   .record_bytes = record.total_bytes,
                   .topic_hash = java_string_hash(topic)});
  const std::int64_t count = (magic & format::TimerUnit::kMagicDelete) != 0 ? -1 : 1;
  if (slot.is_empty()) {
    slot.first = position;
    ++used_slots_;
  }
  slot.last = position;
  slot.count += static_cast<std::int32_t>(count);
  wheel_.put(slot_ms, slot);
  add_metric(topic, count, now_ms_);
  is_changed_ = true;
  if (options_.stats != nullptr) options_.stats->timer_enqueued();
}

// A message that was delivered at once has a unit all the same, so that the log tells how far the
// queue has been taken in. It names the tick before this one, which no reader will look at again.
void Timer::note_done(const format::Record& record, std::string_view topic) {
  const std::int64_t slot_ms = write_ms_ - options_.precision_ms;
  (void)log_.append({.previous = wheel_.get(slot_ms).last,
                     .magic = format::TimerUnit::kMagicDefault | format::TimerUnit::kMagicDone,
                     .write_time_ms = write_ms_,
                     .delay_ms = static_cast<std::int32_t>(-options_.precision_ms),
                     .commitlog_offset = record.physical_offset,
                     .record_bytes = record.total_bytes,
                     .topic_hash = java_string_hash(topic)});
  is_changed_ = true;
}

// --- figures

void Timer::add_metric(std::string_view topic, std::int64_t count, std::int64_t now_ms) {
  if (count == 0) return;
  const MutexLock lock(mu_);
  auto& entry = metrics_.topics[std::string(topic)];
  entry.count += count;
  entry.timestamp_ms = now_ms;
  metrics_.version.bump(now_ms);
  state_.pending += count;
}

void Timer::publish() {
  const std::int64_t behind = options_.store.max_offset(format::kTimerTopic, 0) - queue_next_;
  const MutexLock lock(mu_);
  state_.read_ms = read_ms_;
  state_.queue_behind = std::max<std::int64_t>(0, behind);
}

Timer::State Timer::state() const {
  const MutexLock lock(mu_);
  return state_;
}
format::TimerMetrics Timer::metrics() const {
  const MutexLock lock(mu_);
  return metrics_;
}
format::TimerCheckpoint Timer::check() const {
  const MutexLock lock(mu_);
  return check_;
}

}  // namespace mq::broker

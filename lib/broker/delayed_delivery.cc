#include "broker/delayed_delivery.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "broker/put_copy.h"
#include "broker/state_file.h"
#include "format/names.h"
#include "format/properties.h"
#include "format/record.h"

namespace mq::broker {
namespace {

constexpr std::size_t kReadAhead = 256;
constexpr std::int64_t kRetryMs = 100;
constexpr std::int64_t kNever = INT64_MAX;
// A due time that far beyond the level's delay means another clock, not a record that was stored
// while a long step ran.
constexpr std::int64_t kOtherClockMs = 60'000;

}  // namespace

DelayedDelivery::DelayedDelivery(Options options) : options_(std::move(options)) {}

Result<void> DelayedDelivery::load(std::int64_t now_ms) {
  MQ_CHECK(load_state_file(options_.fs, options_.path, [&](std::string_view text) -> Result<void> {
    MQ_TRY(file_, format::parse_delay_offset_json(text));
    return {};
  }));
  // Queues of levels that are configured no longer are served all the same: their messages carry
  // their due times.
  std::set<std::int32_t> numbers;
  for (std::int32_t n = 1; n <= options_.levels.count(); ++n) numbers.insert(n);
  for (const auto& [topic, queue] : options_.store.queues())
    if (topic == format::kScheduleTopic && queue >= 0) numbers.insert(queue + 1);
  for (const std::int32_t number : numbers) {
    Level level;
    level.number = number;
    const auto known = file_.offsets.find(number);
    const QueueOffset min = options_.store.min_offset(format::kScheduleTopic, level.queue());
    const QueueOffset max = options_.store.max_offset(format::kScheduleTopic, level.queue());
    level.next = std::clamp(QueueOffset(known == file_.offsets.end() ? 0 : known->second), min,
                            std::max(min, max));
    levels_.push_back(std::move(level));
  }
  flushed_ms_ = now_ms;
  return {};
}

std::int64_t DelayedDelivery::step(std::int64_t now_ms, std::int64_t budget) {
  std::int64_t next_ms = kNever;
  // Each time another one is first, so that a long queue does not hold up the others.
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    Level& level = levels_[(first_level_ + i) % levels_.size()];
    next_ms = std::min(next_ms, step(level, now_ms, budget));
  }
  ++first_level_;
  flush(now_ms);
  if (mark_.state() == DurableMark::State::kWaiting) next_ms = std::min(next_ms, now_ms + kRetryMs);
  return next_ms;
}

std::int64_t DelayedDelivery::step(Level& level, std::int64_t now_ms, std::int64_t& budget) {
  if (level.not_before_ms > now_ms && level.not_before_ms - now_ms <= kRetryMs)
    return level.not_before_ms;
  while (read_ahead(level)) {
    const format::ConsumeQueueEntry entry = level.ahead[level.ahead_at];
    if (!entry.is_filler()) {
      const std::int64_t due = due_ms(level, entry, now_ms);
      if (due > now_ms) return due;
      if (budget <= 0) return now_ms;
      const Done done = deliver(level, entry);
      if (done == Done::kLater) return level.not_before_ms = now_ms + kRetryMs;
      --budget;
    }
    ++level.ahead_at;
    level.next += 1;
  }
  return kNever;
}

// False when there is nothing behind `next`.
bool DelayedDelivery::read_ahead(Level& level) {
  if (level.ahead_at < level.ahead.size()) return true;
  level.ahead_at = 0;
  level.ahead.resize(kReadAhead);
  const QueueOffset min = options_.store.min_offset(format::kScheduleTopic, level.queue());
  if (level.next < min) {
    log::warn("delay level {}: messages {} to {} were removed by retention before they were due",
              level.number, level.next.value(), min.value());
    level.next = min;
  }
  const auto got = options_.store.entries(format::kScheduleTopic, level.queue(), level.next,
                                          std::span(level.ahead));
  level.ahead.resize(got ? *got : 0);
  return !level.ahead.empty();
}

std::int64_t DelayedDelivery::due_ms(Level& level, const format::ConsumeQueueEntry& entry,
                                     std::int64_t now_ms) {
  const std::int64_t delay = options_.levels.ms(level.number);
  std::int64_t due = entry.tag_code;
  if (due <= 0) {  // not a time: an entry that points to an extension file
    const auto view = options_.store.get_record(entry.commitlog_offset);
    const auto stored = view ? format::peek_store_timestamp(view->bytes)
                             : Result<std::int64_t>(Error{view.error()});
    due = stored ? *stored + delay : now_ms;
  }
  if (due <= now_ms + delay + kOtherClockMs) return due;
  if (level.next >= level.capped_below) {
    level.capped_below = options_.store.max_offset(format::kScheduleTopic, level.queue());
    level.capped_ms = now_ms + delay;
  }
  // The clock may have been set back again since.
  level.capped_ms = std::min(level.capped_ms, now_ms + delay);
  return level.capped_ms;
}

DelayedDelivery::Done DelayedDelivery::deliver(const Level& level,
                                               const format::ConsumeQueueEntry& entry) {
  const auto pass_over = [&](std::string_view why) {
    log::error("delay level {}: the message of offset {} (commit log {}) is not delivered: {}",
               level.number, level.next.value(), entry.commitlog_offset.value(), why);
    return Done::kPassedOver;
  };
  const auto view = options_.store.get_record(entry.commitlog_offset);
  if (!view) return pass_over(view.error().text());
  const auto record = format::decode_record(view->bytes, format::CheckBody::kNo);
  if (!record || record->topic != format::kScheduleTopic)
    return pass_over("the entry points at another record");
  const auto target = real_target(record->properties);
  if (!target) return pass_over("it does not say where it belongs");
  if (target->topic == format::kHalfTopic) return pass_over("half messages are not delivered");
  const store::PutResult result = put_copy(
      options_.store, *record,
      {.topic = target->topic, .queue_id = target->queue_id, .properties = record->properties});
  switch (outcome_of(result.status)) {
    case CopyOutcome::kLater:
      return Done::kLater;
    case CopyOutcome::kNever:
      return pass_over(result.reason);
    case CopyOutcome::kStored:
      break;
  }
  delivered_end_ = std::max(delivered_end_, result.end);
  ++delivered_total_;
  if (options_.stats != nullptr)
    options_.stats->put(target->topic, 1, static_cast<std::int64_t>(record->body.size()));
  return Done::kDelivered;
}

std::map<std::int32_t, std::int64_t> DelayedDelivery::offsets() const {
  std::map<std::int32_t, std::int64_t> out = file_.offsets;
  for (const Level& level : levels_) {
    // Levels that were never used stay out of the file, as the reference has it.
    const bool used = level.next.value() > 0 || out.contains(level.number) ||
                      options_.store.max_offset(format::kScheduleTopic, level.queue()).value() > 0;
    if (used) out[level.number] = level.next.value();
  }
  return out;
}

void DelayedDelivery::flush(std::int64_t now_ms) {
  switch (mark_.state()) {
    case DurableMark::State::kWaiting:
      return;
    case DurableMark::State::kReached:
      if (auto done = write(std::move(marked_), now_ms); !done)
        log::error("delay offsets: {}", done.error().to_string());
      break;
    case DurableMark::State::kNone:
    case DurableMark::State::kFailed:
      break;
  }
  mark_.forget();
  const bool is_due = now_ms - flushed_ms_ >= options_.flush_interval_ms || now_ms < flushed_ms_;
  if (!is_due) return;
  flushed_ms_ = now_ms;
  marked_ = offsets();
  if (marked_ != file_.offsets) mark_.ask(options_.store, delivered_end_);
}

Result<void> DelayedDelivery::save(std::int64_t now_ms) { return write(offsets(), now_ms); }

Result<void> DelayedDelivery::write(std::map<std::int32_t, std::int64_t> offsets,
                                    std::int64_t now_ms) {
  if (offsets == file_.offsets) return {};
  format::DelayOffsets next = file_;
  next.offsets = std::move(offsets);
  next.version.bump(now_ms);
  MQ_CHECK(fs::write_file_atomically(options_.fs, options_.path, format::to_delay_offset_json(next),
                                     /*keep_backup=*/true));
  file_ = std::move(next);
  return {};
}

}  // namespace mq::broker

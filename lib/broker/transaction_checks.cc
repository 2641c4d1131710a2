#include "broker/transaction_checks.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/log.h"
#include "broker/half_message.h"
#include "broker/put_copy.h"
#include "format/names.h"
#include "format/properties.h"

namespace mq::broker {
namespace {

constexpr std::int32_t kReadAtOnce = 32;
constexpr std::int64_t kRetryMs = 100;

// What a producer or another broker has done with the same half message: not only its key, but its
// birth is the same.
bool is_same(const format::Record& a, const format::Record& b) {
  return a.born_timestamp_ms == b.born_timestamp_ms && a.born_host == b.born_host &&
         format::find_property(a.properties, format::kUniqKey) ==
             format::find_property(b.properties, format::kUniqKey);
}

// Calls `visit` for each record from `from` on, until it returns false or there are no more.
// Returns the offset behind the last one.
template <typename Visit>
QueueOffset for_each_record(store::MessageStore& store, std::string_view topic, QueueId queue,
                            QueueOffset from, Visit&& visit) {
  while (true) {
    const auto got = store.get({.topic = topic,
                                .queue_id = queue,
                                .offset = from,
                                .count_max = kReadAtOnce,
                                .ignore_transfer_limits = true});
    if (got.status != store::GetStatus::kFound) {
      if (got.next <= from) return from;
      from = got.next;  // what was there has been removed
      continue;
    }
    for (const auto& span : got.spans) {
      Bytes rest = span.bytes;
      while (!rest.empty()) {
        const auto record = format::decode_record(rest, format::CheckBody::kNo);
        if (!record) break;
        if (!visit(*record)) return from;
        rest = rest.subspan(static_cast<std::size_t>(record->total_bytes));
      }
    }
    if (got.next <= from) return from;
    from = got.next;
  }
}

// "7,8,12,"
template <typename Visit>
void for_each_offset(std::string_view body, Visit&& visit) {
  while (!body.empty()) {
    const std::size_t end = std::min(body.find(','), body.size());
    std::int64_t offset = 0;
    const auto [stop, error] = std::from_chars(body.data(), body.data() + end, offset);
    if (error == std::errc{} && stop == body.data() + end) visit(offset);
    body.remove_prefix(std::min(end + 1, body.size()));
  }
}

}  // namespace

TransactionChecks::TransactionChecks(Options options) : options_(std::move(options)) {}

void TransactionChecks::load(std::int64_t now_ms) {
  for (const auto& [topic, queue] : options_.store.queues())
    if (topic == format::kHalfTopic) options_.done.forget_below(queue, offset_of(topic, queue));
  due_ms_ = now_ms + options_.interval_ms;
}

QueueOffset TransactionChecks::offset_of(std::string_view topic, QueueId queue) const {
  const QueueOffset min = options_.store.min_offset(topic, queue);
  const QueueOffset max = options_.store.max_offset(topic, queue);
  const auto known = options_.offsets.find(kTransactionGroup, topic, queue);
  return std::clamp(QueueOffset(known.value_or(0)), min, std::max(min, max));
}

std::int64_t TransactionChecks::step(std::int64_t now_ms, std::int64_t budget) {
  if (mark_.state() == DurableMark::State::kWaiting) return now_ms + kRetryMs;
  if (mark_.state() != DurableMark::State::kNone) {
    if (mark_.state() == DurableMark::State::kReached) write_offsets();
    mark_.forget();
    round_.reset();
  }
  if (!round_ && queues_.empty()) {
    // The clock may have been set back since.
    due_ms_ = std::min(due_ms_, now_ms + options_.interval_ms);
    if (due_ms_ > now_ms) return due_ms_;
    due_ms_ = now_ms + options_.interval_ms;
    for (const auto& [topic, queue] : options_.store.queues())
      if (topic == format::kHalfTopic) queues_.push_back(queue);
  }
  while (round_ || !queues_.empty()) {
    if (!round_) {
      begin(queues_.front(), now_ms);
      queues_.pop_front();
    }
    if (!walk(*round_, now_ms, budget)) return now_ms;
    end_round();
    if (round_) return now_ms + kRetryMs;  // the disk first
  }
  return due_ms_;
}

void TransactionChecks::begin(QueueId queue, std::int64_t now_ms) {
  round_ = Round{.queue = queue, .started_ms = now_ms, .ops = {}};
  round_->next = offset_of(format::kHalfTopic, queue);
  round_->first_op = offset_of(format::kHalfDoneTopic, queue);
  options_.done.forget_below(queue, round_->next);
  read_completions(*round_);
}

void TransactionChecks::read_completions(Round& round) {
  const std::int64_t max = options_.store.max_offset(format::kHalfTopic, round.queue).value();
  for_each_record(options_.store, format::kHalfDoneTopic, round.queue, round.first_op,
                  [&](const format::Record& op) {
                    std::int64_t last = -1;
                    for_each_offset(as_text(op.body), [&](std::int64_t half) {
                      if (half < round.next.value() || half >= max) return;
                      options_.done.add_known(round.queue, QueueOffset(half));
                      last = std::max(last, half);
                    });
                    round.ops.emplace_back(op.queue_offset, last);
                    return true;
                  });
}

// False when the budget was not enough.
bool TransactionChecks::walk(Round& round, std::int64_t now_ms, std::int64_t& budget) {
  while (true) {
    if (options_.done.is_done(round.queue, round.next)) {
      round.next += 1;
      continue;
    }
    if (budget-- <= 0) return false;
    std::optional<Verdict> verdict;
    const auto got = options_.store.get({.topic = format::kHalfTopic,
                                         .queue_id = round.queue,
                                         .offset = round.next,
                                         .count_max = 1});
    if (got.status == store::GetStatus::kFound && !got.spans.empty()) {
      const auto half = format::decode_record(got.spans.front().bytes, format::CheckBody::kNo);
      if (half && half->topic == format::kHalfTopic) verdict = look_at(round, *half, now_ms);
    }
    if (verdict == Verdict::kEnd) return true;
    if (!verdict && got.next <= round.next) return true;  // no more
    if (!verdict) {
      log::warn("half messages {} to {} of queue {} cannot be read", round.next.value(),
                got.next.value() - 1, round.queue);
    }
    round.next = std::max(got.next, round.next + 1);
  }
}

TransactionChecks::Verdict TransactionChecks::look_at(Round& round, const format::Record& half,
                                                      std::int64_t now_ms) {
  // Written by this round; also one on its last check, so that its answer finds it in place.
  if (half.store_timestamp_ms >= round.started_ms) return Verdict::kEnd;
  const std::int64_t age_ms = now_ms - half.born_timestamp_ms;
  if (checks_of(half.properties) >= options_.checks_max || age_ms > options_.reserved_ms)
    return give_up(round, half, now_ms);
  if (const auto immune = immunity_ms(half.properties, options_.timeout_ms)) {
    if (age_ms <= *immune) return wait_out(round, half);
  } else if (age_ms >= 0 && age_ms <= options_.timeout_ms) {
    return Verdict::kEnd;  // and all behind it are younger
  }
  return check(round, half);
}

// Its producer is not to be asked yet; it may not hold up those behind it, though.
TransactionChecks::Verdict TransactionChecks::wait_out(Round& round, const format::Record& half) {
  const QueueOffset first = first_half_offset(half.properties).value_or(half.queue_offset);
  if (options_.done.is_done(round.queue, first) || is_decided(half)) return Verdict::kPassed;
  std::string properties(half.properties);
  // As in the reference, waiting counts as a check.
  format::set_property(properties, format::kCheckTimes,
                       std::to_string(checks_of(half.properties) + 1));
  format::set_property(properties, format::kFirstHalfOffset, std::to_string(first.value()));
  const auto put = put_anew(round, half, format::kHalfTopic, properties);
  return store::is_stored(put.status) ? Verdict::kPassed : Verdict::kEnd;
}

TransactionChecks::Verdict TransactionChecks::check(Round& round, const format::Record& half) {
  if (is_decided(half)) return Verdict::kPassed;
  const auto target = real_target(half.properties);
  const auto group = format::find_property(half.properties, format::kProducerGroup);
  std::string properties(half.properties);
  format::set_property(properties, format::kCheckTimes,
                       std::to_string(checks_of(half.properties) + 1));
  const auto put = put_anew(round, half, format::kHalfTopic, properties);
  if (!store::is_stored(put.status)) return Verdict::kEnd;
  if (!target || !group) {
    log::warn("half message {} does not say whose it is or where it belongs: nobody is asked",
              put.queue_offset.value());
    return Verdict::kPassed;
  }
  format::Record asked = half;
  asked.topic = target->topic;
  asked.queue_id = target->queue_id;
  asked.properties = properties;
  asked.queue_offset = put.queue_offset;
  asked.physical_offset = put.physical_offset;
  options_.ask({*group, asked});
  return Verdict::kPassed;
}

TransactionChecks::Verdict TransactionChecks::give_up(Round& round, const format::Record& half,
                                                      std::int64_t now_ms) {
  if (is_decided(half)) return Verdict::kPassed;
  if (auto topic = options_.topics.find_or_create(format::kHalfGivenUpTopic, 1); !topic) {
    log::error("{}: {}", format::kHalfGivenUpTopic, topic.error().to_string());
    return Verdict::kEnd;
  }
  const auto put = put_anew(round, half, format::kHalfGivenUpTopic, half.properties);
  if (!store::is_stored(put.status)) return Verdict::kEnd;
  const auto topic = format::find_property(half.properties, format::kRealTopic).value_or("");
  log::warn("half message {} for topic '{}' is given up after {} checks: it is in {} at {}",
            half.queue_offset.value(), topic, checks_of(half.properties), format::kHalfGivenUpTopic,
            put.queue_offset.value());
  options_.open.change(topic, -1, now_ms);
  return Verdict::kPassed;
}

store::PutResult TransactionChecks::put_anew(Round& round, const format::Record& half,
                                             std::string_view topic, std::string_view properties) {
  auto put = put_copy(options_.store, half,
                      {.topic = topic,
                       .queue_id = topic == format::kHalfTopic ? half.queue_id : kHalfQueue,
                       .properties = properties});
  round.written_end = std::max(round.written_end, put.end);
  if (!store::is_stored(put.status))
    log::warn("half message {}: not written anew: {}", half.queue_offset.value(), put.reason);
  return put;
}

// Committed, given up, or in the queue once more: what the offsets and the completions on disk do
// not say when a crash has come before they were written.
bool TransactionChecks::is_decided(const format::Record& half) const {
  const auto key = format::find_property(half.properties, format::kUniqKey);
  if (!key) return false;
  const auto any = [&](std::string_view topic, const auto& matches) {
    const auto found = options_.store.query(topic, *key, 64, 0, INT64_MAX);
    if (!found) return false;
    return std::ranges::any_of(*found, [&](const store::SegmentView& view) {
      const auto record = format::decode_record(view.bytes, format::CheckBody::kNo);
      return record && is_same(half, *record) && matches(*record);
    });
  };
  const auto committed = [](const format::Record& r) {
    return r.transaction_type() == format::kTransactionCommit;
  };
  const auto later_copy = [&](const format::Record& r) {
    return r.physical_offset > half.physical_offset &&
           format::find_property(r.properties, format::kCheckTimes).has_value();
  };
  if (any(format::kHalfTopic, later_copy)) return true;
  const auto given_up = [&](const format::Record& r) {
    return r.physical_offset > half.physical_offset;
  };
  if (any(format::kHalfGivenUpTopic, given_up)) return true;
  const auto topic = format::find_property(half.properties, format::kRealTopic);
  if (topic && any(*topic, committed)) return true;
  const Asked asked = read_asked(half.properties);
  if (!asked.delay.empty() && any(format::kScheduleTopic, committed)) return true;
  return asked.has_timer() && any(format::kTimerTopic, committed);
}

void TransactionChecks::end_round() {
  if (round_->written_end > PhysicalOffset(0))
    return mark_.ask(options_.store, round_->written_end);
  write_offsets();
  round_.reset();
}

void TransactionChecks::save() {
  if (!round_) return;
  write_offsets();
  mark_.forget();
  round_.reset();
}

void TransactionChecks::write_offsets() {
  const Round& round = *round_;
  QueueOffset op = round.first_op;
  for (const auto& [at, last_half] : round.ops) {
    if (last_half >= round.next.value()) break;
    op = at + 1;
  }
  options_.done.forget_below(round.queue, round.next);
  const auto commit = [&](std::string_view topic, QueueOffset offset) {
    const auto known = options_.offsets.find(kTransactionGroup, topic, round.queue);
    if (known != offset.value())
      (void)options_.offsets.commit(kTransactionGroup, topic, round.queue, offset.value());
    return known != offset.value();
  };
  const bool half_moved = commit(format::kHalfTopic, round.next);
  const bool op_moved = commit(format::kHalfDoneTopic, op);
  if (!half_moved && !op_moved) return;
  if (auto done = options_.offsets.flush(); !done)
    log::error("offsets of transactions: {}", done.error().to_string());
}

}  // namespace mq::broker

#include "inspect/repair_numbers.h"

#include <algorithm>

#include <fmt/format.h>

#include "inspect/repair_salvage.h"

namespace mq::inspect {
namespace {

constexpr std::int64_t kNumbersLooked = 1000;  // of a gap, before it is taken as explained

}  // namespace

QueueBuilder::Hooks NumberMend::hooks() {
  return {
      .is_explained =
          [this](const QueueKey& queue, std::int64_t first, std::int64_t count, PhysicalOffset from,
                 PhysicalOffset to) { return is_explained(queue, first, count, from, to); },
      .note = [this](const QueueBuilder::Odd& odd) { note(odd); },
      .known = [this](const QueueKey& queue,
                      PhysicalOffset at) { return there_.number_of(queue, at); }};
}

bool NumberMend::is_next(const QueueBuilder& queues, const format::Record& record) {
  const std::int64_t number = record.queue_offset.value();
  const std::int64_t next = queues.next_number(record.topic, record.queue_id);
  if (next >= 0) return number == next;
  const auto entry = there_.entry({std::string(record.topic), record.queue_id}, number);
  return entry && entry->commitlog_offset == record.physical_offset;
}

bool NumberMend::is_good_record(PhysicalOffset at) {
  return log_.stretch_at(at) == nullptr && log_.record_at(at).has_value();
}

// Damage between the two records has room for that many, and no record that can be read is known to
// be one of them.
bool NumberMend::is_explained(const QueueKey& queue, std::int64_t first, std::int64_t count,
                              PhysicalOffset from, PhysicalOffset to) {
  std::int64_t room = 0;
  for (const Stretch& s : log_.stretches()) {
    if (s.begin >= from && s.end <= to) room += s.room_for(queue.topic);
  }
  if (room < count) return false;
  for (std::int64_t n = first; n < first + std::min(count, kNumbersLooked); ++n) {
    const auto entry = there_.entry(queue, n);
    if (entry && entry->commitlog_offset >= from && entry->commitlog_offset < to &&
        is_good_record(entry->commitlog_offset))
      return false;
  }
  return true;
}

void NumberMend::note(const QueueBuilder::Odd& odd) {
  using How = QueueNumbering::How;
  const QueueNumbering::Placed& p = odd.placed;
  if (gaps_.size() + corrected_.size() + strays_.size() > kOddMax) return;
  if (p.how == How::kAfterGap)
    gaps_.push_back({odd.queue, p.number - p.missing, p.missing, std::max(odd.after, log_.begin()),
                     p.entry.commitlog_offset});
  if (p.how == How::kCorrected) corrected_.push_back(odd);
  if (p.how == How::kStray) strays_.push_back(p.entry.commitlog_offset);
}

Result<bool> NumberMend::move_record(PhysicalOffset at, const QueueKey& queue,
                                     std::int64_t number) {
  if (log_.stretch_at(at) != nullptr) return false;
  const auto bytes = log_.record_at(at);
  if (!bytes) return false;
  MQ_TRY(const format::Record record,
         format::decode_record(as_bytes(*bytes), format::CheckBody::kNo));
  const int off = bits_off(record, queue.topic, queue.id, number);
  if (off == 0 || off > kBitsOffMax) return false;
  // It may be what it says after all: then its own queue knows it.
  const QueueKey claimed{std::string(record.topic), record.queue_id};
  const std::int64_t claimed_number = record.queue_offset.value();
  if (claimed != queue || claimed_number != number) {
    const auto own = there_.entry(claimed, claimed_number);
    if (own && own->commitlog_offset == at) return false;
  }
  const std::string right = fmt::format("{}/{}", to_string(queue), number);
  const std::string says = fmt::format("{}/{}", to_string(claimed), claimed_number);
  log_.fix(at, moved_record(as_bytes(*bytes), record, queue.topic, queue.id, number),
           says == right ? fmt::format("sysFlag {:#x} keeps it out of its queue, where it is {}",
                                       record.sys_flag, right)
                         : fmt::format("it says it is {} and is {}", says, right));
  moved_.insert(at);
  return true;
}

Result<void> NumberMend::correct(const QueueBuilder::Odd& odd) {
  const PhysicalOffset at = odd.placed.entry.commitlog_offset;
  const auto bytes = log_.record_at(at);
  if (!bytes) return {};
  MQ_TRY(const format::Record record,
         format::decode_record(as_bytes(*bytes), format::CheckBody::kNo));
  if (record.topic != odd.queue.topic || record.queue_id != odd.queue.id)
    return {};  // a further queue
  log_.fix(at,
           moved_record(as_bytes(*bytes), record, record.topic, record.queue_id, odd.placed.number),
           fmt::format("it says it is {0}/{1} and is {0}/{2}", to_string(odd.queue),
                       odd.placed.claimed, odd.placed.number));
  return {};
}

void NumberMend::give_up(const QueueKey& queue, std::int64_t number) {
  if (unresolved_.empty() || unresolved_.back().queue != queue ||
      unresolved_.back().first + unresolved_.back().count != number)
    unresolved_.push_back({queue, number, 0});
  ++unresolved_.back().count;
}

void NumberMend::add_suspects(const std::vector<QueueBuilder::Range>& ranges) {
  for (const QueueBuilder::Range& range : ranges) {
    if (strays_.size() > kOddMax) return;
    if (range.records == 1 && there_.find(range.queue) == nullptr)
      strays_.push_back(range.first_at);
  }
}

Result<void> NumberMend::settle_gap(const Gap& gap) {
  PhysicalOffset from = gap.from;  // numbers go up with the positions
  for (std::int64_t n = gap.first; n < gap.first + gap.count; ++n) {
    const auto entry = there_.entry(gap.queue, n);
    const bool is_near =
        entry && entry->commitlog_offset >= from && entry->commitlog_offset < gap.to;
    bool found = false;
    if (is_near) {
      const PhysicalOffset at = entry->commitlog_offset;
      const Stretch* const s = log_.stretch_at(at);
      if (s != nullptr) {
        found = log_.hold(gap.queue, n, s->begin, s->end);
      } else {
        MQ_TRY(found, move_record(at, gap.queue, n));
      }
      if (found) from = s != nullptr ? s->begin : at;
    }
    for (const PhysicalOffset stray : strays_) {
      if (found || stray < from || stray >= gap.to) continue;
      MQ_TRY(found, move_record(stray, gap.queue, n));
      if (found) from = stray;
    }
    if (found) continue;
    if (const auto held = log_.hold_between(gap.queue, n, from, gap.to)) {
      from = *held;
    } else {
      give_up(gap.queue, n);
    }
  }
  return {};
}

// Numbers behind the last that the log gives: the queue's own entries tell that there were more.
Result<void> NumberMend::settle_tail(const QueueKey& queue, std::int64_t next,
                                     PhysicalOffset from) {
  for (;; ++next) {
    const auto entry = there_.entry(queue, next);
    if (!entry || entry->commitlog_offset < from || entry->commitlog_offset >= log_.end()) break;
    bool kept = false;
    if (const Stretch* s = log_.stretch_at(entry->commitlog_offset)) {
      kept = log_.hold(queue, next, s->begin, s->end);
    } else {
      MQ_TRY(kept, move_record(entry->commitlog_offset, queue, next));
    }
    if (!kept) break;
    from = entry->commitlog_offset;
  }
  ends_[queue] = next;
  return {};
}

// A record of which only the body is damaged still says which number it was; where that is the next
// one, nothing else may tell.
void NumberMend::settle_heads(const std::vector<QueueBuilder::Range>& ranges) {
  std::map<QueueKey, PhysicalOffset> last;
  for (const QueueBuilder::Range& range : ranges) last[range.queue] = range.last_end;
  for (const Stretch& s : log_.stretches()) {
    const auto bytes = log_.log().bytes_from(s.begin);
    if (!bytes || !s.held.empty()) continue;
    const auto record = format::decode_record(*bytes, format::CheckBody::kNo);
    if (!record || record->physical_offset != s.begin || s.begin + record->total_bytes > s.end ||
        !is_directory_name(record->topic))
      continue;
    if (!format::has_queue_entry(record->transaction_type())) continue;
    const QueueKey queue{std::string(record->topic), record->queue_id};
    const auto end = ends_.find(queue);
    if (end == ends_.end() || end->second != record->queue_offset.value() || last[queue] > s.begin)
      continue;
    if (log_.hold(queue, end->second, s.begin, s.end)) ++end->second;
  }
}

Result<void> NumberMend::settle(const std::vector<QueueBuilder::Range>& ranges) {
  for (const QueueBuilder::Odd& odd : corrected_) MQ_CHECK(correct(odd));
  add_suspects(ranges);
  // Gaps in front of a queue's first record come last: it may turn out to be another's.
  std::stable_partition(gaps_.begin(), gaps_.end(), [&](const Gap& gap) {
    return std::find(strays_.begin(), strays_.end(), gap.to) == strays_.end();
  });
  for (const Gap& gap : gaps_) {
    if (!moved_.contains(gap.to)) MQ_CHECK(settle_gap(gap));
  }
  for (const QueueBuilder::Range& range : ranges)
    MQ_CHECK(settle_tail(range.queue, range.end, range.last_end));
  for (const auto& [queue, directory] : there_.all()) {
    if (ends_.contains(queue)) continue;
    // Nothing in the log is of this queue: the first of its entries that should be.
    std::int64_t next = directory.files.front().start / 20;
    MQ_CHECK(walk_queue(
        log_.fs(), directory, [&](std::int64_t number, const format::ConsumeQueueEntry& entry) {
          const bool is_past = entry.is_filler() || entry.commitlog_offset < log_.begin();
          next = is_past ? number + 1 : number;
          return is_past;
        }));
    MQ_CHECK(settle_tail(queue, next, log_.begin()));
  }
  settle_heads(ranges);
  return {};
}

}  // namespace mq::inspect

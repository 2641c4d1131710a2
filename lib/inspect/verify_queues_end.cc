// What is told of the consume queues once the log has been walked.
#include <algorithm>

#include <fmt/format.h>

#include "inspect/verify_queues.h"

namespace mq::inspect {

void VerifyQueues::bad_record(const Record& record, std::string what, std::string expected,
                              std::string found, std::string mend) {
  report_.add(Part::kLog, {.severity = Severity::kDamage,
                           .file = facts_.file_at(record.at),
                           .at = facts_.place_at(record.at),
                           .what = std::move(what),
                           .expected = std::move(expected),
                           .found = std::move(found),
                           .mend = std::move(mend)});
}

// A write that a kill cut short ends at a page: the last entry may be there by half.
bool VerifyQueues::is_torn_end(VerifyQueue& queue, const VerifyQueue::Run& run, std::int64_t at) {
  constexpr std::int64_t kPageBytes = 4096;
  if (!facts_.crashed || run.to - run.from != 1 ||
      at % kPageBytes <= kPageBytes - VerifyQueue::kEntryBytes)
    return false;
  const QueueSlot behind = slot(queue, run.to);
  return behind.kind == QueueSlot::Kind::kEmpty || behind.kind == QueueSlot::Kind::kNone;
}

void VerifyQueues::flush_bad(VerifyQueue& queue) {
  VerifyQueue::Run run = std::exchange(queue.bad, {});
  if (run.from < 0) return;
  if (run.to - run.from > 1)
    run.what += fmt::format(", nor are the {} behind it", run.to - run.from - 1);
  auto place = queue.place(run.from);
  if (is_torn_end(queue, run, place.at)) {
    report_.add(Part::kQueues,
                {.severity = Severity::kNormal,
                 .file = std::move(place.file),
                 .at = place.at,
                 .what = fmt::format("the last entry of {} is torn; the next start writes it again",
                                     queue.name())});
    return;
  }
  report_.add(Part::kQueues, {.severity = Severity::kDamage,
                              .file = std::move(place.file),
                              .at = place.at,
                              .what = std::move(run.what),
                              .expected = std::move(run.expected),
                              .found = std::move(run.found),
                              .mend = report_.rebuild("cq")});
}

// Entries are made in the order of the log and written a little later: what lies behind all that
// was dispatched, or behind what the checkpoint answers for, may be missing after a crash.
bool VerifyQueues::is_lag(const VerifyQueue::Missing& missing) const {
  return facts_.live || (facts_.crashed &&
                         (missing.at >= dispatched_ || missing.stored_ms > facts_.queues_kept_ms));
}

void VerifyQueues::flush_missing(VerifyQueue& queue, bool at_end) {
  const VerifyQueue::Missing missing = std::exchange(queue.missing, {});
  if (missing.from < 0) return;
  // Files that are cut or missing have been told of.
  if (at_end ? queue.files().back().bytes < file_bytes_ : !queue.has_slot(missing.from)) return;
  if (!at_end && facts_.live) {
    queue.close();  // it may have been written since we looked
    if (slot(queue, missing.from).kind == QueueSlot::Kind::kEntry) return;
  }
  auto place = queue.place(missing.from);
  VerifyFinding finding{.file = std::move(place.file), .at = place.at};
  if (at_end && is_lag(missing)) {
    finding.severity = Severity::kNormal;
    finding.what =
        fmt::format("the queue lags behind the log by {}, from number {} on{}; {}",
                    count_of(missing.count, "message"), missing.from,
                    missing.at < dispatched_ ? ", and behind other queues" : "",
                    facts_.live ? "the broker is at it" : "the next start fills them in");
  } else {
    finding.what = fmt::format("{} of {} without an entry, from number {} on; the first is at {}{}",
                               count_of(missing.count, "message"), queue.name(), missing.from,
                               missing.at.value(), at_end ? "" : "; entries follow");
    finding.mend = report_.rebuild("cq");
  }
  report_.add(Part::kQueues, std::move(finding));
}

void VerifyQueues::finish() {
  for (const auto& queue : queues_) {
    if (queue->files().empty()) continue;
    left_over(*queue);
  }
  tell_ahead();
  for (const auto& queue : queues_) {
    queue->files().empty() ? finish_without_files(*queue) : finish_with_files(*queue);
    queue->close();
  }
  tell_gone();
}

// Slots that no record has claimed.
void VerifyQueues::left_over(VerifyQueue& queue) {
  if (facts_.live) return;  // the broker went on
  const std::int64_t end = queue.end_slot();
  while (queue.next < end) {
    const QueueSlot found = slot(queue, queue.next);
    if (found.kind == QueueSlot::Kind::kEmpty || found.kind == QueueSlot::Kind::kNone) break;
    const PhysicalOffset at = found.entry.commitlog_offset;
    const bool goes_on = queue.bad.from >= 0 && queue.bad.to == queue.next;
    if (found.kind == QueueSlot::Kind::kBroken || goes_on) {
      bad_slot(queue, fmt::format("entry {} of {} is none", queue.next, queue.name()), "zeros",
               fmt::format("offset {} size {}", at.value(), found.entry.record_bytes));
    } else if (at >= facts_.append_at && at > queue.last_offset && !found.entry.is_filler()) {
      if (ahead_.empty() || ahead_.back().queue != &queue)
        ahead_.push_back({&queue, queue.next, 0, at});
      ++ahead_.back().count;
      queue.last_offset = at;
      ++queue.next;
    } else {
      pass(queue, found);
    }
  }
  flush_bad(queue);
  const std::int64_t more = queue.next_used(queue.next, buffer_bytes_);
  if (more >= end) return;
  auto place = queue.place(more);
  report_.add(Part::kQueues,
              {.severity = Severity::kNote,
               .file = std::move(place.file),
               .at = place.at,
               .what = fmt::format("bytes behind the end of {}, which has {} entries", queue.name(),
                                   queue.next),
               .mend = report_.rebuild("cq")});
}

// Entries for records that would stand behind the log's end. When one of them begins right there,
// it is the log that has lost its end.
void VerifyQueues::tell_ahead() {
  const bool log_has_lost = std::any_of(ahead_.begin(), ahead_.end(), [this](const Ahead& ahead) {
    return ahead.first == facts_.append_at;
  });
  for (const Ahead& ahead : ahead_) {
    if (log_has_lost) {
      for (std::int64_t i = 0; i < ahead.count && facts_.lost_names.size() < kNamesMax; ++i)
        facts_.lost_names.push_back(fmt::format("{}/{}", ahead.queue->name(), ahead.from + i));
      facts_.lost_behind += ahead.count;
      continue;
    }
    auto place = ahead.queue->place(ahead.from);
    report_.add(
        Part::kQueues,
        {.severity = facts_.crashed ? Severity::kNormal : Severity::kDamage,
         .file = std::move(place.file),
         .at = place.at,
         .what = fmt::format("{} of {} behind the end of the log, from number {} on",
                             count_of(ahead.count, "entry"), ahead.queue->name(), ahead.from),
         .expected = fmt::format("less than {}", facts_.append_at.value()),
         .found = fmt::format("{}", ahead.first.value()),
         .mend = report_.rebuild("cq")});
  }
}

void VerifyQueues::finish_with_files(VerifyQueue& queue) {
  flush_bad(queue);
  flush_missing(queue, true);
  if (!queue.failed().empty()) {
    report_.add(Part::kQueues, {.severity = Severity::kDamage,
                                .file = queue.files().front().path,
                                .what = "cannot be read: " + queue.failed()});
  }
  if (queue.before_files > 0) {
    report_.add(
        Part::kQueues,
        {.severity = Severity::kDamage,
         .file = queue.files().front().path,
         .at = 0,
         .what = fmt::format("files before it are missing: {} messages of {} have their "
                             "entries there; the first is at {}",
                             queue.before_files, queue.name(), queue.before_files_at.value()),
         .mend = report_.rebuild("cq")});
  }
  tell_earlier(queue, queue.files().front().path);
}

void VerifyQueues::tell_earlier(const VerifyQueue& queue, const std::string& path) {
  if (queue.earlier_records == 0) return;
  report_.add(Part::kQueues,
              {.severity = Severity::kNote,
               .file = path,
               .what = fmt::format("{} in the log, of an earlier {} that was deleted",
                                   count_of(queue.earlier_records, "message"), queue.name())});
}

// Another queue of the topic began anew behind all that this one has in the log, so the topic was
// deleted and made again, and this queue not used since.
bool VerifyQueues::is_of_earlier_topic(const VerifyQueue& queue) const {
  const auto found = earlier_topics_.find(queue.topic());
  return found != earlier_topics_.end() && queue.record_end <= found->second;
}

void VerifyQueues::finish_without_files(VerifyQueue& queue) {
  VerifyQueue::Missing missing = std::exchange(queue.missing, {});
  if (missing.from < 0) return;
  const std::string path =
      fmt::format("{}/consumequeue/{}/{}", facts_.root, queue.topic(), queue.id());
  if (!hooks_.is_topic(queue.topic())) {
    report_.add(Part::kQueues,
                {.severity = Severity::kNote,
                 .file = path,
                 .what = fmt::format("{} in the log, of a topic that was deleted",
                                     count_of(missing.count + queue.earlier_records, "message"))});
    return;
  }
  if (is_of_earlier_topic(queue)) queue.earlier_records += std::exchange(missing, {}).count;
  tell_earlier(queue, path);
  if (missing.from < 0) return;
  if (is_lag(missing) &&
      (has_directory_ || facts_.live || missing.stored_ms > facts_.queues_kept_ms)) {
    report_.add(Part::kQueues, {.severity = Severity::kNormal,
                                .file = path,
                                .what = fmt::format("the queue is not there yet; it lags by {}",
                                                    count_of(missing.count, "message"))});
    return;
  }
  queue.missing = missing;
  gone_.push_back(&queue);
}

void VerifyQueues::tell_gone() {
  if (gone_.empty()) return;
  if (existing_ == 0) {
    std::int64_t count = 0;
    for (const VerifyQueue* queue : gone_) count += queue->missing.count;
    report_.add(Part::kQueues,
                {.severity = Severity::kDamage,
                 .file = facts_.root + "/consumequeue",
                 .what = fmt::format("all consume queues are missing: {} with {}",
                                     count_of(static_cast<std::int64_t>(gone_.size()), "queue"),
                                     count_of(count, "message")),
                 .mend = report_.rebuild("cq")});
    return;
  }
  for (const VerifyQueue* queue : gone_) {
    report_.add(
        Part::kQueues,
        {.severity = Severity::kDamage,
         .file = fmt::format("{}/consumequeue/{}/{}", facts_.root, queue->topic(), queue->id()),
         .what = fmt::format("the queue is missing, with {} in the log, numbers {} to {}",
                             count_of(queue->missing.count, "message"), queue->missing.from,
                             queue->missing.to - 1),
         .mend = report_.rebuild("cq")});
  }
}

}  // namespace mq::inspect

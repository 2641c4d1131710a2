#include "inspect/verify_queues.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace mq::inspect {
namespace {

using format::ConsumeQueueEntry;

constexpr std::int64_t kEntryBytes = VerifyQueue::kEntryBytes;
// Tag codes up to here are addresses in consumequeue_ext (store-format.md 4.6).
constexpr std::int64_t kExtAddressMax = -2'147'483'649;

std::string text_of(const ConsumeQueueEntry& entry) {
  if (entry.is_filler()) return "a filler";
  return fmt::format("offset {} size {} tag code {}", entry.commitlog_offset.value(),
                     entry.record_bytes, entry.tag_code);
}
std::string text_of(const QueueSlot& slot) {
  switch (slot.kind) {
    case QueueSlot::Kind::kEmpty:
      return "zeros";
    case QueueSlot::Kind::kNone:
      return "no file";
    default:
      return text_of(slot.entry);
  }
}
std::string text_of(const VerifyQueues::Record& record) {
  return fmt::format("offset {} size {} tag code {}", record.at.value(), record.bytes,
                     record.tag_code);
}

std::string key_of(std::string_view topic, QueueId queue) {
  return fmt::format("{}/{}", topic, queue);
}
std::size_t recent_slot(std::string_view topic, QueueId queue) {
  std::size_t h = topic.size() * 31 + static_cast<std::size_t>(queue) * 7;
  if (!topic.empty()) {
    h += static_cast<unsigned char>(topic.back()) * std::size_t{131} +
         static_cast<unsigned char>(topic[topic.size() / 2]) * std::size_t{17};
  }
  return h % 256;
}

}  // namespace

Result<void> VerifyQueues::open() {
  has_directory_ = fs_.exists(facts_.root + "/consumequeue");
  has_ext_ = fs_.exists(facts_.root + "/consumequeue_ext");
  MQ_TRY(auto directories, list_queues(fs_, facts_.root));
  std::map<std::int64_t, std::size_t> lengths;
  for (const QueueDirectory& directory : directories)
    for (const QueueFile& file : directory.files) ++lengths[file.bytes];
  std::size_t most = 0;
  for (const auto& [bytes, count] : lengths) {
    if (bytes % kEntryBytes == 0 && bytes > 0 && count >= most) {
      most = count;
      file_bytes_ = bytes;
    }
  }
  buffer_bytes_ = std::clamp<std::size_t>(
                      kBuffersBytes / std::max<std::size_t>(directories.size(), 1), 400, 64'000) /
                  kEntryBytes * kEntryBytes;
  for (QueueDirectory& directory : directories) {
    check_files(directory);
    std::erase_if(directory.files, [](const QueueFile& f) {
      return f.bytes < kEntryBytes || f.start > INT64_MAX - f.bytes;
    });
    ++existing_;
    auto queue = std::make_unique<VerifyQueue>(fs_, std::move(directory));
    queue->next = queue->first_slot();
    by_name_[key_of(queue->topic(), queue->id())] = queue.get();
    queues_.push_back(std::move(queue));
  }
  return {};
}

void VerifyQueues::check_files(const QueueDirectory& directory) {
  const auto& files = directory.files;
  const auto add = [&](const QueueFile& file, std::int64_t at, std::string what,
                       std::string expected, std::string found) {
    report_.add(Part::kQueues, {.severity = Severity::kDamage,
                                .file = file.path,
                                .at = at,
                                .what = std::move(what),
                                .expected = std::move(expected),
                                .found = std::move(found),
                                .mend = report_.rebuild("cq")});
  };
  for (std::size_t i = 0; i < files.size(); ++i) {
    check_length(directory, files[i]);
    if (file_bytes_ > 0 && files[i].start % file_bytes_ != 0) {
      add(files[i], -1, "its name is not a multiple of the files' length",
          fmt::format("a multiple of {}", file_bytes_), fmt::format("{}", files[i].start));
    } else if (i > 0 &&
               files[i - 1].start + std::max(file_bytes_, files[i - 1].bytes) < files[i].start) {
      add(files[i], 0, "the file before it is missing", fmt::format("a file of {}", file_bytes_),
          fmt::format("{} bytes are missing", files[i].start - files[i - 1].start - file_bytes_));
    }
  }
}

void VerifyQueues::check_length(const QueueDirectory& directory, const QueueFile& file) {
  if (file.bytes == file_bytes_ && file.bytes > 0) return;
  const bool is_last = &file == &directory.files.back();
  if (file.bytes == 0 && is_last && facts_.is_unsettled()) {
    report_.add(Part::kQueues, {.severity = Severity::kNormal,
                                .file = file.path,
                                .at = 0,
                                .what = "empty last file; the next start removes it"});
    return;
  }
  report_.add(Part::kQueues,
              {.severity = Severity::kDamage,
               .file = file.path,
               .at = std::min(file.bytes, file_bytes_),
               .what = "the file has another length than the others; brokers refuse to start",
               .expected = fmt::format("{} bytes", file_bytes_),
               .found = fmt::format("{} bytes", file.bytes),
               .mend = report_.rebuild("cq")});
}

VerifyQueue* VerifyQueues::find_existing(std::string_view topic, QueueId queue) {
  VerifyQueue*& recent = recent_.at(recent_slot(topic, queue));
  if (recent != nullptr && recent->id() == queue && recent->topic() == topic) return recent;
  const auto found = by_name_.find(key_of(topic, queue));
  if (found == by_name_.end()) return nullptr;
  recent = found->second;
  return recent;
}

VerifyQueue& VerifyQueues::find(std::string_view topic, QueueId queue) {
  if (VerifyQueue* const found = find_existing(topic, queue)) [[likely]]
    return *found;
  const bool is_new = queues_.size() < static_cast<std::size_t>(existing_) + kMadeUpMax;
  auto made = std::make_unique<VerifyQueue>(
      fs_, QueueDirectory{.topic = std::string(topic), .queue = queue, .files = {}});
  if (!is_new) {
    unknown_ = std::move(made);
    return *unknown_;
  }
  by_name_[key_of(topic, queue)] = made.get();
  queues_.push_back(std::move(made));
  return *queues_.back();
}

QueueSlot VerifyQueues::slot(VerifyQueue& queue, std::int64_t number) {
  const bool was_open = queue.is_open();
  const QueueSlot out = queue.slot(number, buffer_bytes_);
  if (!was_open && queue.is_open()) [[unlikely]] {
    opened_.push_back(&queue);
    if (opened_.size() > kOpenMax) {
      opened_.front()->close();
      opened_.pop_front();
    }
  }
  return out;
}

bool VerifyQueues::fits_tag(std::int64_t tag_code, const Record& record) const {
  if (tag_code == record.tag_code || (has_ext_ && tag_code <= kExtAddressMax)) return true;
  if (!record.is_delayed) return false;
  // Due after the delay that the level had when the entry was written.
  const std::int64_t delay_ms = tag_code - record.stored_ms;
  return delay_ms > 0 && delay_ms % 1000 == 0 && delay_ms <= 400LL * 86'400'000;
}

bool VerifyQueues::fits(const QueueSlot& slot, const Record& record) const {
  return slot.kind == QueueSlot::Kind::kEntry && slot.entry.commitlog_offset == record.at &&
         slot.entry.record_bytes == record.bytes && fits_tag(slot.entry.tag_code, record);
}

void VerifyQueues::record(VerifyQueue& queue, const Record& record) {
  if (record.number < 0 || record.number > VerifyQueue::kNumberMax) [[unlikely]] {
    if (record.number > 0)
      bad_record(record, "queueOffset", "a number that a queue can have",
                 fmt::format("{}", record.number), report_.repair());
    return;
  }
  if (queue.files().empty()) [[unlikely]] {
    if (record.number == 0 && queue.missing.count > 0) begin_anew(queue);
    check_number(queue, record);
    miss(queue, record);
    return;
  }
  if (record.at < queue.earlier_until) [[unlikely]] {
    ++queue.earlier_records;
    return;
  }
  for (;;) {
    if (queue.next == record.number) {
      if (at_own_slot(queue, record)) return;
    } else if (queue.next < record.number) {
      if (before_own_slot(queue, record)) return;
    } else {
      behind_own_slot(queue, record);
      return;
    }
  }
}

bool VerifyQueues::at_own_slot(VerifyQueue& queue, const Record& record) {
  QueueSlot found = slot(queue, record.number);
  if (facts_.live && found.kind != QueueSlot::Kind::kEmpty && !fits(found, record)) {
    queue.close();  // it may just have been written
    found = slot(queue, record.number);
  }
  if (fits(found, record)) [[likely]] {
    match(queue, record);
    return true;
  }
  if (is_of_earlier_queue(queue, record, found)) return true;
  check_number(queue, record);
  if (found.kind == QueueSlot::Kind::kEmpty || found.kind == QueueSlot::Kind::kNone) {
    flush_bad(queue);
    miss(queue, record);
    ++queue.next;
    return true;
  }
  flush_missing(queue, false);
  bad_slot(queue,
           fmt::format("entry {} of {} is not that of its record", record.number, queue.name()),
           text_of(record), text_of(found));
  if (found.entry.commitlog_offset == record.at) queue.last_offset = record.at;
  return true;
}

void VerifyQueues::match(VerifyQueue& queue, const Record& record) {
  if (record.number != queue.record_next && queue.record_next >= 0) [[unlikely]] {
    // Entries without a record say the same.
    if (queue.bad.from < 0 || queue.bad.from > queue.record_next) check_number(queue, record);
  }
  if (queue.bad.from >= 0) [[unlikely]]
    flush_bad(queue);
  if (queue.missing.from >= 0) [[unlikely]]
    flush_missing(queue, false);
  queue.next = record.number + 1;
  queue.record_next = record.number + 1;
  queue.record_end = record.at + record.bytes;
  queue.last_offset = record.at;
  queue.has_matched = true;
  dispatched_ = std::max(dispatched_, queue.record_end);
  ++entries_;
}

// Slots before the record's own: of deleted records, of lost ones, or of none at all.
bool VerifyQueues::before_own_slot(VerifyQueue& queue, const Record& record) {
  const QueueSlot found = slot(queue, queue.next);
  if (found.kind == QueueSlot::Kind::kEntry) {
    if (found.entry.commitlog_offset == record.at && !found.entry.is_filler()) {
      bad_record(record, fmt::format("queueOffset of a message of {}", queue.name()),
                 fmt::format("{}, where its entry is", queue.next),
                 fmt::format("{}", record.number), report_.repair());
      Record as_entered = record;
      as_entered.number = queue.next;
      as_entered.tag_code = found.entry.tag_code;
      match(queue, as_entered);
      return true;
    }
    if (found.entry.commitlog_offset < record.at) {
      pass(queue, found);
      return false;
    }
  }
  if (fits(slot(queue, record.number), record)) {
    if (found.kind == QueueSlot::Kind::kEmpty || found.kind == QueueSlot::Kind::kNone) {
      // Neither records nor entries: the record in front of it may just have been lost.
      if (!facts_.is_broken_between(queue.record_end, record.at))
        bad_slot(
            queue,
            fmt::format("entry {} of {} is empty, and entries follow", queue.next, queue.name()),
            "an entry", text_of(found));
      queue.next = std::max(queue.next, record.number);
      if (queue.bad.from >= 0) queue.bad.to = queue.next;
    } else {
      bad_slot(queue,
               fmt::format("entry {} of {} points at no record of it", queue.next, queue.name()),
               "an entry", text_of(found));
    }
    return false;
  }
  if (is_of_earlier_queue(queue, record, found)) return true;
  const bool is_jump = queue.record_next >= 0 && record.number != queue.record_next &&
                       !facts_.is_broken_between(queue.record_end, record.at) &&
                       record.number != queue.expected_gap;
  if (is_jump) {
    queue.expected_gap = record.number + 1;
    bad_record(record, fmt::format("queueOffset of a message of {}", queue.name()),
               fmt::format("{}", queue.record_next), fmt::format("{}", record.number),
               report_.repair());
    return true;
  }
  check_number(queue, record);
  if (found.kind == QueueSlot::Kind::kEntry || found.kind == QueueSlot::Kind::kBroken) {
    flush_missing(queue, false);
    // The entries here are of later records, so this one has none.
    miss(queue, record);
    return true;
  }
  flush_bad(queue);
  miss(queue, record);
  queue.next = record.number + 1;
  return true;
}

// One slot is left behind that no record claims.
void VerifyQueues::pass(VerifyQueue& queue, const QueueSlot& slot) {
  const ConsumeQueueEntry& entry = slot.entry;
  const std::int64_t number = queue.next;
  if (entry.is_filler() && queue.last_offset < PhysicalOffset(0)) {
    ++queue.next;
    return;
  }
  if (entry.commitlog_offset <= queue.last_offset) {
    bad_slot(
        queue,
        fmt::format("entry {} of {} does not point behind the one before", number, queue.name()),
        fmt::format("more than {}", queue.last_offset.value()), text_of(entry));
    return;
  }
  if (entry.commitlog_offset < facts_.begin) {  // deleted with its commit log file
    flush_bad(queue);
    queue.last_offset = entry.commitlog_offset;
    ++queue.next;
    ++entries_;
    return;
  }
  if (DeadStretch* const stretch = facts_.stretch_of(entry.commitlog_offset)) {
    lost(*stretch, queue, number);
    queue.last_offset = entry.commitlog_offset;
    dispatched_ = std::max(dispatched_, entry.commitlog_offset);
    ++queue.next;
    ++entries_;
    return;
  }
  bad_slot(queue, fmt::format("entry {} of {} points at no record of it", number, queue.name()),
           "an entry", text_of(entry));
}

void VerifyQueues::lost(DeadStretch& stretch, const VerifyQueue& queue, std::int64_t number) {
  if (stretch.names.size() < kNamesMax)
    stretch.names.push_back(fmt::format("{}/{}", queue.name(), number));
  ++stretch.lost;
}

void VerifyQueues::behind_own_slot(VerifyQueue& queue, const Record& record) {
  if (record.number < queue.first_slot()) {
    check_number(queue, record);
    if (queue.before_files++ == 0) queue.before_files_at = record.at;
    return;
  }
  const QueueSlot found = slot(queue, queue.next);
  const bool has_entry =
      found.kind == QueueSlot::Kind::kEntry && found.entry.commitlog_offset == record.at;
  bad_record(record, fmt::format("queueOffset of a message of {}", queue.name()),
             has_entry ? fmt::format("{}, where its entry is", queue.next)
                       : fmt::format("{} or more: another record has that number", queue.next),
             fmt::format("{}", record.number), report_.repair());
  if (!has_entry) return;
  Record as_entered = record;
  as_entered.number = queue.next;
  match(queue, as_entered);
}

// A topic that was deleted and made again counts from 0 anew; its first records stay in the log
// until retention takes them.
bool VerifyQueues::is_of_earlier_queue(VerifyQueue& queue, const Record& record,
                                       const QueueSlot& found) {
  if (queue.has_matched || queue.first_slot() != 0 || queue.next != 0 ||
      found.kind != QueueSlot::Kind::kEntry || found.entry.commitlog_offset <= record.at) {
    return false;
  }
  const auto there = hooks_.peek(found.entry.commitlog_offset);
  if (!there || there->queue != queue.id() || there->number != queue.next) return false;
  begins_anew_at(queue, found.entry.commitlog_offset);
  ++queue.earlier_records;
  return true;
}

void VerifyQueues::begins_anew_at(VerifyQueue& queue, PhysicalOffset at) {
  queue.earlier_until = at;
  PhysicalOffset& newest = earlier_topics_[queue.topic()];
  newest = std::max(newest, at);
}

// The same for a queue that the store has not: what came before is of the topic that was deleted.
void VerifyQueues::begin_anew(VerifyQueue& queue) {
  begins_anew_at(queue, queue.record_end);
  queue.earlier_records += std::exchange(queue.missing, {}).count;
  queue.record_next = -1;
}

void VerifyQueues::bad_slot(VerifyQueue& queue, std::string what, std::string expected,
                            std::string found) {
  if (queue.bad.from < 0)
    queue.bad = {queue.next, queue.next, std::move(what), std::move(expected), std::move(found)};
  ++queue.next;
  queue.bad.to = queue.next;
}

void VerifyQueues::miss(VerifyQueue& queue, const Record& record) {
  if (queue.missing.from < 0)
    queue.missing = {record.number, record.number, record.at, record.stored_ms};
  queue.missing.to = record.number + 1;
  ++queue.missing.count;
}

// Numbers of a queue's records go up by one, but where the log is broken.
void VerifyQueues::check_number(VerifyQueue& queue, const Record& record) {
  const std::int64_t expected = queue.record_next;
  const bool is_odd = expected >= 0 && record.number != expected &&
                      record.number != queue.expected_gap &&
                      !facts_.is_broken_between(queue.record_end, record.at);
  if (is_odd) {
    bad_record(record, fmt::format("queueOffset of a message of {}", queue.name()),
               fmt::format("{}", expected), fmt::format("{}", record.number), report_.repair());
  }
  queue.record_next = record.number + 1;
  queue.record_end = record.at + record.bytes;
}

}  // namespace mq::inspect

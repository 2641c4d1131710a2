#include "store/queue_recovery.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "format/light_queues.h"
#include "format/names.h"
#include "format/record.h"
#include "store/queue_files.h"
#include "store/queue_table.h"

namespace mq::store {
namespace {

using format::ConsumeQueueEntry;

}  // namespace

std::optional<format::Record> record_of(PhysicalOffset at, std::int32_t bytes,
                                        const LogSource& log) {
  const SegmentView view = log.view_from(at);
  const auto record = format::decode_record(view.bytes, format::CheckBody::kNo);
  const bool is_it = record && record->physical_offset == at && record->total_bytes == bytes;
  return is_it ? std::optional(*record) : std::nullopt;
}

Result<void> QueueRecovery::load() {
  fs::Fs& fs = *set_.options_.fs;
  const std::string& root = set_.options_.root;
  if (fs.exists(root + "/CURRENT")) {
    return Error{
        Errc::kUnsupported,
        root + ": a RocksDB store (storeType=defaultRocksDB); only the file store is supported"};
  }
  auto topics = fs.list(root);
  if (!topics) {
    if (topics.error().code() == Errc::kNotFound) return {};
    return std::move(topics).error();
  }
  for (const std::string& topic : *topics) {
    auto queues = fs.list(root + "/" + topic);
    if (!queues) continue;  // a plain file: passed over, as the reference does
    if (format::is_light(topic)) set_.has_light_ = true;
    for (const std::string& name : *queues) {
      const auto id = parse_queue_id(name);
      if (id) MQ_CHECK(load_queue(set_.find_or_create(topic, *id)));
    }
  }
  return {};
}

Result<void> QueueRecovery::load_queue(ConsumeQueue& queue) {
  if (queue.topic().batch) return {};  // not of this kind
  fs::Fs& fs = *set_.options_.fs;
  QueueFiles& files = *set_.files_;
  const std::string directory = files.directory(queue);
  auto names = fs.list(directory);
  if (!names) return {};
  Found found;
  found.queue = &queue;
  for (const std::string& name : *names) {
    const auto start = format::parse_stream_file_name(name);
    MQ_TRY(const fs::Stat stat, fs.stat(directory + "/" + name));
    if (stat.is_directory) continue;
    if (start && *start % files.file_bytes() == 0) {
      found.files.push_back({*start, stat.bytes});
    } else {
      found.stray.push_back(directory + "/" + name);
    }
  }
  std::sort(found.files.begin(), found.files.end(),
            [](const File& a, const File& b) { return a.start < b.start; });
  found.runs = runs_of(found.files);
  for (auto run = found.runs.rbegin(); run != found.runs.rend(); ++run) {
    use(found, *run);
    if (found.has_last) break;  // an empty last file (trap 2): the queue ends in the one before
  }
  found_.push_back(std::move(found));
  return {};
}

std::vector<QueueRecovery::Run> QueueRecovery::runs_of(const std::vector<File>& files) const {
  const std::int64_t whole = set_.files_->file_bytes();
  std::vector<Run> runs;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const File& file = files[i];
    const bool goes_on = i > 0 && file.bytes > 0 && files[i - 1].bytes == whole &&
                         files[i - 1].start + whole == file.start;
    if (goes_on) {
      runs.back().last_file = file.start;
    } else {
      runs.push_back({file.start, file.start, file.bytes == 0});
    }
  }
  return runs;
}

// The queue is that run, as far as its entries look valid.
void QueueRecovery::use(Found& found, const Run& run) const {
  found.first_file = run.first_file;
  found.last_file = run.last_file;
  found.end = run.first_file / kEntryBytes;
  found.has_last = false;
  if (run.is_empty) return;
  found.end = end_within_file(found, found.last_file);
  while (found.end * kEntryBytes <= found.last_file && found.last_file > found.first_file) {
    found.last_file -= set_.files_->file_bytes();
    found.end = end_within_file(found, found.last_file);
  }
  if (found.end * kEntryBytes <= found.first_file) return;
  if (auto last = entry(found, found.end - 1))
    found.last = *last, found.has_last = !last->is_filler();
}

// The first run that has what the log still has, or should have: all behind it can be built again.
// When everything is of records that are deleted, the last one keeps the numbering.
void QueueRecovery::choose(Found& found, PhysicalOffset log_begin) const {
  if (found.runs.size() < 2) return;
  const Run* hollow = nullptr;  // the first run without entries behind all that is expired
  const Run* last = nullptr;
  for (const Run& run : found.runs) {
    use(found, run);
    const std::int64_t at = first_real(found);
    const auto first =
        at < found.end ? entry(found, at) : Result<ConsumeQueueEntry>(Error{Errc::kNotFound});
    if (!first) {
      if (hollow == nullptr) hollow = &run;
      continue;
    }
    last = &run;
    if (!found.has_last || found.last.end() > log_begin) {
      const bool is_first = hollow == nullptr || first->commitlog_offset < log_begin;
      return use(found, is_first ? run : *hollow);
    }
    hollow = nullptr;
  }
  use(found, last != nullptr ? *last : found.runs.back());
}

// Whether the queue is not all there is, whole and in order.
bool QueueRecovery::is_odd(const Found& found) const {
  if (!found.stray.empty() || found.files.empty()) return true;
  const std::int64_t whole = set_.files_->file_bytes();
  return found.files.front().start != found.first_file ||
         found.files.back().start != found.last_file ||
         std::any_of(found.files.begin(), found.files.end(),
                     [&](const File& file) { return file.bytes != whole; });
}

Result<ConsumeQueueEntry> QueueRecovery::entry(const Found& found, std::int64_t at) const {
  std::array<std::byte, ConsumeQueueEntry::kEncodedBytes> raw{};
  MQ_TRY(const std::size_t got, set_.files_->read(*found.queue, at * kEntryBytes, raw));
  if (got < raw.size()) return Error{Errc::kShort};
  return format::decode_consume_queue_entry(raw);
}

// Behind the fillers in front; the end when there is nothing else.
std::int64_t QueueRecovery::first_real(const Found& found) const {
  std::int64_t at = found.first_file / kEntryBytes;
  for (; at < found.end; ++at) {
    const auto e = entry(found, at);
    if (!e || !e->is_filler()) break;
  }
  return at;
}

bool QueueRecovery::looks_valid(const Found& found, std::int64_t at) const {
  return entry(found, at).has_value();
}

// Valid entries are a prefix of the file: halving finds a border between valid and not, never
// inside that prefix.
std::int64_t QueueRecovery::end_within_file(const Found& found, std::int64_t start) const {
  std::int64_t low = start / kEntryBytes;
  std::int64_t high = (start + set_.files_->file_bytes()) / kEntryBytes;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (looks_valid(found, middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

PhysicalOffset QueueRecovery::max_physical(PhysicalOffset log_end_max) const {
  PhysicalOffset max(-1);
  for (const Found& found : found_) {
    if (found.has_last && found.last.end() <= log_end_max) max = std::max(max, found.last.end());
  }
  return max;
}

// Does the record that the entry names say so itself? Records that are deleted already cannot be
// asked.
bool QueueRecovery::is_borne_out(const Found& found, std::int64_t at, const LogSource& log) const {
  const auto e = entry(found, at);
  if (!e) return false;
  if (e->is_filler()) return true;
  if (e->end() > log.readable()) return false;
  if (e->commitlog_offset < log.begin()) return true;
  const auto record = record_of(e->commitlog_offset, e->record_bytes, log);
  return record &&
         format::stands_at(*record, found.queue->topic().name, found.queue->id(), QueueOffset(at));
}

// Whether the entry is of a record before `limit`. A filler counts as what stands before it:
// fillers stand for lost records, too, behind entries that are not to be trusted.
bool QueueRecovery::is_before(const Found& found, std::int64_t at, std::int64_t begin,
                              std::int64_t limit, const LogSource& log) const {
  auto e = entry(found, at);
  while (e && e->is_filler() && at > begin) e = entry(found, --at);
  return e &&
         (e->is_filler() || (e->commitlog_offset.value() < limit && e->end() <= log.readable()));
}

std::int64_t QueueRecovery::settle(const Found& found, const LogSource& log, std::int64_t limit,
                                   bool& damaged) const {
  const std::int64_t first = found.first_file / kEntryBytes;
  const std::int64_t begin = first_real(found);
  // Entries of records before the limit are a prefix, too.
  std::int64_t low = begin;
  std::int64_t high = found.end;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (is_before(found, middle, begin, limit, log)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  std::int64_t end = low;
  while (end > first && !is_borne_out(found, end - 1, log)) {
    damaged = true;
    --end;
  }
  // Fillers without a real entry behind them are worse than nothing (trap 3).
  std::int64_t real = end;
  while (real > first) {
    const auto e = entry(found, real - 1);
    if (e && !e->is_filler()) break;
    --real;
  }
  return real > first ? end : first;
}

// Directories of queues that the log has nothing of.
Result<void> QueueRecovery::drop_bare() {
  for (const Found& found : found_) {
    if (found.is_bare() && !found.lacks_front) MQ_CHECK(set_.files_->remove_all(*found.queue));
  }
  std::erase_if(found_, [](const Found& found) { return found.is_bare() && !found.lacks_front; });
  return {};
}

// Leaves the queue's run alone, each file of its length.
Result<void> QueueRecovery::mend_files(Found& found) {
  QueueFiles& files = *set_.files_;
  for (auto file = found.files.rbegin(); file != found.files.rend(); ++file) {
    const bool is_ours = file->start >= found.first_file && file->start <= found.last_file;
    if (!is_ours) {
      MQ_CHECK(files.remove(*found.queue, file->start));
    } else if (file->bytes != files.file_bytes()) {
      MQ_TRY(const auto open, files.open(*found.queue, file->start));
      MQ_CHECK(open->truncate(files.file_bytes()));
    }
  }
  for (const std::string& path : found.stray) {
    auto done = set_.options_.fs->remove(path);
    if (!done && done.error().code() != Errc::kNotFound) return done;
  }
  return {};
}

// Nothing that looks like an entry stays behind the end: the reference would take it for one.
Result<void> QueueRecovery::cut(Found& found, std::int64_t end) {
  QueueFiles& files = *set_.files_;
  const std::int64_t position = end * kEntryBytes;
  while (found.last_file >= position && found.last_file >= found.first_file) {
    MQ_CHECK(files.remove(*found.queue, found.last_file));
    found.last_file -= files.file_bytes();
  }
  if (found.last_file < found.first_file) return {};
  if (position < found.last_file + files.file_bytes()) {
    MQ_TRY(const auto file, files.open(*found.queue, found.last_file));
    MQ_CHECK(file->truncate(position - found.last_file));
    MQ_CHECK(file->truncate(files.file_bytes()));
  }
  return {};
}

Result<void> QueueRecovery::adopt(Found& found, std::int64_t end, const LogSource& log) {
  ConsumeQueue& queue = *found.queue;
  const bool has_files =
      found.last_file >= found.first_file && end * kEntryBytes > found.first_file;
  std::int64_t max_physical = -1;
  if (has_files) {
    for (std::int64_t at = end; at > found.first_file / kEntryBytes; --at) {
      MQ_TRY(const ConsumeQueueEntry e, entry(found, at - 1));
      if (e.is_filler()) continue;
      max_physical = e.end().value();
      break;
    }
  }
  {
    const MutexLock lock(queue.mu_);
    queue.first_file_ = has_files ? found.first_file : ConsumeQueue::kNoFile;
    queue.last_file_ = has_files ? found.last_file : ConsumeQueue::kNoFile;
    queue.written_ = has_files ? end : 0;
    queue.synced_ =
        clean_exit_ && has_files ? end : (has_files ? found.first_file / kEntryBytes : 0);
    queue.max_physical_ = max_physical;
    queue.min_physical_ = -1;
    queue.min_.store(has_files ? found.first_file / kEntryBytes : 0, std::memory_order_release);
    queue.max_.store(has_files ? end : 0, std::memory_order_release);
  }
  if (!has_files) return {};
  MQ_TRY(const std::int64_t min, set_.first_entry_from(queue, log.begin().value()));
  queue.min_.store(min, std::memory_order_release);
  return {};
}

Result<ConsumeQueueSet::Recovered> QueueRecovery::recover(const LogSource& log,
                                                          PhysicalOffset safe_from) {
  ConsumeQueueSet::Recovered out{.dispatch_from = std::max(safe_from, log.begin()), .notes = {}};
  const std::int64_t limit = clean_exit_ ? log.readable().value() : safe_from.value();
  for (Found& found : found_) choose(found, log.begin());
  find_lost_fronts(log);
  MQ_CHECK(drop_bare());
  for (Found& found : found_) {
    const bool odd_files = is_odd(found);
    if (odd_files) MQ_CHECK(mend_files(found));
    bool damaged = found.lacks_front;
    const std::int64_t end =
        found.lacks_front ? found.first_file / kEntryBytes : settle(found, log, limit, damaged);
    if (clean_exit_ && end < found.end) damaged = true;
    if (end < found.end || damaged || odd_files) MQ_CHECK(cut(found, end));
    MQ_CHECK(adopt(found, end, log));
    if (!damaged && !odd_files) continue;
    ++out.queues_repaired;
    out.notes.push_back(fmt::format("queue {}/{}: {}; cut at {} and completed from the commit log",
                                    found.queue->topic().name, found.queue->id(),
                                    found.lacks_front ? "the files of its first entries are missing"
                                    : damaged         ? "entries that no record bears out"
                                                      : "files of a wrong length or name",
                                    end));
    const std::int64_t reached = [&queue = *found.queue] {
      const MutexLock lock(queue.mu_);
      return queue.max_physical_;
    }();
    const PhysicalOffset from(std::max<std::int64_t>(0, reached));
    out.dispatch_from = std::max(log.begin(), std::min(out.dispatch_from, from));
  }
  return out;
}

}  // namespace mq::store

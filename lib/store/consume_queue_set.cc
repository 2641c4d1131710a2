#include "store/consume_queue_set.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "store/queue_files.h"
#include "store/queue_recovery.h"
#include "store/queue_table.h"

namespace mq::store {
namespace {

using format::ConsumeQueueEntry;

// More queues than this are synced by one sync of the file system: each alone would take a journal
// commit or two.
constexpr std::size_t kSyncOneByOneMax = 32;
constexpr auto kEntryBytes = static_cast<std::int64_t>(ConsumeQueueEntry::kEncodedBytes);
constexpr std::int64_t kLongTailEntries = 8192;
// A record claiming an offset further ahead than this is taken for damaged.
constexpr std::int64_t kGapEntriesMax = 1'000'000;
constexpr std::int64_t kPageBytes = 4096;

}  // namespace

ConsumeQueueSet::ConsumeQueueSet(const Options& options)
    : options_(options),
      table_(std::make_unique<QueueTable>()),
      files_(std::make_unique<QueueFiles>(*options.fs, options.root,
                                          whole_entries(options.file_bytes, kEntryBytes),
                                          options.open_files_max)) {}

ConsumeQueueSet::~ConsumeQueueSet() = default;

// --- opening -------------------------------------------------------------------------------------

Result<void> ConsumeQueueSet::load(bool clean_exit) {
  clean_exit_ = clean_exit;
  MQ_CHECK(load_batches());
  recovery_ = std::make_unique<QueueRecovery>(*this, clean_exit);
  return recovery_->load();
}

PhysicalOffset ConsumeQueueSet::max_physical(PhysicalOffset log_end_max) {
  PhysicalOffset max = recovery_->max_physical(log_end_max);
  for (ConsumeQueue* queue : batch_queues()) {
    BatchQueue* const batches = batches_of(*queue);
    if (batches == nullptr) continue;
    if (const auto end = batches->max_physical(log_end_max.value()))
      max = std::max(max, PhysicalOffset(*end));
  }
  return max;
}

Result<ConsumeQueueSet::Recovered> ConsumeQueueSet::recover(const LogSource& log,
                                                            PhysicalOffset safe_from) {
  auto recovered = recovery_->recover(log, safe_from);
  recovery_.reset();
  if (recovered) MQ_CHECK(recover_batches(log, safe_from, *recovered));
  return recovered;
}

// --- handles -------------------------------------------------------------------------------------

ConsumeQueue* ConsumeQueueSet::find(std::string_view topic, QueueId queue) const noexcept {
  return table_->find(topic, queue);
}

ConsumeQueue& ConsumeQueueSet::find_or_create(std::string_view topic, QueueId queue) {
  return table_->find_or_create(topic, queue);
}

std::vector<std::pair<std::string, QueueId>> ConsumeQueueSet::list() const {
  std::vector<std::pair<std::string, QueueId>> out;
  for (const ConsumeQueue* queue : table_->all()) {
    if (queue->max_offset().value() > 0) out.emplace_back(queue->topic().name, queue->id());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::int32_t ConsumeQueueSet::count() const noexcept {
  std::int32_t count = 0;
  for (const ConsumeQueue* queue : table_->all()) {
    if (queue->max_offset().value() > 0) ++count;
  }
  return count;
}

// --- dispatch ------------------------------------------------------------------------------------

void ConsumeQueueSet::push(ConsumeQueue& queue, const ConsumeQueueEntry& entry) {
  const bool was_idle = queue.tail_.empty() && queue.writing_.empty();
  const std::size_t at = queue.tail_.size();
  queue.tail_.resize(at + kEntryBytes);
  format::encode(entry, std::span<std::byte, kEntryBytes>(queue.tail_.data() + at, kEntryBytes));
  if (!entry.is_filler()) queue.max_physical_ = entry.end().value();
  queue.max_.fetch_add(1, std::memory_order_release);

  const std::int64_t pending = pending_.fetch_add(1, std::memory_order_relaxed) + 1;
  const bool is_long = queue.tail_.size() == kLongTailEntries * kEntryBytes;
  if (was_idle || is_long) {
    MutexLock lock(list_mu_);
    if (was_idle) to_write_.push_back(&queue);
    if (is_long) long_.push_back(&queue);
  }
  if (is_long || pending == options_.tail_entries_max) due_.store(true, std::memory_order_relaxed);
}

ConsumeQueueSet::Appended ConsumeQueueSet::append(ConsumeQueue& queue, QueueOffset at,
                                                  const ConsumeQueueEntry& entry) {
  bool is_restart = false;
  {
    MutexLock lock(queue.mu_);
    if (entry.commitlog_offset.value() < queue.ignore_before_) return Appended::kIgnored;
    const std::int64_t max = queue.max_.load(std::memory_order_relaxed);
    if (at.value() == max) {
      push(queue, entry);
      return Appended::kNew;
    }
    if (at.value() > max) {
      if (at.value() - max > kGapEntriesMax && max > 0) return Appended::kIgnored;
      return Appended::kGap;
    }
    // Numbering that starts again behind the newest record that the queue knows: its topic was
    // deleted and made again, and what is in the queue is the past.
    is_restart = at.value() == 0 && entry.commitlog_offset.value() >= queue.max_physical_;
  }
  if (!is_restart) return Appended::kPresent;
  restart(queue);
  MutexLock lock(queue.mu_);
  push(queue, entry);
  return Appended::kNew;
}

void ConsumeQueueSet::append_after_gap(ConsumeQueue& queue, QueueOffset at,
                                       const ConsumeQueueEntry& entry) {
  MutexLock lock(queue.mu_);
  std::int64_t max = queue.max_.load(std::memory_order_relaxed);
  if (max == 0 && queue.first_file_ == ConsumeQueue::kNoFile && queue.writing_.empty()) {
    // The queue starts here; write_out puts fillers in front of the entry.
    queue.written_ = at.value();
    queue.synced_ = at.value();
    queue.max_.store(at.value(), std::memory_order_release);
    queue.min_.store(at.value(), std::memory_order_release);
    queue.min_physical_ = entry.commitlog_offset.value();
  }
  for (max = queue.max_.load(std::memory_order_relaxed); max < at.value(); ++max) {
    push(queue, ConsumeQueueEntry::filler());
  }
  push(queue, entry);
}

// Forgets all entries and files; numbering starts at 0.
void ConsumeQueueSet::restart(ConsumeQueue& queue) {
  MutexLock files(file_mu_);
  {
    MutexLock lock(queue.mu_);
    pending_.fetch_sub(
        static_cast<std::int64_t>(queue.tail_.size() + queue.writing_.size()) / kEntryBytes,
        std::memory_order_relaxed);
    queue.tail_.clear();
    queue.writing_.clear();
    queue.written_ = 0;
    queue.synced_ = 0;
    queue.first_file_ = queue.last_file_ = ConsumeQueue::kNoFile;
    queue.max_physical_ = queue.min_physical_ = -1;
    queue.min_.store(0, std::memory_order_release);
    queue.max_.store(0, std::memory_order_release);
  }
  BatchQueue* const batches = batches_of(queue);
  if (auto removed = batches != nullptr ? batches->clear() : files_->remove_all(queue); !removed) {
    log::warn("consume queue of a deleted topic stays on disk: {}", removed.error().to_string());
  }
}

// --- files ---------------------------------------------------------------------------------------

Result<void> ConsumeQueueSet::write(std::vector<ConsumeQueue*> queues) {
  Result<void> result;
  std::int64_t written = 0;
  std::size_t done = 0;
  for (; done < queues.size(); ++done) {
    ConsumeQueue& queue = *queues[done];
    const std::int64_t before = written;
    result = files_->write_out(queue, written);
    if (written > before) {
      MutexLock lock(queue.mu_);
      if (!std::exchange(queue.waits_for_sync_, true)) {
        MutexLock list(list_mu_);
        to_sync_.push_back(&queue);
      }
    }
    if (!result) break;
  }
  pending_.fetch_sub(written, std::memory_order_relaxed);
  if (done < queues.size()) {
    MutexLock list(list_mu_);
    to_write_.insert(to_write_.end(), queues.begin() + static_cast<std::ptrdiff_t>(done),
                     queues.end());
    due_.store(true, std::memory_order_relaxed);
  }
  return result;
}

Result<void> ConsumeQueueSet::write_out() {
  MutexLock files(file_mu_);
  MQ_CHECK(write_batches(/*with_sync=*/false));
  std::vector<ConsumeQueue*> queues;
  {
    MutexLock list(list_mu_);
    queues.swap(to_write_);
    long_.clear();
    due_.store(false, std::memory_order_relaxed);
  }
  return write(std::move(queues));
}

Result<void> ConsumeQueueSet::write_out_due() {
  if (pending() >= options_.tail_entries_max) return write_out();
  MutexLock files(file_mu_);
  MQ_CHECK(write_batches(/*with_sync=*/false));
  std::vector<ConsumeQueue*> queues;
  {
    MutexLock list(list_mu_);
    queues.swap(long_);
    due_.store(false, std::memory_order_relaxed);
  }
  return write(std::move(queues));
}

Result<void> ConsumeQueueSet::flush(std::int32_t least_pages) {
  MQ_CHECK(write_out());
  MutexLock pass(sync_mu_);
  MQ_CHECK(write_batches(/*with_sync=*/true));
  std::vector<ConsumeQueue*> queues;
  {
    MutexLock list(list_mu_);
    queues.swap(to_sync_);
  }
  std::vector<ConsumeQueue*> later;
  std::vector<ConsumeQueue*> due;
  for (ConsumeQueue* queue : queues) {
    MutexLock lock(queue->mu_);
    const bool is_due =
        (queue->written_ - queue->synced_) * kEntryBytes >= least_pages * kPageBytes;
    if (is_due) queue->waits_for_sync_ = false;
    (is_due ? due : later).push_back(queue);
  }
  Result<void> result;
  if (due.size() > kSyncOneByOneMax) {
    result = files_->sync_all(due);
  } else {
    for (ConsumeQueue* queue : due) {
      if (result) result = files_->sync(*queue);
    }
  }
  MutexLock list(list_mu_);
  to_sync_.insert(to_sync_.end(), later.begin(), later.end());
  return result;
}

// --- reads ---------------------------------------------------------------------------------------

Result<std::size_t> ConsumeQueueSet::read(ConsumeQueue& queue, QueueOffset at, MutableBytes out) {
  std::int64_t count = static_cast<std::int64_t>(out.size()) / kEntryBytes;
  const std::int64_t position = at.value() * kEntryBytes;
  {
    MutexLock lock(queue.mu_);
    const std::int64_t max = queue.max_.load(std::memory_order_relaxed);
    if (at.value() < 0 || at.value() >= max) return Error{Errc::kNotFound};
    const std::int64_t file_end = files_->file_start(position) + files_->file_bytes();
    count = std::min({count, max - at.value(), (file_end - position) / kEntryBytes});
    if (at.value() >= queue.written_) {
      auto skip = static_cast<std::size_t>((at.value() - queue.written_) * kEntryBytes);
      auto left = static_cast<std::size_t>(count * kEntryBytes);
      for (const auto* piece : {&queue.writing_, &queue.tail_}) {
        const std::size_t begin = std::min(skip, piece->size());
        const std::size_t part = std::min(piece->size() - begin, left);
        out = out.subspan(static_cast<std::size_t>(
            std::copy_n(piece->begin() + static_cast<std::ptrdiff_t>(begin), part, out.begin()) -
            out.begin()));
        skip -= begin;
        left -= part;
      }
      return static_cast<std::size_t>(count);
    }
    if (queue.first_file_ == ConsumeQueue::kNoFile || position < queue.first_file_) {
      return Error{Errc::kNotFound};
    }
    count = std::min(count, queue.written_ - at.value());
  }
  const auto bytes = static_cast<std::size_t>(count * kEntryBytes);
  MQ_TRY(const std::size_t got, files_->read(queue, position, out.first(bytes)));
  if (got == 0) return Error{Errc::kNotFound};
  return got / kEntryBytes;
}

Result<ConsumeQueueEntry> ConsumeQueueSet::entry(ConsumeQueue& queue, std::int64_t at) {
  std::array<std::byte, ConsumeQueueEntry::kEncodedBytes> raw{};
  MQ_CHECK(read(queue, QueueOffset(at), raw));
  return format::decode_consume_queue_entry(raw);
}

// --- retention and deletion ----------------------------------------------------------------------

Result<std::int64_t> ConsumeQueueSet::first_entry_from(ConsumeQueue& queue,
                                                       std::int64_t log_begin) {
  const std::int64_t max = queue.max_offset().value();
  std::int64_t low = queue.min_offset().value();
  {
    MutexLock lock(queue.mu_);
    if (queue.first_file_ != ConsumeQueue::kNoFile) {
      low = std::max(low, queue.first_file_ / kEntryBytes);
    }
  }
  // Fillers in front (4.3) are passed over one by one; those in between, where records were lost,
  // count as what stands before them, so that the rest is in order and can be halved.
  while (low < max) {
    MQ_TRY(const ConsumeQueueEntry first, entry(queue, low));
    if (!first.is_filler()) break;
    ++low;
  }
  const std::int64_t begin = low;
  std::int64_t high = max;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    std::int64_t real = middle;
    MQ_TRY(ConsumeQueueEntry found, entry(queue, real));
    while (found.is_filler() && real > begin) {
      MQ_TRY(found, entry(queue, --real));
    }
    if (found.commitlog_offset.value() < log_begin) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// A queue whose records are all gone keeps its last file and with it its numbering.
Result<std::int32_t> ConsumeQueueSet::expire_queue(ConsumeQueue& queue, std::int64_t log_begin) {
  {
    MutexLock lock(queue.mu_);
    if (queue.min_physical_ >= log_begin || queue.max_.load(std::memory_order_relaxed) == 0) {
      return 0;
    }
  }
  MutexLock files(file_mu_);
  MQ_TRY(const std::int64_t min, first_entry_from(queue, log_begin));
  std::int64_t min_physical = log_begin;
  if (min < queue.max_offset().value()) {
    MQ_TRY(const ConsumeQueueEntry first, entry(queue, min));
    min_physical = first.commitlog_offset.value();
  }
  std::vector<std::int64_t> expired;
  {
    MutexLock lock(queue.mu_);
    queue.min_.store(min, std::memory_order_release);
    queue.min_physical_ = min_physical;
    while (queue.first_file_ != ConsumeQueue::kNoFile && queue.first_file_ < queue.last_file_ &&
           queue.first_file_ + files_->file_bytes() <= min * kEntryBytes) {
      expired.push_back(queue.first_file_);
      queue.first_file_ += files_->file_bytes();
    }
  }
  for (const std::int64_t start : expired) MQ_CHECK(files_->remove(queue, start));
  return static_cast<std::int32_t>(expired.size());
}

Result<std::int32_t> ConsumeQueueSet::expire(PhysicalOffset log_begin) {
  std::int32_t deleted = 0;
  Result<void> first_error;
  for (ConsumeQueue* queue : table_->all()) {
    BatchQueue* const batches = batches_of(*queue);
    auto count = batches != nullptr ? expire_batches(*queue, *batches, log_begin.value())
                                    : expire_queue(*queue, log_begin.value());
    if (count) {
      deleted += *count;
    } else if (first_error) {
      first_error = std::move(count).error().within(files_->directory(*queue));
    }
  }
  if (!first_error) return std::move(first_error).error();
  return deleted;
}

Result<void> ConsumeQueueSet::delete_topic(std::string_view topic, PhysicalOffset log_end) {
  std::string directory;
  for (ConsumeQueue* queue : table_->all()) {
    if (queue->topic().name != topic) continue;
    directory = queue->topic().batch ? options_.batch_root + "/" + queue->topic().name
                                     : files_->topic_directory(*queue);
    {
      MutexLock lock(queue->mu_);
      queue->ignore_before_ = log_end.value();
    }
    restart(*queue);
  }
  table_->set_batch(topic, false);
  if (directory.empty()) return {};
  MutexLock files(file_mu_);
  return fs::remove_tree(*options_.fs, directory);
}

}  // namespace mq::store

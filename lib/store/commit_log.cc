#include "store/commit_log.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "base/log.h"
#include "format/names.h"
#include "format/record.h"

namespace mq::store {

CommitLog::CommitLog(const CommitLogOptions& options)
    : options_(options), append_lock_(*options.clock) {}

std::string CommitLog::path_of(PhysicalOffset start) const {
  return options_.path + '/' + format::stream_file_name(start.value());
}

Stretch CommitLog::view_between(PhysicalOffset at, PhysicalOffset end) const {
  Stretch stretch{{}, at};
  if (const SegmentPtr segment = at >= begin() && at < end ? segments_.find(at) : nullptr) {
    if (!segment->faulted()) {
      stretch.view.bytes =
          segment->data().subspan(static_cast<std::size_t>(at - segment->start()),
                                  static_cast<std::size_t>(std::min(end, segment->end()) - at));
    }
    stretch.next_segment = segment->end();
    stretch.view.hold = segment;
  }
  // Over a hole, if there is one.
  if (const SegmentPtr next = segments_.next_from(stretch.next_segment)) {
    stretch.next_segment = next->start();
  }
  return stretch;
}

bool CommitLog::wait_readable(PhysicalOffset seen, std::int64_t timeout_ms) {
  if (readable() > seen) return true;
  MutexLock lock(wait_mu_);
  // Announced before looking once more: an append that is not seen here sees the announcement.
  reader_waits_.store(true, std::memory_order_seq_cst);
  if (readable() <= seen && !reader_woken_) {
    (void)wait_cv_.wait_for(wait_mu_, std::chrono::milliseconds(timeout_ms));
  }
  reader_waits_.store(false, std::memory_order_relaxed);
  reader_woken_ = false;
  return readable() > seen;
}

void CommitLog::wake_reader() {
  MutexLock lock(wait_mu_);
  reader_woken_ = true;
  wait_cv_.notify_one();
}

std::vector<SegmentInfo> CommitLog::segments() const {
  std::vector<SegmentInfo> out;
  for (const SegmentPtr& segment : segments_.all()) {
    const auto stat = options_.fs->stat(segment->path());
    out.push_back({segment->start(), segment->bytes(), stat ? stat->mtime_ms : 0, segment->path()});
  }
  return out;
}

Result<void> CommitLog::remove_oldest() {
  if (segments_.size() < 2) {
    return Error{Errc::kInvalid, "the file that is being written cannot be removed"};
  }
  SegmentPtr segment = segments_.pop_front();
  begin_.store(segments_.front()->start().value(), std::memory_order_release);
  const std::string path = segment->path();
  graveyard_.bury(std::move(segment), options_.clock->monotonic_us());
  MQ_CHECK(options_.fs->remove(path));
  return options_.fs->sync_directory(options_.path);
}

std::size_t CommitLog::sweep_removed() {
  return graveyard_.sweep(options_.clock->monotonic_us(), options_.forced_release_ms * 1000);
}

CommitLog::Tail CommitLog::tail() {
  AppendGuard guard(append_lock_);
  const std::int64_t written = written_.load(std::memory_order_relaxed);
  return {tail_, tail_ ? written - tail_->start().value() : 0, next_ != nullptr};
}

void CommitLog::set_next(SegmentPtr segment) {
  const bool is_first = segments_.size() == 0;
  const PhysicalOffset start = segment->start();
  AppendGuard guard(append_lock_);
  if (tail_ != nullptr) {
    MQ_ASSERT(start == tail_->end() && next_ == nullptr);
    next_ = std::move(segment);
    return;
  }
  // Nothing lies between written() and this file: recovery ended at a file's start, or the log is
  // new.
  MQ_ASSERT(start.value() == written_.load(std::memory_order_relaxed));
  if (is_first) begin_.store(start.value(), std::memory_order_release);
  segments_.push_back(segment);
  tail_ = std::move(segment);
}

SegmentPtr CommitLog::take_next() {
  AppendGuard guard(append_lock_);
  return std::move(next_);
}

CommitLog::Written CommitLog::written_with_time() {
  AppendGuard guard(append_lock_);
  return {written(), last_store_time()};
}

void CommitLog::set_flushed(PhysicalOffset to) {
  MQ_ASSERT(to >= flushed() && to <= written());
  flushed_.store(to.value(), std::memory_order_seq_cst);
  if (options_.readable_when_flushed && reader_waits_.load(std::memory_order_seq_cst)) {
    wake_reader();
  }
}

}  // namespace mq::store

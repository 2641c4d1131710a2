#include "store/flusher.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "base/log.h"
#include "base/thread.h"

namespace mq::store {
namespace {

constexpr std::int64_t kPageBytes = 4096;
constexpr std::int64_t kCheckpointIntervalUs = 1'000'000;

}  // namespace

Flusher::Flusher(CommitLog& log, const StoreOptions& options, std::string checkpoint_path,
                 const format::Checkpoint& checkpoint)
    : log_(log),
      options_(options),
      checkpoint_path_(std::move(checkpoint_path)),
      written_checkpoint_(checkpoint),
      physic_ms_(checkpoint.physic_timestamp_ms),
      logics_ms_(checkpoint.logics_timestamp_ms),
      index_ms_(checkpoint.index_timestamp_ms) {}

Flusher::~Flusher() { stop(); }

void Flusher::start() {
  last_interval_us_ = last_thorough_us_ = last_checkpoint_us_ = options_.clock->monotonic_us();
  thread_ = start_thread("flush", [this](const std::stop_token& stop) { run(stop); });
}

void Flusher::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  poke();
  thread_.join();
  (void)sync_now();
  answer_waiters();
}

void Flusher::poke() {
  const MutexLock lock(mu_);
  poked_ = true;
  cv_.notify_one();
}

void Flusher::when_durable(PhysicalOffset end, std::function<void(PutStatus)> done) {
  if (log_.flushed() >= end) return done(PutStatus::kOk);
  if (has_failed()) return done(PutStatus::kServiceNotAvailable);
  const std::int64_t deadline =
      options_.clock->monotonic_us() + options_.sync_flush_timeout_ms * 1000;
  const MutexLock lock(mu_);
  waiters_.push_back({end, deadline, std::move(done)});
  waiting_.store(static_cast<std::int64_t>(waiters_.size()), std::memory_order_relaxed);
  poked_ = true;
  cv_.notify_one();
}

void Flusher::fail(std::string reason) {
  {
    const MutexLock lock(mu_);
    if (failed_.load()) return;
    reason_ = std::move(reason);
    failed_.store(true, std::memory_order_release);
    log::error(
        "{}: no message is acknowledged any more; restart after the device has been looked at",
        reason_);
    poked_ = true;
    cv_.notify_one();
  }
}

std::string Flusher::reason() const {
  const MutexLock lock(mu_);
  return reason_;
}

Flusher::Stats Flusher::stats() const {
  const MutexLock lock(mu_);
  return {syncs_.load(), sync_max_us_.load(), static_cast<std::int64_t>(waiters_.size())};
}

std::int64_t Flusher::longest_wait_ms() const {
  const MutexLock lock(mu_);
  if (waiters_.empty()) return 0;
  // All are given the same time.
  const std::int64_t since_us =
      waiters_.front().deadline_us - options_.sync_flush_timeout_ms * 1000;
  return (options_.clock->monotonic_us() - since_us) / 1000;
}

Result<void> Flusher::sync_now() { return sync_written(); }

// Everything written at the start of the sync is on disk at its end; who came meanwhile shares the
// next one.
Result<void> Flusher::sync_written() {
  const MutexLock one_at_a_time(sync_mu_);
  if (has_failed()) return Error{Errc::kIo, reason()};
  const CommitLog::Written target = log_.written_with_time();
  if (target.end > log_.flushed()) {
    const std::int64_t begin_us = options_.clock->monotonic_us();
    const PhysicalOffset from = log_.flushed();
    for (const SegmentPtr& segment : log_.segments_between(from, target.end)) {
      // That stretch alone: behind it lie the pages that were made ready ahead of the writer.
      const PhysicalOffset begin = std::max(from, segment->start());
      const PhysicalOffset end = std::min(target.end, segment->end());
      auto done = segment->mapping().sync(begin - segment->start(), end - begin);
      if (done && segment->faulted())
        done = Error{Errc::kIo, segment->path() + ": the device failed under the mapping"};
      if (!done) {
        fail(fmt::format("sync failed: {}", done.error().text()));
        return done;
      }
    }
    log_.set_flushed(target.end);
    syncs_.fetch_add(1);
    sync_max_us_.store(std::max(sync_max_us_.load(), options_.clock->monotonic_us() - begin_us));
  }
  if (target.store_time_ms > 0) physic_ms_.store(target.store_time_ms);
  return {};
}

void Flusher::answer_waiters() {
  std::deque<Waiter> due;
  std::deque<Waiter> late;
  {
    const MutexLock lock(mu_);
    const PhysicalOffset flushed = log_.flushed();
    const std::int64_t now_us = options_.clock->monotonic_us();
    const bool failed = has_failed();
    std::deque<Waiter> rest;
    for (Waiter& waiter : waiters_) {
      if (waiter.end <= flushed) {
        due.push_back(std::move(waiter));
      } else if (failed || waiter.deadline_us <= now_us) {
        late.push_back(std::move(waiter));
      } else {
        rest.push_back(std::move(waiter));
      }
    }
    waiters_.swap(rest);
    waiting_.store(static_cast<std::int64_t>(waiters_.size()), std::memory_order_relaxed);
  }
  for (Waiter& waiter : due) waiter.done(PutStatus::kOk);
  for (Waiter& waiter : late) {
    waiter.done(has_failed() ? PutStatus::kServiceNotAvailable : PutStatus::kFlushDiskTimeout);
  }
}

bool Flusher::is_due(std::int64_t now_us) {
  const std::int64_t behind = log_.written() - log_.flushed();
  if (behind == 0) return false;
  if (options_.flush_mode == FlushMode::kSync) return true;
  {
    const MutexLock lock(mu_);
    if (!waiters_.empty()) return true;
  }
  if (now_us - last_thorough_us_ >= options_.flush_thorough_interval_ms * 1000) {
    last_thorough_us_ = last_interval_us_ = now_us;
    return true;
  }
  if (now_us - last_interval_us_ < options_.flush_interval_ms * 1000) return false;
  last_interval_us_ = now_us;
  return behind >= options_.flush_least_pages * kPageBytes;
}

void Flusher::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const std::int64_t now_us = options_.clock->monotonic_us();
    if (!has_failed() && is_due(now_us)) (void)sync_written();
    answer_waiters();
    if (now_us - last_checkpoint_us_ >= kCheckpointIntervalUs && !has_failed()) {
      last_checkpoint_us_ = now_us;
      if (auto done = write_checkpoint(); !done && done.error().code() != Errc::kNoSpace) {
        fail(fmt::format("checkpoint: {}", done.error().text()));
      }
    }
    const MutexLock lock(mu_);
    if (!poked_) {
      const std::int64_t wait_ms = options_.flush_mode == FlushMode::kSync
                                       ? 500
                                       : std::min<std::int64_t>(options_.flush_interval_ms, 500);
      (void)cv_.wait_for(mu_, std::chrono::milliseconds(wait_ms));
    }
    poked_ = false;
  }
}

Result<void> Flusher::write_checkpoint() {
  const MutexLock one_at_a_time(checkpoint_mu_);
  format::Checkpoint now = written_checkpoint_;
  now.physic_timestamp_ms = physic_ms_.load();
  now.logics_timestamp_ms = logics_ms_.load();
  now.index_timestamp_ms = index_ms_.load();
  if (now == written_checkpoint_ && checkpoint_file_ != nullptr) return {};
  if (checkpoint_file_ == nullptr) {
    MQ_TRY(checkpoint_file_, options_.fs->open(checkpoint_path_, fs::OpenMode::kCreate));
  }
  std::array<std::byte, format::Checkpoint::kEncodedBytes> raw{};
  format::encode(now, raw);
  MQ_CHECK(checkpoint_file_->write_at(0, raw));
  MQ_CHECK(checkpoint_file_->sync());
  written_checkpoint_ = now;
  return {};
}

}  // namespace mq::store

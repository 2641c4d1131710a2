#include "store/log_allocator.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "base/log.h"
#include "base/thread.h"

namespace mq::store {
namespace {

constexpr std::int64_t kStepMin = 4 << 20;
constexpr std::int64_t kStepMax = 64 << 20;
constexpr std::int64_t kLastStep =
    64 << 10;  // what is still worth having on a disk that is nearly full
constexpr std::int64_t kRetryMs = 200;

}  // namespace

LogAllocator::LogAllocator(CommitLog& log, const Options& options) : log_(log), options_(options) {}

LogAllocator::~LogAllocator() { stop(); }

void LogAllocator::start() {
  first_written_ = log_.written();
  log_.on_grow([this] { wake(); });
  thread_ = start_thread("allocate", [this](const std::stop_token& stop) { run(stop); });
}

void LogAllocator::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  {
    const MutexLock lock(mu_);
    stopping_ = true;
    wake_cv_.notify_all();
    grown_cv_.notify_all();
  }
  thread_.join();
  if (const SegmentPtr unused = log_.take_next()) (void)options_.fs->remove(unused->path());
}

void LogAllocator::wake() {
  const MutexLock lock(mu_);
  woken_ = true;
  wake_cv_.notify_one();
}

bool LogAllocator::wait_for_room(std::int64_t bytes, std::int64_t timeout_ms) {
  if (is_stuck()) return false;
  std::int64_t wanted = wanted_.load();
  while (wanted < bytes && !wanted_.compare_exchange_weak(wanted, bytes)) {
  }
  std::int64_t nobody = 0;
  needed_since_us_.compare_exchange_strong(
      nobody, std::max<std::int64_t>(1, options_.clock->monotonic_us()));
  const MutexLock lock(mu_);
  const std::uint64_t seen = rounds_;
  woken_ = true;
  wake_cv_.notify_one();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (rounds_ == seen && !stopping_) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds(0)) return false;
    (void)grown_cv_.wait_for(mu_, left);
  }
  return !stopping_ && !is_stuck();
}

std::string LogAllocator::reason() const {
  const MutexLock lock(mu_);
  return reason_;
}

void LogAllocator::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Result<bool> grown = grow();
    while (grown && *grown && !stop.stop_requested()) grown = grow();
    const MutexLock lock(mu_);
    const bool was_stuck = is_stuck_.load();
    if (!grown) {
      reason_ = grown.error().code() == Errc::kNoSpace ? "disk full: " + grown.error().text()
                                                       : grown.error().text();
      is_stuck_.store(true, std::memory_order_release);
      if (!was_stuck)
        log::error("no room for the commit log: {}; writes are refused until there is", reason_);
    } else if (was_stuck) {
      reason_.clear();
      is_stuck_.store(false, std::memory_order_release);
      log::info("there is room for the commit log again: writes resume");
    }
    needed_since_us_.store(0);  // who still lacks room says so anew
    ++rounds_;
    grown_cv_.notify_all();
    if (!woken_ && !stopping_) {
      (void)wake_cv_.wait_for(mu_, std::chrono::milliseconds(is_stuck_.load() ? kRetryMs : 1000));
    } else if (is_stuck_.load() && !stopping_) {
      (void)wake_cv_.wait_for(mu_, std::chrono::milliseconds(kRetryMs));
    }
    woken_ = false;
  }
}

// The more has been appended, the larger the steps: an idle store reserves little, a busy one never
// waits; and never more than a part of what the disk has left.
std::int64_t LogAllocator::ahead() const {
  std::int64_t bytes = std::clamp(log_.written() - first_written_, kStepMin, kStepMax);
  if (const auto disk = options_.fs->disk_usage(options_.directory))
    bytes = std::min(bytes, disk->available_bytes / 4);
  return std::max(bytes, kLastStep);
}

Result<bool> LogAllocator::grow() {
  const CommitLog::Tail tail = log_.tail();
  const std::int64_t ahead = this->ahead();
  if (tail.segment == nullptr) {
    MQ_TRY(SegmentPtr first, make(log_.written()));
    MQ_CHECK(extend(*first, std::min(ahead, first->bytes())));
    log_.set_next(std::move(first));
    return true;
  }
  Segment& segment = *tail.segment;
  const std::int64_t wanted = wanted_.exchange(0);
  const std::int64_t least = wanted + kLastStep;
  const std::int64_t target =
      std::min(segment.bytes(),
               options_.warm_files ? segment.bytes() : tail.position + std::max(ahead, least));
  bool changed = false;
  // Only when half of it has been used: in steps, not a page at a time.
  const std::int64_t left_now = segment.allocated() - tail.position;
  if (segment.allocated() < target && (left_now < ahead / 2 || left_now < least)) {
    // Recovery leaves 0: what is there already is reserved again, which costs nothing.
    MQ_CHECK(extend(segment, target));
    changed = true;
  }
  if (!tail.has_next && segment.allocated() == segment.bytes() &&
      segment.bytes() - tail.position < std::max(ahead, least)) {
    MQ_TRY(SegmentPtr next, make(segment.end()));
    MQ_CHECK(extend(*next, std::min(next->bytes(), std::max(ahead, least))));
    log_.set_next(std::move(next));
    changed = true;
  }
  // Comes back when half of what is ready has been used; at the end of a file, when the next one
  // has been entered.
  const std::int64_t left = segment.allocated() - tail.position;
  log_.set_grow_mark(segment.allocated() == segment.bytes() && (tail.has_next || changed)
                         ? segment.end()
                         : PhysicalOffset(segment.start() + tail.position + left / 2));
  return changed;
}

Result<void> LogAllocator::extend(Segment& segment, std::int64_t want) {
  const std::int64_t from = segment.allocated();
  std::int64_t to = std::min(segment.bytes(), (want + kLastStep - 1) / kLastStep * kLastStep);
  auto done = segment.file().allocate(from, to - from);
  while (!done && done.error().code() == Errc::kNoSpace && to - from > kLastStep) {
    to = from + std::max(kLastStep, (to - from) / 2 / kLastStep * kLastStep);
    done = segment.file().allocate(from, to - from);
  }
  if (!done) return done;
  using Pages = fs::Mapping::Pages;
  segment.mapping().prefault(from, to - from, options_.zero_ahead ? Pages::kSmall : Pages::kAny);
  if (segment.mapping().faulted())
    return Error{Errc::kIo, segment.path() + ": the device failed under the mapping"};
  if (options_.zero_ahead) {
    // The kernel tells an error of this file once, whatever page it was: it cannot be passed over.
    if (auto synced = segment.mapping().sync(from, to - from); !synced) {
      options_.device_failed(fmt::format("sync failed: {}", synced.error().text()));
      return synced;
    }
  }
  segment.set_allocated(to);
  return {};
}

Result<SegmentPtr> LogAllocator::make(PhysicalOffset start) {
  // Files start at multiples of their size, whatever the log's end was.
  const std::int64_t bytes = log_.file_bytes();
  MQ_TRY(SegmentPtr segment, Segment::create(*options_.fs, log_.path_of(start), start, bytes));
  if (options_.lock_files) {
    if (auto locked = segment->mapping().lock_memory(); !locked)
      log::warn("{}: {}", segment->path(), locked.error().text());
  }
  return segment;
}

}  // namespace mq::store

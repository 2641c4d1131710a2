// How far the timer is, on disk: the files are written once what they say has been done is safe.
#include "base/log.h"
#include "broker/timer.h"

namespace mq::broker {
namespace {

constexpr std::int64_t kMetricsIntervalMs = 10'000;
constexpr std::int64_t kExpireIntervalMs = 30'000;

// Is it time again? A clock that was set back does not put it off.
bool is_due(std::int64_t now_ms, std::int64_t last_ms, std::int64_t interval_ms) {
  return now_ms - last_ms >= interval_ms || now_ms < last_ms;
}

}  // namespace

void Timer::flush(std::int64_t now_ms) {
  if (mark_.state() == DurableMark::State::kWaiting) return;
  const auto write_marked = [&] {
    if (mark_.state() != DurableMark::State::kReached) return;
    if (auto done = write_files(now_ms); !done) {
      is_changed_ = true;
      log::error("timer: {}", done.error().to_string());
    }
  };
  write_marked();
  mark_.forget();
  if (has_failed_ || !is_changed_ || !is_due(now_ms, flushed_ms_, options_.flush_interval_ms))
    return;
  flushed_ms_ = now_ms;
  is_changed_ = false;
  snapshot_ = {read_ms_, queue_next_};
  mark_.ask(options_.store, delivered_end_);
  write_marked();
  if (mark_.state() != DurableMark::State::kWaiting) mark_.forget();
}

Result<void> Timer::save(std::int64_t now_ms) {
  mark_.forget();
  if (has_failed_) return Error{Errc::kIo, "timer: a sync of its files has failed before"};
  snapshot_ = {read_ms_, queue_next_};
  metrics_ms_ = 0;
  if (log_.is_empty() && log_.in_memory() == 0 && !wheel_.is_changed() && check_file_ == nullptr)
    return {};  // never used
  return write_files(now_ms);
}

// In this order: the check names only what log and wheel hold.
Result<void> Timer::write_files(std::int64_t now_ms) {
  auto done = log_.sync();
  if (done) done = wheel_.save();
  if (done && check_file_ == nullptr) {
    auto opened = options_.fs.open(path("config/timercheck"), fs::OpenMode::kCreate);
    if (opened) check_file_ = std::move(*opened);
    if (opened) done = check_file_->truncate(format::TimerCheckpoint::kEncodedBytes);
    if (!opened) done = std::move(opened).error();
  }
  format::TimerCheckpoint next = check();
  const format::TimerCheckpoint before = next;
  next.last_read_time_ms = snapshot_.read_ms;
  next.last_log_flush_position = log_.synced();
  next.last_queue_offset = next.master_queue_offset = snapshot_.queue_next;
  if (next != before) {
    ++next.version_counter;
    next.version_timestamp_ms = now_ms;
    std::array<std::byte, format::TimerCheckpoint::kEncodedBytes> raw{};
    format::encode(next, raw);
    if (done) done = check_file_->write_at(0, raw);
    if (done) done = check_file_->sync();
  }
  if (!done) {
    // What a failed sync was to write may be lost; the old check still says where to begin again.
    has_failed_ = done.error().code() == Errc::kIo;
    return done;
  }
  {
    const MutexLock lock(mu_);
    check_ = next;
  }
  if (!is_due(now_ms, metrics_ms_, kMetricsIntervalMs)) return {};
  metrics_ms_ = now_ms;
  return fs::write_file_atomically(options_.fs, path("config/timermetrics"),
                                   format::to_timer_metrics_json(metrics()), /*keep_backup=*/true);
}

void Timer::expire(std::int64_t now_ms) {
  if (!is_due(now_ms, expired_ms_, kExpireIntervalMs)) return;
  expired_ms_ = now_ms;
  if (auto done = log_.expire(options_.store.stats().begin); !done)
    log::error("timer log: {}", done.error().to_string());
}

}  // namespace mq::broker

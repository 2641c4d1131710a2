#include "store/janitor.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>

#include <fmt/format.h>

#include "base/log.h"
#include "base/thread.h"

namespace mq::store {
namespace {

Result<std::vector<int>> parse_hours(std::string_view text) {
  std::vector<int> hours;
  while (!text.empty()) {
    const std::size_t end = text.find(';');
    const std::string_view piece = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    int hour = -1;
    const auto [stop, error] = std::from_chars(piece.data(), piece.data() + piece.size(), hour);
    if (error != std::errc{} || stop != piece.data() + piece.size() || hour < 0 || hour > 23) {
      return Error{Errc::kInvalid, fmt::format("deleteWhen: '{}' is not an hour", piece)};
    }
    hours.push_back(hour);
  }
  return hours;
}

}  // namespace

struct Janitor::Space {
  bool expired_at_any_hour = false;  // above diskMaxUsedSpaceRatio
  bool ignore_age = false;           // above diskSpaceCleanForciblyRatio
};

Result<void> Janitor::check(const StoreOptions& o) {
  MQ_CHECK(parse_hours(o.delete_when));
  if (o.disk_clean_percent > o.disk_warning_percent) {
    return Error{
        Errc::kInvalid,
        fmt::format("diskSpaceCleanForciblyRatio={} is above diskSpaceWarningLevelRatio={}",
                    o.disk_clean_percent, o.disk_warning_percent)};
  }
  return {};
}

Janitor::Janitor(Parts parts, const StoreOptions& options)
    : parts_(std::move(parts)), options_(options) {
  if (auto hours = parse_hours(options.delete_when)) hours_ = std::move(*hours);
}

Result<void> Janitor::set_retention(const StoreOptions& options) {
  MQ_CHECK(check(options));
  MQ_TRY(auto hours, parse_hours(options.delete_when));
  const MutexLock one_at_a_time(work_mu_);
  hours_ = std::move(hours);
  options_.delete_when = options.delete_when;
  options_.file_reserved_hours = options.file_reserved_hours;
  options_.disk_used_percent_max = options.disk_used_percent_max;
  options_.disk_clean_percent = options.disk_clean_percent;
  options_.disk_warning_percent = options.disk_warning_percent;
  options_.clean_forcibly = options.clean_forcibly;
  next_clean_us_ = 0;
  return {};
}

Janitor::~Janitor() { stop(); }

void Janitor::start() {
  thread_ = start_thread("janitor", [this](const std::stop_token& stop) { run(stop); });
}

void Janitor::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  {
    const MutexLock lock(mu_);
    stop_cv_.notify_all();
  }
  thread_.join();
}

void Janitor::run(const std::stop_token& stop) {
  const std::chrono::milliseconds interval(
      std::min<std::int64_t>(1000, options_.clean_interval_ms));
  while (true) {
    {
      const MutexLock lock(mu_);
      // Asked under the lock, or the wake-up of a stop that comes now is missed.
      if (!stop.stop_requested()) (void)stop_cv_.wait_for(mu_, interval);
    }
    if (stop.stop_requested()) return;
    tick();
    if (parts_.every_second) parts_.every_second();
  }
}

void Janitor::tick() {
  const MutexLock one_at_a_time(work_mu_);
  const Space space = look_at_disk();
  const std::int64_t now_us = options_.clock->monotonic_us();
  if (now_us >= next_clean_us_ || space.ignore_age) {
    next_clean_us_ = now_us + options_.clean_interval_ms * 1000;
    if (is_delete_hour() || space.expired_at_any_hour || space.ignore_age) {
      delete_log_files(space.ignore_age && options_.clean_forcibly);
    }
  }
  follow_log();
}

Janitor::Space Janitor::look_at_disk() {
  auto usage = options_.fs->disk_usage(parts_.log_root);
  if (!usage) return {};
  const int percent = usage->used_percent();
  const bool was_full = is_disk_full_.load();
  const bool full = percent > options_.disk_warning_percent ||
                    (was_full && percent >= options_.disk_clean_percent);
  {
    const MutexLock lock(mu_);
    disk_ = *usage;
    reason_ = full ? fmt::format(
                         "disk {}% full at {}, writes stop above {}% (diskSpaceWarningLevelRatio) "
                         "and resume below {}%",
                         percent, parts_.log_root, options_.disk_warning_percent,
                         options_.disk_clean_percent)
                   : std::string();
    if (full && !was_full) log::error("{}", reason_);
  }
  is_disk_full_.store(full, std::memory_order_release);
  if (!full && was_full) log::info("disk {}% full: writes resume", percent);
  return {.expired_at_any_hour = percent > options_.disk_used_percent_max,
          .ignore_age = percent > options_.disk_clean_percent};
}

bool Janitor::is_delete_hour() const {
  const std::time_t seconds = options_.clock->now_ms() / 1000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return std::find(hours_.begin(), hours_.end(), parts.tm_hour) != hours_.end();
}

// Oldest first, never the one being written, in small steps with pauses: nobody waits for it.
std::int32_t Janitor::delete_log_files(bool ignore_age) {
  const auto files = parts_.log->files();
  const std::int64_t now_ms = options_.clock->now_ms();
  std::int32_t deleted = 0;
  for (std::size_t i = 0; i + 1 < files.size() && deleted < options_.delete_batch_max; ++i) {
    if (!ignore_age && now_ms < files[i].mtime_ms + options_.file_reserved_hours * 3'600'000) break;
    if (deleted > 0) pause(options_.delete_files_interval_ms);
    if (auto done = parts_.log->remove_oldest(); !done) {
      log::warn("{}: {}", files[i].path, done.error().to_string());
      break;
    }
    log::info("{}: deleted, {}", files[i].path,
              ignore_age ? "as the disk is too full" : "as its time is over");
    ++deleted;
  }
  return deleted;
}

void Janitor::follow_log() {
  const PhysicalOffset begin = parts_.log->begin();
  if (begin <= followed_) return;
  if (auto done = parts_.queues->expire(begin); !done)
    log::warn("consume queues: {}", done.error().to_string());
  if (parts_.index != nullptr) {
    if (auto done = parts_.index->expire(begin); !done)
      log::warn("index: {}", done.error().to_string());
  }
  followed_ = begin;
}

void Janitor::pause(std::int64_t ms) {
  if (ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

Result<std::int32_t> Janitor::expire_now() {
  const MutexLock one_at_a_time(work_mu_);
  const std::int32_t deleted = delete_log_files(false);
  follow_log();
  return deleted;
}

std::string Janitor::reason() const {
  const MutexLock lock(mu_);
  return reason_;
}
fs::DiskUsage Janitor::disk() const {
  const MutexLock lock(mu_);
  return disk_;
}

}  // namespace mq::store

// Retention and the disk (store-format.md 10): deletes commit log files that are old enough or
// whose space is needed, lets queues and index follow, and says when the disk is too full to write.
//
// Every second it looks at the disk, so that writes resume soon after space returns; retention runs
// every clean_interval_ms. Deletion goes in small steps with pauses; it never holds up anybody.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "fs/fs.h"
#include "store/consume_queue_set.h"
#include "store/index.h"
#include "store/log_source.h"
#include "store/message_store.h"

namespace mq::store {

class Janitor {
 public:
  struct Parts {
    ExpirableLog* log = nullptr;
    ConsumeQueueSet* queues = nullptr;
    IndexSet* index = nullptr;  // may be null
    std::string queue_root;     // where the queues' disk is measured
    std::string log_root;
    std::function<void()> every_second;  // may be empty: housekeeping of the owner (sweep_removed)
  };
  // Uses the retention and disk members of `options`, its fs and its clock.
  // Errors: kInvalid (deleteWhen, percentages that are not in order).
  static Result<void> check(const StoreOptions& options);
  Janitor(Parts parts, const StoreOptions& options);
  ~Janitor();  // stop()

  void start();
  void stop();

  // Takes the retention and disk members of other options from now on. Errors: as check.
  Result<void> set_retention(const StoreOptions& options);

  // One look at the disk, and retention if it is due; what the thread does each second. For tests,
  // and once by the owner before the first put.
  void tick();
  // Deletes what is old enough now, whatever the hour (R(329)); returns commit log files deleted.
  Result<std::int32_t> expire_now();

  // Whether the disk is too full for puts; the put path asks per put. Turns true above the warning
  // percentage, false again below the percentage that forces cleaning (hysteresis).
  [[nodiscard]] bool is_disk_full() const noexcept {
    return is_disk_full_.load(std::memory_order_acquire);
  }
  // "disk 91 % used at /var/lib/mqd/commitlog, limit diskSpaceWarningLevelRatio=90, writes resume
  // below 85 %"; "" while not full.
  [[nodiscard]] std::string reason() const MQ_EXCLUDES(mu_);
  [[nodiscard]] fs::DiskUsage disk() const MQ_EXCLUDES(mu_);  // of the commit log

 private:
  struct Space;
  void run(const std::stop_token& stop);
  Space look_at_disk();
  std::int32_t delete_log_files(bool ignore_age);
  void follow_log();
  [[nodiscard]] bool is_delete_hour() const;
  void pause(std::int64_t ms);

  const Parts parts_;
  StoreOptions options_;    // its retention and disk members change under work_mu_
  std::vector<int> hours_;  // ditto
  std::int64_t next_clean_us_ = 0;
  PhysicalOffset followed_{-1};
  Mutex work_mu_;  // one pass at a time
  std::atomic<bool> is_disk_full_{false};
  mutable Mutex mu_;
  CondVar stop_cv_;  // the thread sleeps here
  std::string reason_ MQ_GUARDED_BY(mu_);
  fs::DiskUsage disk_ MQ_GUARDED_BY(mu_);
  std::jthread thread_;
};

}  // namespace mq::store

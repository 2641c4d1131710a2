// The timing wheel: for every tick of two weeks the chain of messages that are due in it, kept in
// memory and copied to the file `timerwheel` (store-format.md 11.2).
//
// Memory and disk are used by the pages that hold something: a wheel that was never used costs
// nothing and has no file; a full one is 38.7 MB of each.
//
// One thread changes it; count() may be called from any. Times are milliseconds since 1970; only
// their tick (time / precision) counts.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "format/timer_files.h"
#include "fs/fs.h"

namespace mq::broker {

class TimerWheel {
 public:
  // `fs` is borrowed.
  TimerWheel(fs::Fs& fs, std::string path, std::int64_t precision_ms);

  // Reads the file if there is one. Errors: kCorrupt (a length that no wheel has), kIo.
  Result<void> load();
  // Writes what changed since, and syncs. Makes the file if something was ever put. Errors:
  // kNoSpace, kIo; the changes stay to be written.
  Result<void> save();

  // The slot of that time; empty (no units) if it is unused, damaged, or another time's.
  [[nodiscard]] format::TimerSlot get(std::int64_t time_ms) const;
  // `slot` as get() gave it, changed; its time is set here.
  void put(std::int64_t time_ms, format::TimerSlot slot);
  // As if it had never been used.
  void clear(std::int64_t time_ms);
  // Messages in the slot of that time. Any thread.
  [[nodiscard]] std::int32_t count(std::int64_t time_ms) const { return get(time_ms).count; }

  // The earliest time in [from_ms, until_ms) whose slot has units.
  [[nodiscard]] std::optional<std::int64_t> next_used(std::int64_t from_ms,
                                                      std::int64_t until_ms) const;
  // Every slot with units, with its time, in no order. The callback may put and clear.
  void for_each_used(
      const std::function<void(std::int64_t time_ms, const format::TimerSlot&)>& visit) const;

  [[nodiscard]] std::int64_t precision_ms() const noexcept { return precision_ms_; }
  [[nodiscard]] bool is_changed() const;

 private:
  static constexpr std::size_t kPageBytes = 4096;
  static constexpr std::size_t kSlotsPerPage = kPageBytes / format::TimerSlot::kEncodedBytes;
  static constexpr std::size_t kPages =
      static_cast<std::size_t>(format::TimerSlot::kFileBytes) / kPageBytes;
  struct Page {
    std::array<std::byte, kPageBytes> bytes{};
    bool is_changed = false;
  };

  [[nodiscard]] std::size_t index_of(std::int64_t time_ms) const noexcept {
    return static_cast<std::size_t>(time_ms / precision_ms_ % format::TimerSlot::kCount);
  }
  [[nodiscard]] std::optional<format::TimerSlot> slot_at(std::size_t index) const MQ_REQUIRES(mu_);
  void write(std::size_t index, const format::TimerSlot& slot) MQ_EXCLUDES(mu_);

  fs::Fs& fs_;
  const std::string path_;
  const std::int64_t precision_ms_;
  std::unique_ptr<fs::File> file_;
  mutable Mutex mu_;
  std::vector<std::unique_ptr<Page>> pages_ MQ_GUARDED_BY(mu_);  // null: all zeros
  std::vector<std::size_t> changed_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::broker

// A damaged commit log as it is to be: what is good as it stands, what can be put right, and what
// has to stand where nothing can be read (repair_scrap.h).
//
// What is put right: a single flipped bit in the fields that hold a record together (sizes, magic,
// CRC, own position, host bits of sysFlag) or in its store time, where the record is then whole
// again.
//
// Reads with the codecs alone; writes nothing. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "inspect/log_reader.h"
#include "inspect/rebuild_queues.h"
#include "inspect/rebuild_rules.h"
#include "inspect/repair_salvage.h"
#include "inspect/repair_scrap.h"

namespace mq::inspect {

class LogMend {
 public:
  struct Options {
    std::int64_t file_bytes = 0;  // mappedFileSizeCommitLog
    // The log is to end in front of the first record that ends behind `to` or was stored later.
    PhysicalOffset to{INT64_MAX};
    std::int64_t to_ms = INT64_MAX;
    std::int64_t now_ms = 0;
    const DispatchRules* rules = nullptr;  // borrowed
  };
  // Whether that number is the next of its queue, as far as is known at that place of the log.
  using IsNext = std::function<bool(const format::Record&)>;
  using Visit = std::function<Result<void>(const format::Record&)>;
  using Progress = std::function<void(PhysicalOffset)>;

  static Result<std::unique_ptr<LogMend>> open(fs::Fs& fs, const std::string& store,
                                               const Options& options);

  // The first pass: finds what is damaged; visits records as the mended log will have them but for
  // numbers held, which are not known yet. Errors: kCorrupt (what cannot be mended), kIo, visit's.
  Result<void> survey(const Visit& visit, const IsNext& is_next, const Progress& progress = {});
  // Every further pass: all records of the mended log.
  Result<void> replay(const Visit& visit, const Progress& progress = {});

  // Keeps a lost number of a queue in the first stretch of [from, to) with room for it; where that
  // begins, or nothing.
  std::optional<PhysicalOffset> hold_between(const QueueKey& queue, std::int64_t number,
                                             PhysicalOffset from, PhysicalOffset to);
  bool hold(const QueueKey& queue, std::int64_t number, PhysicalOffset from, PhysicalOffset to) {
    return hold_between(queue, number, from, to).has_value();
  }
  // A record that is good as it stands but is to be another.
  void fix(PhysicalOffset at, std::string bytes, std::string what);

  struct Fixed {
    std::string bytes;
    std::string what;
  };
  [[nodiscard]] const std::map<PhysicalOffset, Fixed>& fixed() const noexcept { return fixed_; }
  [[nodiscard]] const std::vector<Stretch>& stretches() const noexcept { return stretches_; }
  [[nodiscard]] const Stretch* stretch_at(PhysicalOffset at) const;
  // A record as it stands, or as it is fixed. Errors: kNotFound, kCorrupt.
  Result<std::string> record_at(PhysicalOffset at);
  [[nodiscard]] LogReader& log() noexcept { return *log_; }
  [[nodiscard]] fs::Fs& fs() noexcept { return fs_; }
  [[nodiscard]] PhysicalOffset begin() const noexcept { return log_->begin(); }
  // Where the mended log ends.
  [[nodiscard]] PhysicalOffset end() const noexcept { return end_; }
  // What stands there, in words; "" for nothing.
  [[nodiscard]] std::string why_end() const {
    const auto why = why_.find(end_);
    return why == why_.end() ? std::string() : why->second;
  }
  // Whether the end was asked for, and how many good records lie behind it.
  [[nodiscard]] bool is_cut() const noexcept { return behind_ > 0; }
  [[nodiscard]] std::int64_t records_behind() const noexcept { return behind_; }
  [[nodiscard]] std::int64_t file_bytes() const noexcept { return options_.file_bytes; }
  [[nodiscard]] bool is_changed() const noexcept { return !fixed_.empty() || !stretches_.empty(); }
  // Before end(), of the length it has; null if there is none.
  [[nodiscard]] const LogFile* file_starting(PhysicalOffset start) const;

 private:
  struct Seen {  // of a good record
    PhysicalOffset at{};
    std::int64_t store_timestamp_ms = 0;
    format::Host store_host{};
    bool has_crc_property = false;
  };
  LogMend(fs::Fs& fs, std::unique_ptr<LogReader> log, const Options& options)
      : fs_(fs), log_(std::move(log)), options_(options) {}

  [[nodiscard]] PhysicalOffset file_start(PhysicalOffset at) const noexcept {
    return at - at.value() % options_.file_bytes;
  }
  Result<void> pass_gap(PhysicalOffset to, const Seen& next, const Visit& visit,
                        const IsNext& is_next);
  Result<PhysicalOffset> pass_gap_in_file(PhysicalOffset from, PhysicalOffset to, const Seen& next,
                                          const Visit& visit, const IsNext& is_next);
  Result<bool> is_blank(PhysicalOffset at, std::int64_t bytes);
  Result<std::string> salvage(PhysicalOffset at, PhysicalOffset to, const Seen& next,
                              const IsNext& is_next);
  void add_stretch(PhysicalOffset from, PhysicalOffset to, bool is_missing, const Seen& next);
  Result<void> settle_end(PhysicalOffset last_good);
  Result<void> retime(const TimeOrder::Odd& odd);

  fs::Fs& fs_;
  std::unique_ptr<LogReader> log_;
  const Options options_;
  std::vector<Stretch> stretches_;  // sorted
  std::map<PhysicalOffset, Fixed> fixed_;
  std::map<PhysicalOffset, std::string> why_;  // what the reader says of damage, by position
  PhysicalOffset end_{};
  std::int64_t behind_ = 0;
  // While surveying:
  PhysicalOffset expected_{};
  std::optional<Seen> last_;
  TimeOrder times_;
};

}  // namespace mq::inspect

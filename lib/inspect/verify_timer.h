// The timer's files under verify: units of the timer log against the wheel and against the commit
// log, the timer's checkpoint against its queue (store-format.md 11). A store without any of them
// has nothing to say.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "format/timer_files.h"
#include "fs/fs.h"
#include "inspect/cache_keeper.h"
#include "inspect/verify_facts.h"

namespace mq::inspect {

class VerifyTimer {
 public:
  // Size of the record at a position of the commit log; nothing if none begins there.
  using RecordBytes = std::function<std::optional<std::int32_t>(PhysicalOffset at)>;

  VerifyTimer(fs::Fs& fs, VerifyFacts& facts, VerifyReport& report, RecordBytes record_bytes)
      : fs_(fs), facts_(facts), report_(report), record_bytes_(std::move(record_bytes)) {}

  // `queue_end`: behind the last message of the timer's own queue.
  void run(std::int64_t queue_end);

 private:
  struct LogFile {
    std::string path;
    std::int64_t start = 0;
    std::int64_t bytes = 0;
  };
  struct Run {
    std::string file;
    std::int64_t at = -1;
    std::int64_t next = -1;  // where one that goes on would stand
    std::string what, expected, found;
    std::int64_t count = 0;
  };

  void add(Severity severity, std::string file, std::int64_t at, std::string what,
           std::string expected = {}, std::string found = {});
  void list_log();
  void walk_log();
  // Whether units go on in the next file.
  bool walk_file(const LogFile& file, bool is_last);
  void check_unit(const LogFile& file, std::int64_t at, const format::TimerUnit& unit);
  void bad_unit(const LogFile& file, std::int64_t at, std::string what, std::string expected,
                std::string found);
  void flush_bad();
  void walk_wheel();
  void check_slot(std::int64_t number, const format::TimerSlot& slot);
  // Could a unit stand at that position of the timer log?
  [[nodiscard]] bool is_unit_place(std::int64_t position) const;
  void check_checkpoint(std::int64_t queue_end);

  fs::Fs& fs_;
  VerifyFacts& facts_;
  VerifyReport& report_;
  const RecordBytes record_bytes_;
  std::vector<LogFile> log_;
  std::int64_t begin_ = 0;  // of the timer log's files
  std::int64_t end_ = 0;    // behind its last unit
  Run bad_;
};

}  // namespace mq::inspect

// The files of a commit log as they are and as a LogMend wants them: what has to be done to each,
// in words and as steps of a StoreChange. One thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "fs/fs.h"
#include "inspect/repair_change.h"
#include "inspect/repair_log.h"

namespace mq::inspect {

struct LogFileWork {
  enum class Kind : std::uint8_t {
    kCreate,    // a missing file
    kLength,    // too short or too long
    kTail,      // something behind the log's end
    kPutAside,  // wholly behind the log's end, or no log file
  };
  Kind kind = Kind::kLength;
  std::string name;
  PhysicalOffset start{};  // kCreate
  std::int64_t at = 0;     // in the file: kLength, kTail: zeros from there on
  std::string what;        // in words
  bool is_damage = true;   // else: as a crash leaves it
};

// Files of the commit log's directory that are not as they should be. Errors: kIo.
Result<std::vector<LogFileWork>> log_file_work(fs::Fs& fs, const std::string& store,
                                               const LogMend& mend);

// Adds to `change` all that the log needs: files, stretches, records that are fixed. Builds new
// files in its area. Errors: kNoSpace, kIo.
Result<void> write_log(fs::Fs& fs, const std::string& store, LogMend& mend,
                       const std::vector<LogFileWork>& work, StoreChange& change);

}  // namespace mq::inspect

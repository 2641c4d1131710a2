// Checks a store as a whole, with the codecs alone: every file for itself, and every link between
// them in both directions (store-format.md 9.7 and more). Never writes. Works on a store that a
// broker has open (up to what can be read when it comes by), on a copy, on one commit log file.
//
// The log is walked once, in order, and each record compared with the next entry that its queue and
// the index should hold: a cursor for each queue and one for the index, each with a small buffer,
// and no table of records. Memory follows the number of queues (about 1 KiB each) and the slots of
// one index file (4 bytes each), never the size of the store. The page cache stays as it was found.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "format/record.h"
#include "fs/fs.h"

namespace mq::inspect {

enum class Severity : std::uint8_t {
  kNote,    // worth knowing; nothing is wrong for a reader or a broker
  kNormal,  // as a crash, or a running broker, leaves it; the next start mends it
  kDamage,
};
[[nodiscard]] std::string_view name_of(Severity severity) noexcept;  // "note", "normal", "damage"

struct VerifyFinding {
  Severity severity = Severity::kDamage;
  std::string file{};      // path, as it can be opened; a directory when it is about all in it
  std::int64_t at = -1;    // position in the file; -1: about the file as a whole
  std::string what{};      // one line
  std::string expected{};  // the value that should stand there; may be empty
  std::string found{};     // the value that stands there; may be empty
  std::string mend{};      // the command that mends it; empty when there is none or no need
};

struct VerifyOptions {
  // Asked about each body, to look into it (may be empty).
  std::function<Result<void>(const format::Record&)> check_body{};
  // Threads for the CRC of bodies, this one included.
  int jobs = 1;
  // Told now and then how much of the commit log is behind us (may be empty).
  std::function<void(std::int64_t done_bytes, std::int64_t total_bytes)> progress{};
};

struct VerifySummary {
  std::int64_t log_files = 0, records = 0, log_bytes = 0;
  std::int64_t queues = 0, queue_entries = 0;
  std::int64_t index_files = 0, index_entries = 0;
  std::int64_t damage = 0, normal = 0, notes = 0;  // findings, those included that were not told
  bool crashed = false;                            // `abort` is there and nobody has the store open
  bool live = false;                               // a broker has it open
};

// Tells of each finding in the order log, queues, index, small files. Many of one kind in one file
// are told as one, or as a first few and a last that says how many more there are; `tell` is called
// on this thread. Errors: kNotFound (no store there), kUnsupported (RocksDB queues), kIo.
Result<VerifySummary> verify(fs::Fs& fs, const std::string& path, const VerifyOptions& options,
                             const std::function<void(const VerifyFinding&)>& tell);

}  // namespace mq::inspect

// Walks over a log by several threads, a file each. Memory: LogReader::kResidentBytes a thread, and
// what the caller keeps.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "inspect/log_reader.h"

namespace mq::inspect {

struct WalkOptions {
  PhysicalOffset from{0};
  PhysicalOffset to{INT64_MAX};
  int jobs = 1;  // threads
  LogReader::Cache cache = LogReader::Cache::kDrop;
  // What has been passed so far: bytes of records, and records. Borrowed; may be null.
  std::atomic<std::int64_t>* bytes_done = nullptr;
  std::atomic<std::int64_t>* records_done = nullptr;
};

// Every good record in [from, to): a file's in order by one thread, files begun in order. `visit`
// gets the number of its thread, from 0 to jobs-1, so that state of each thread needs no lock;
// false ends the walk of all. `note` (may be empty) is called by one thread at a time. Returns
// where the last good record ended. Errors: as LogReader.
using ParallelVisit =
    std::function<bool(std::size_t worker, const format::Record& record, Bytes bytes)>;
Result<PhysicalOffset> walk_parallel(fs::Fs& fs, const std::string& path,
                                     const WalkOptions& options, const ParallelVisit& visit,
                                     const LogReader::Note& note = {});

// As above, for a search: `wants` is asked by several threads, `found` is called for what it wants
// by the calling thread in the order of the log.
using Wants = std::function<bool(std::size_t worker, const format::Record& record)>;
Result<void> search_parallel(fs::Fs& fs, const std::string& path, const WalkOptions& options,
                             const Wants& wants, const LogReader::Visit& found,
                             const LogReader::Note& note = {});

}  // namespace mq::inspect

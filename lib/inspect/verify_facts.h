// What is known of a store while it is verified, shared by the parts. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "base/ids.h"
#include "inspect/verify_report.h"

namespace mq::inspect {

// A piece of the log in which no record can be read, with records behind it or not. What other
// files say of records in it is part of the same damage, and told with it.
struct DeadStretch {
  PhysicalOffset from{};
  PhysicalOffset to{};
  VerifyFinding finding{};
  std::int64_t lost = 0;             // messages that a queue has there
  std::vector<std::string> names{};  // of the first few: "topic/queue/number"
};

struct VerifyFacts {
  std::string root;      // the store's directory, or the one file
  bool is_store = true;  // false: one commit log file, nothing around it
  bool crashed = false;
  bool live = false;
  PhysicalOffset begin{};         // of the first commit log file
  PhysicalOffset end{};           // behind the last record that the chain reaches
  PhysicalOffset end_of_files{};  // behind the last commit log file
  // The checkpoint's word that queues are on disk for messages stored up to then; after a crash
  // they may lack what came later.
  std::int64_t queues_kept_ms = 0;
  std::int64_t newest_store_ms = 0;
  std::int64_t oldest_store_ms = 0;  // of the first record
  // Of the commit log: path and first position, in order; for what is told of records.
  struct File {
    std::string path;
    PhysicalOffset start{};
  };
  std::vector<File> files;
  std::vector<DeadStretch> stretches;  // in order
  // Where the next record would be written: `end`, or the next file behind a blank.
  PhysicalOffset append_at{};
  // Messages that queues have from append_at on, and the names of the first few.
  std::int64_t lost_behind = 0;
  std::vector<std::string> lost_names;

  // May files lag behind the log, or its end be torn, without anything being wrong?
  [[nodiscard]] bool is_unsettled() const noexcept { return crashed || live; }

  // The file that holds a position of the log, and the place in it; one right behind a file's end
  // belongs to the next, if there is one.
  [[nodiscard]] const std::string& file_at(PhysicalOffset at) const {
    const File* const file = find_file(at);
    return file == nullptr ? root : file->path;
  }
  [[nodiscard]] std::int64_t place_at(PhysicalOffset at) const {
    const File* const file = find_file(at);
    return file == nullptr ? at.value() : at - file->start;
  }

  [[nodiscard]] DeadStretch* stretch_of(PhysicalOffset at) {
    const auto found = std::partition_point(stretches.begin(), stretches.end(),
                                            [at](const DeadStretch& s) { return s.to <= at; });
    return found != stretches.end() && found->from <= at ? &*found : nullptr;
  }
  // Is there a piece that cannot be read between two positions?
  [[nodiscard]] bool is_broken_between(PhysicalOffset from, PhysicalOffset to) const {
    const auto found = std::partition_point(stretches.begin(), stretches.end(),
                                            [from](const DeadStretch& s) { return s.to <= from; });
    return found != stretches.end() && found->from < to;
  }

 private:
  [[nodiscard]] const File* find_file(PhysicalOffset at) const {
    const auto behind = std::partition_point(files.begin(), files.end(),
                                             [at](const File& f) { return f.start <= at; });
    return behind == files.begin() ? nullptr : &*std::prev(behind);
  }
};

}  // namespace mq::inspect

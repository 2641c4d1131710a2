// Where the commit log's valid records end, and from where on they have to be read to know
// (store-format.md 9).
#pragma once

#include <vector>

#include "base/ids.h"
#include "format/checkpoint.h"
#include "store/commit_log.h"
#include "store/message_store.h"

namespace mq::store {

struct LogEnd {
  PhysicalOffset scanned_from{};
  ScanResult scan;
};

// Start of the file from which an exit of that kind makes us read: after a clean one the file that
// holds `queue_max` (the newest record that a queue knows), after another the newest file that the
// checkpoint vouches for.
PhysicalOffset scan_start(const CommitLog& log, bool clean_exit, PhysicalOffset queue_max,
                          const format::Checkpoint& checkpoint);

// Reads from there to the end and cuts what follows the last good record. Damage with good records
// behind it is passed over and noted. Errors: kIo.
Result<LogEnd> settle_end(CommitLog& log, PhysicalOffset from, bool clean_exit, bool check_body,
                          RecoveryReport& report);

}  // namespace mq::store

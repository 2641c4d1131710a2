// The files of timed messages as they are: units of the timer log, slots of the wheel, the timer's
// checkpoint (format/timer_files.h). Reads only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "format/timer_files.h"
#include "fs/fs.h"
#include "inspect/store_files.h"

namespace mq::inspect {

// Calls visit(position in the timer log, unit) for each in the order of the log until the first
// that was never written, or until it says false. `note` (may be empty) is told of what is no unit,
// which is passed over, and of missing files. No timer log is no error. Errors: kIo.
Result<void> walk_timer_log(
    fs::Fs& fs, const std::string& store,
    const std::function<bool(std::int64_t position, const format::TimerUnit&)>& visit,
    const DamageNote& note = {});

// Likewise for each slot that was ever in use, in the order of the file. Holes are not read.
Result<void> walk_timer_wheel(
    fs::Fs& fs, const std::string& store,
    const std::function<bool(std::int64_t number, const format::TimerSlot&)>& visit,
    const DamageNote& note = {});

// Errors: kNotFound, kCorrupt (too short), kIo.
Result<format::TimerCheckpoint> read_timer_checkpoint(fs::Fs& fs, const std::string& store);

}  // namespace mq::inspect

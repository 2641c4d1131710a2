// Places in a log by time and by count.
#pragma once

#include "inspect/log_reader.h"

namespace mq::inspect {

// Store times grow along the log but for a clock that was set back; one set back by less than this
// is allowed for.
inline constexpr std::int64_t kClockSlackMs = 600'000;

// The start of a file before which no record is stored at `ms` or later, and the start of one from
// which on none is stored before `ms`: what a walk between two times may leave out. Looks at the
// first record of each file.
Result<PhysicalOffset> first_file_at(LogReader& log, std::int64_t ms);
Result<PhysicalOffset> first_file_behind(LogReader& log, std::int64_t ms);

// Where the `count`-th record from the front (0: the first) or from the end (1: the last) starts;
// the log's end or beginning when there are fewer. From the end only as many files are read as it
// takes.
Result<PhysicalOffset> record_from_front(LogReader& log, std::int64_t count);
Result<PhysicalOffset> record_from_end(LogReader& log, std::int64_t count);

}  // namespace mq::inspect

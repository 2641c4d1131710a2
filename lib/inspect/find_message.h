// One message by any of its names.
#pragma once

#include <string>

#include "inspect/log_reader.h"
#include "inspect/parallel_walk.h"

namespace mq::inspect {

// Where the record starts: `what` is `@PHYSICAL`, an offset message id, a producer's id (UNIQ_KEY)
// or `TOPIC/QUEUE/OFFSET`. Queues and index are asked first, and believed only if the record
// agrees; what they do not know the whole log is searched for, with `options`. The first in the log
// if there are several. Errors: kNotFound, kInvalid for a name that is none, kIo. For @PHYSICAL it
// is not looked whether there is a record.
Result<PhysicalOffset> find_message(fs::Fs& fs, LogReader& log, const std::string& store,
                                    const std::string& what, const WalkOptions& options);

}  // namespace mq::inspect

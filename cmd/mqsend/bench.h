// mqsend --bench: load made here, and how long each message took.
#pragma once

#include "options.h"

namespace mq::mqsend {

// Returns the exit status.
int bench(const Options& options);

}  // namespace mq::mqsend

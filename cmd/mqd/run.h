// Serves until told to stop.
#pragma once

#include "options.h"

namespace mq::mqd {

// Returns the exit status (sysexits).
int run(Options options);

}  // namespace mq::mqd

#pragma once

#include "options.h"

namespace mq::mqrecv {

// Prints what was asked for; returns the exit status.
int run(const Options& options);

}  // namespace mq::mqrecv

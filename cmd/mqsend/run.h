#pragma once

#include "options.h"

namespace mq::mqsend {

// Sends everything; returns the exit status.
int run(const Options& options);

}  // namespace mq::mqsend

// mqnamesrv at work.
#pragma once

#include "mqnamesrv/options.h"

namespace mq::mqnamesrv {

// Until it is told to stop; the exit status.
int run(const Options& options);

}  // namespace mq::mqnamesrv

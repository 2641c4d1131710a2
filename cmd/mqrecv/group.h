// mqrecv -g: a member of a consumer group, printing what it gets or running a command for each
// message.
#pragma once

#include "options.h"
#include "printer.h"

namespace mq::mqrecv {

// Until interrupted, or as -c, --idle and --timeout say. Errors: those of joining and printing.
Result<void> consume(const Options& options, Printer& printer);

}  // namespace mq::mqrecv

// mqrecv -g GROUP --pop: prints what the group pops; what is written is acknowledged.
#pragma once

#include "options.h"
#include "printer.h"

namespace mq::mqrecv {

// Until interrupted, or as -c, --idle and --timeout say. Errors: those of starting, popping and
// printing.
Result<void> pop(const Options& options, Printer& printer);

}  // namespace mq::mqrecv

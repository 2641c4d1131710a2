#pragma once

#include "options.h"

namespace mq::mqstat {

// Looks once or again and again; returns the exit status.
int run(const Options& options);

}  // namespace mq::mqstat

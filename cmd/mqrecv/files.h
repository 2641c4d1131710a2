// Messages straight from a store's files.
#pragma once

#include <memory>
#include <string>

#include "source.h"

namespace mq::mqrecv {

// Errors: kNotFound (no store there), kCorrupt, kIo.
Result<std::unique_ptr<Source>> open_files(const std::string& directory);

}  // namespace mq::mqrecv

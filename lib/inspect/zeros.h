// Where a file's zeros end; holes are passed over unread.
#pragma once

#include <cstdint>

#include "fs/fs.h"

namespace mq::inspect {

// Position of the first byte at or behind `at` that is not zero; -1 if there is none. Errors: those
// of reading.
Result<std::int64_t> first_byte_set(fs::File& file, std::int64_t at);

}  // namespace mq::inspect

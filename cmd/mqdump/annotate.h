// A record's bytes with every field named: the format's documentation at work.
#pragma once

#include <string>

#include "base/bytes.h"
#include "format/record.h"

namespace mq::mqdump {

// `record` is the decoded form of `bytes`, which are exactly its own. `where`: file and position,
// for the first line.
[[nodiscard]] std::string annotate(const format::Record& record, Bytes bytes,
                                   const std::string& where, bool colour);

}  // namespace mq::mqdump

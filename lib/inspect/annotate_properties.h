// What the properties mean that the store itself, brokers or clients put into records
// (store-format.md 2.5). Private to inspect.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "inspect/annotate.h"

namespace mq::inspect {

// "" for a property of the user's own.
std::string property_meaning(std::string_view name, std::string_view value, std::string_view topic,
                             const TimeText& time);
// What is wrong with the CRC that a record's last 20 bytes hold; "" when it fits.
std::string check_record_crc(Bytes record, std::string_view digits);

}  // namespace mq::inspect

// Java's properties as brokers and name servers write and read them: `key=value` lines.
#pragma once

#include <string>
#include <string_view>

#include "wire/topic_body.h"

namespace mq::client {

// Lines that are no pairs, comments among them, are passed over.
[[nodiscard]] wire::KvTable parse_properties(std::string_view text);
[[nodiscard]] std::string properties_text(const wire::KvTable& table);

}  // namespace mq::client

// Topics and data versions between Boost.JSON values and structures. For the files of this room.
#pragma once

#include <boost/json/object.hpp>

#include "wire/topic_body.h"

namespace mq::wire {

[[nodiscard]] json::object topic_config_object(const TopicConfig& config);
[[nodiscard]] TopicConfig topic_config_from(const json::value& value);
// Missing members are 0.
[[nodiscard]] DataVersion data_version_from(const json::value& value) noexcept;
[[nodiscard]] json::object topic_table_object(const TopicTable& table);
[[nodiscard]] TopicTable topic_table_from(const json::value& value);

}  // namespace mq::wire

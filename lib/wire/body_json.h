// Between Boost.JSON values and what bodies hold. For the files of this room.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/json.h"

namespace mq::wire {

[[nodiscard]] inline json::value text_value(std::string_view text) {
  return json::string(json::string_view(text.data(), text.size()));
}
[[nodiscard]] inline std::string_view view_of(json::string_view text) noexcept {
  return {text.data(), text.size()};
}
// Numbers that the protocol carries as int32; what does not fit yields the default.
[[nodiscard]] std::int32_t int32_member(const json::value& object, std::string_view name,
                                        std::int32_t otherwise) noexcept;
[[nodiscard]] std::int64_t int64_member(const json::value& object, std::string_view name,
                                        std::int64_t otherwise) noexcept;
[[nodiscard]] std::string string_member(const json::value& object, std::string_view name,
                                        std::string_view otherwise = {});
[[nodiscard]] bool bool_member(const json::value& object, std::string_view name,
                               bool otherwise) noexcept;

// The object or array called `name`; absent, null or of another kind: an empty one.
[[nodiscard]] const json::object& object_member(const json::value& object,
                                                std::string_view name) noexcept;
[[nodiscard]] const json::array& array_member(const json::value& object,
                                              std::string_view name) noexcept;

[[nodiscard]] json::object map_object(const std::map<std::string, std::string>& map);
[[nodiscard]] std::map<std::string, std::string> to_string_map(const json::object& object);
[[nodiscard]] json::array to_array(const std::vector<std::string>& texts);
[[nodiscard]] std::vector<std::string> to_strings(const json::array& array);

struct DataVersion;
[[nodiscard]] json::object version_object(const DataVersion& version);
// The member dataVersion of `object`.
[[nodiscard]] DataVersion version_member(const json::value& object) noexcept;

// A body that must be one object. Errors: kCorrupt.
Result<json::value> parse_body(std::string_view body);

}  // namespace mq::wire

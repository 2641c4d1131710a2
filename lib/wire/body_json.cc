#include "wire/body_json.h"

#include <limits>

namespace mq::wire {

std::int64_t int64_member(const json::value& object, std::string_view name,
                          std::int64_t otherwise) noexcept {
  return int_or(member(object, name), otherwise);
}
std::int32_t int32_member(const json::value& object, std::string_view name,
                          std::int32_t otherwise) noexcept {
  const std::int64_t value = int64_member(object, name, otherwise);
  const bool fits = value >= std::numeric_limits<std::int32_t>::min() &&
                    value <= std::numeric_limits<std::int32_t>::max();
  return fits ? static_cast<std::int32_t>(value) : otherwise;
}
std::string string_member(const json::value& object, std::string_view name,
                          std::string_view otherwise) {
  return string_or(member(object, name), otherwise);
}
bool bool_member(const json::value& object, std::string_view name, bool otherwise) noexcept {
  return mq::bool_or(member(object, name), otherwise);
}

const json::object& object_member(const json::value& object, std::string_view name) noexcept {
  static const json::object empty;
  const json::value* const found = member(object, name);
  return found != nullptr && found->is_object() ? found->get_object() : empty;
}
const json::array& array_member(const json::value& object, std::string_view name) noexcept {
  static const json::array empty;
  const json::value* const found = member(object, name);
  return found != nullptr && found->is_array() ? found->get_array() : empty;
}

json::object map_object(const std::map<std::string, std::string>& map) {
  json::object out;
  for (const auto& [name, text] : map) out[name] = text_value(text);
  return out;
}
std::map<std::string, std::string> to_string_map(const json::object& object) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : object)
    out.insert_or_assign(std::string(view_of(name)), string_or(&value, ""));
  return out;
}
json::array to_array(const std::vector<std::string>& texts) {
  json::array out;
  for (const auto& text : texts) out.push_back(text_value(text));
  return out;
}
std::vector<std::string> to_strings(const json::array& array) {
  std::vector<std::string> out;
  for (const auto& value : array) out.push_back(string_or(&value, ""));
  return out;
}

Result<json::value> parse_body(std::string_view body) {
  MQ_TRY(json::value value, parse_json(body));
  if (!value.is_object()) return Error{Errc::kCorrupt, "the body is not a JSON object"};
  return value;
}

}  // namespace mq::wire

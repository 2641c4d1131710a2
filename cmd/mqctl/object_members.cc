#include "object_members.h"

#include <cstdint>

#include <fmt/format.h>

namespace mq::mqctl {

const json::value* ObjectMembers::find(std::string_view name) {
  known_.emplace(name);
  const auto at = object_.find(name);
  return at == object_.end() ? nullptr : &at->value();
}

void ObjectMembers::complain(std::string_view name, std::string_view expected) {
  if (!wrong_) wrong_ = Error{Errc::kInvalid, fmt::format("'{}': expected {}", name, expected)};
}

void ObjectMembers::take(std::string_view name, std::string& out) {
  const json::value* const value = find(name);
  if (value == nullptr) return;
  if (!value->is_string()) return complain(name, "a string");
  out = value->get_string();
}

void ObjectMembers::take(std::string_view name, bool& out) {
  const json::value* const value = find(name);
  if (value == nullptr) return;
  if (!value->is_bool()) return complain(name, "true or false");
  out = value->get_bool();
}

void ObjectMembers::take(std::string_view name, std::int32_t& out) {
  const json::value* const value = find(name);
  if (value == nullptr) return;
  if (!value->is_int64() || value->get_int64() < 0 || value->get_int64() > INT32_MAX)
    return complain(name, "a whole number from 0 on");
  out = static_cast<std::int32_t>(value->get_int64());
}

void ObjectMembers::take(std::string_view name, std::map<std::string, std::string>& out) {
  const json::value* const value = find(name);
  if (value == nullptr) return;
  if (!value->is_object()) return complain(name, "an object");
  out.clear();
  for (const auto& [key, text] : value->get_object()) {
    if (!text.is_string()) return complain(name, "an object of strings");
    out.emplace(std::string(key), std::string(text.get_string()));
  }
}

Result<void> ObjectMembers::finish() const {
  if (wrong_) return *wrong_;
  for (const auto& [name, value] : object_) {
    if (!known_.contains(std::string_view(name)))
      return Error{Errc::kInvalid, fmt::format("no member is called '{}'", std::string_view(name))};
  }
  return {};
}

}  // namespace mq::mqctl

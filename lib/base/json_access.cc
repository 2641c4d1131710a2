// The lenient accessors of base/json.h.
#include <algorithm>
#include <charconv>
#include <cmath>

#include <boost/json/object.hpp>

#include "base/json.h"

namespace mq {
namespace {

bool equals_ignoring_case(std::string_view text, std::string_view lower) noexcept {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

std::string_view view(const json::string& text) noexcept { return {text.data(), text.size()}; }

std::int64_t parsed_or(std::string_view text, std::int64_t otherwise) noexcept {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? number : otherwise;
}

}  // namespace

std::int64_t int_or(const json::value* value, std::int64_t otherwise) noexcept {
  if (value == nullptr) return otherwise;
  if (value->is_int64()) return value->get_int64();
  if (value->is_string()) return parsed_or(view(value->get_string()), otherwise);
  if (value->is_double()) {
    const double number = value->get_double();
    // The bounds are those of int64 that a double holds exactly.
    if (number >= -9223372036854775808.0 && number < 9223372036854775808.0 &&
        std::trunc(number) == number)
      return static_cast<std::int64_t>(number);
  }
  return otherwise;
}

bool bool_or(const json::value* value, bool otherwise) noexcept {
  if (value == nullptr) return otherwise;
  if (value->is_bool()) return value->get_bool();
  if (value->is_int64()) return value->get_int64() != 0;
  if (value->is_string()) {
    const std::string_view text = view(value->get_string());
    if (equals_ignoring_case(text, "true") || text == "1") return true;
    if (equals_ignoring_case(text, "false") || text == "0") return false;
  }
  return otherwise;
}

std::string string_or(const json::value* value, std::string_view otherwise) {
  if (value == nullptr || value->is_null() || value->is_structured()) return std::string(otherwise);
  if (value->is_string()) return std::string(view(value->get_string()));
  return to_json(*value);
}

const json::value* member(const json::value& object, std::string_view name) noexcept {
  const json::object* const members = object.if_object();
  return members == nullptr ? nullptr : members->if_contains({name.data(), name.size()});
}

}  // namespace mq

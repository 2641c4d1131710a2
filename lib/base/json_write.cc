// The writers of base/json.h.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/json.h"

namespace mq {
namespace {

// Shortest text that reads back as the same double; always with a point or exponent, so that it
// stays a double.
void append_double(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  std::array<char, 32> text{};
  const char* const end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  const std::string_view digits(text.data(), static_cast<std::size_t>(end - text.data()));
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
}

std::string_view view(const json::string& text) noexcept { return {text.data(), text.size()}; }

void append_scalar(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      break;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      break;
    case json::kind::int64:
      fmt::format_to(std::back_inserter(out), "{}", value.get_int64());
      break;
    case json::kind::uint64:
      fmt::format_to(std::back_inserter(out), "{}", value.get_uint64());
      break;
    case json::kind::double_:
      append_double(out, value.get_double());
      break;
    case json::kind::string:
      append_json_string(out, view(value.get_string()));
      break;
    case json::kind::array:
    case json::kind::object:
      break;
  }
}

void append_compact(std::string& out, const json::value& value) {
  if (value.is_array()) {
    char before = '[';
    for (const json::value& item : value.get_array()) {
      out += before;
      append_compact(out, item);
      before = ',';
    }
    out += before == '[' ? "[]" : "]";
  } else if (value.is_object()) {
    char before = '{';
    for (const json::key_value_pair& item : value.get_object()) {
      out += before;
      append_json_string(out, {item.key().data(), item.key().size()});
      out += ':';
      append_compact(out, item.value());
      before = ',';
    }
    out += before == '{' ? "{}" : "}";
  } else {
    append_scalar(out, value);
  }
}

void start_line(std::string& out, std::size_t depth) {
  out += '\n';
  out.append(depth, '\t');
}

bool has_containers(const json::array& array) noexcept {
  return std::any_of(array.begin(), array.end(),
                     [](const json::value& item) { return item.is_structured(); });
}

std::vector<const json::key_value_pair*> sorted_members(const json::object& object) {
  std::vector<const json::key_value_pair*> members;
  members.reserve(object.size());
  for (const json::key_value_pair& item : object) members.push_back(&item);
  std::sort(members.begin(), members.end(),
            [](const auto* a, const auto* b) { return a->key() < b->key(); });
  return members;
}

void append_pretty(std::string& out, const json::value& value, std::size_t depth) {
  if (value.is_object() && !value.get_object().empty()) {
    char before = '{';
    for (const json::key_value_pair* item : sorted_members(value.get_object())) {
      out += before;
      start_line(out, depth + 1);
      append_json_string(out, {item->key().data(), item->key().size()});
      out += ':';
      append_pretty(out, item->value(), depth + 1);
      before = ',';
    }
    start_line(out, depth);
    out += '}';
  } else if (value.is_array() && has_containers(value.get_array())) {
    char before = '[';
    for (const json::value& item : value.get_array()) {
      out += before;
      start_line(out, depth + 1);
      append_pretty(out, item, depth + 1);
      before = ',';
    }
    start_line(out, depth);
    out += ']';
  } else {
    append_compact(out, value);  // scalars, and lists of scalars on one line
  }
}

}  // namespace

std::string to_json(const json::value& value) {
  std::string out;
  append_compact(out, value);
  return out;
}

std::string to_pretty_json(const json::value& value) {
  std::string out;
  append_pretty(out, value, 0);
  return out;
}

}  // namespace mq

// extFields: finding them, and the numbers and truths that travel in them as text.
#include <charconv>

#include <fmt/format.h>

#include "wire/command.h"

namespace mq::wire {
namespace {

template <typename T>
bool parse(std::string_view text, T& out) noexcept {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);  // Java takes it
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

template <typename T>
Result<T> integer_field(const ExtFields& ext, std::string_view name) {
  MQ_TRY(const std::string_view text, text_field(ext, name));
  T value = 0;
  if (!parse(text, value))
    return Error{Errc::kInvalid, fmt::format("field {}: '{}' is not a number of {} bits", name,
                                             text.substr(0, 64), sizeof(T) * 8)};
  return value;
}

bool is_true(std::string_view text) noexcept {
  constexpr std::string_view kTrue = "true";
  return std::ranges::equal(text, kTrue, [](char a, char b) { return (a | 0x20) == b; });
}

}  // namespace

void ExtFields::add(std::string_view name, std::string_view value) {
  fields_.emplace_back(name, value);
}

std::optional<std::string_view> ExtFields::find(std::string_view name) const noexcept {
  for (auto it = fields_.rbegin(); it != fields_.rend(); ++it)
    if (it->first == name) return it->second;
  return std::nullopt;
}

Result<std::string_view> text_field(const ExtFields& ext, std::string_view name) {
  if (const auto text = ext.find(name)) return *text;
  return Error{Errc::kInvalid, fmt::format("field {} is missing", name)};
}
Result<std::int64_t> int64_field(const ExtFields& ext, std::string_view name) {
  return integer_field<std::int64_t>(ext, name);
}
Result<std::int32_t> int32_field(const ExtFields& ext, std::string_view name) {
  return integer_field<std::int32_t>(ext, name);
}
std::int64_t int64_or(const ExtFields& ext, std::string_view name,
                      std::int64_t otherwise) noexcept {
  const auto text = ext.find(name);
  std::int64_t value = 0;
  return text && parse(*text, value) ? value : otherwise;
}
bool bool_or(const ExtFields& ext, std::string_view name, bool otherwise) noexcept {
  const auto text = ext.find(name);
  return text ? is_true(*text) : otherwise;
}

}  // namespace mq::wire

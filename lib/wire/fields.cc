#include "wire/fields.h"

#include <fmt/format.h>

namespace mq::wire {

bool is_true(std::string_view text) noexcept {
  constexpr std::string_view kTrue = "true";
  return std::ranges::equal(text, kTrue, [](char a, char b) { return (a | 0x20) == b; });
}

Error missing_field(std::string_view name) {
  return Error{Errc::kInvalid, fmt::format("field {} is missing", name)};
}
Error unfit_field(std::string_view name, std::string_view text, std::size_t bits) {
  return Error{Errc::kInvalid, fmt::format("field {}: '{}' is not a number of {} bits", name,
                                           text.substr(0, 64), bits)};
}

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
  return missing_field(name);
}
Result<std::int64_t> int64_field(const ExtFields& ext, std::string_view name) {
  MQ_TRY(const std::string_view text, text_field(ext, name));
  return integer_from<std::int64_t>(name, text);
}
Result<std::int32_t> int32_field(const ExtFields& ext, std::string_view name) {
  MQ_TRY(const std::string_view text, text_field(ext, name));
  return integer_from<std::int32_t>(name, text);
}
std::int64_t int64_or(const ExtFields& ext, std::string_view name,
                      std::int64_t otherwise) noexcept {
  const auto text = ext.find(name);
  std::int64_t value = 0;
  return text && parse_integer(*text, value) ? value : otherwise;
}
bool bool_or(const ExtFields& ext, std::string_view name, bool otherwise) noexcept {
  const auto text = ext.find(name);
  return text ? is_true(*text) : otherwise;
}

}  // namespace mq::wire

// How numbers and truths travel in extFields: as text (remoting.md 1.10). For the families of this
// room.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

template <typename T>
[[nodiscard]] bool parse_integer(std::string_view text, T& out) noexcept {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);  // Java takes it
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}
[[nodiscard]] bool is_true(std::string_view text) noexcept;  // in any case of letters

[[nodiscard]] Error missing_field(std::string_view name);
[[nodiscard]] Error unfit_field(std::string_view name, std::string_view text, std::size_t bits);

template <typename T>
Result<T> integer_from(std::string_view name, std::string_view text) {
  T value = 0;
  if (!parse_integer(text, value)) return unfit_field(name, text, sizeof(T) * 8);
  return value;
}
// May be missing, but what is there must be a number.
template <typename T>
Result<T> optional_integer(const ExtFields& ext, std::string_view name, T otherwise) {
  const auto text = ext.find(name);
  if (!text || text->empty()) return otherwise;
  return integer_from<T>(name, *text);
}
[[nodiscard]] inline std::string_view text_or(const ExtFields& ext, std::string_view name,
                                              std::string_view otherwise) noexcept {
  return ext.find(name).value_or(otherwise);
}

}  // namespace mq::wire

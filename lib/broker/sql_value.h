// Values of the SQL-92 filter and how they compare: the reference's Java conversions between
// Boolean, Integer, Long, Double and String (semantics.md 8.4). Pure, allocates nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mq::broker::sql {

struct Value {
  enum class Kind : std::uint8_t {
    kNull,    // unknown
    kFailed,  // an exception in the reference: the whole expression selects nothing
    kBool,
    kInt,   // 32 bits
    kLong,  // 64 bits
    kDouble,
    kString,
  };
  Kind kind = Kind::kNull;
  std::int64_t number = 0;  // kBool, kInt, kLong
  double real = 0;          // kDouble
  std::string_view text{};  // kString

  static Value failed() noexcept { return {.kind = Kind::kFailed}; }
  static Value of(bool b) noexcept { return {.kind = Kind::kBool, .number = b ? 1 : 0}; }
  static Value of_int(std::int32_t n) noexcept { return {.kind = Kind::kInt, .number = n}; }
  static Value of_long(std::int64_t n) noexcept { return {.kind = Kind::kLong, .number = n}; }
  static Value of(double d) noexcept { return {.kind = Kind::kDouble, .real = d}; }
  static Value of(std::string_view s) noexcept { return {.kind = Kind::kString, .text = s}; }

  [[nodiscard]] bool is_null() const noexcept { return kind == Kind::kNull; }
  [[nodiscard]] bool is_failed() const noexcept { return kind == Kind::kFailed; }
  [[nodiscard]] bool is_true() const noexcept { return kind == Kind::kBool && number != 0; }
  [[nodiscard]] bool is_false() const noexcept { return kind == Kind::kBool && number == 0; }
  [[nodiscard]] bool is_number() const noexcept {
    return kind == Kind::kInt || kind == Kind::kLong || kind == Kind::kDouble;
  }
};

// As Java's Integer.valueOf, Long.valueOf (ASCII digits) and Double.valueOf read text; nothing
// where those throw. Double takes blanks around it, hexadecimal, NaN, Infinity and the suffixes f
// and d; what is too large or too small becomes infinite or zero.
[[nodiscard]] std::optional<std::int32_t> java_int(std::string_view text) noexcept;
[[nodiscard]] std::optional<std::int64_t> java_long(std::string_view text) noexcept;
[[nodiscard]] std::optional<double> java_double(std::string_view text);

// Neither is null or failed. Below, at or above zero, as the reference compares; unlike kinds that
// do not convert are "below". Nothing when it throws there.
[[nodiscard]] std::optional<int> compare(const Value& left, const Value& right);
// For < <= > >=: two strings are compared as doubles or not at all.
[[nodiscard]] std::optional<int> compare_ordered(const Value& left, const Value& right);

[[nodiscard]] Value negate(const Value& value) noexcept;  // null for what is not a number

}  // namespace mq::broker::sql

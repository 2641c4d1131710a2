#include "broker/sql_value.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

namespace mq::broker::sql {
namespace {

using Kind = Value::Kind;

int sign(auto left, auto right) noexcept { return left < right ? -1 : (left > right ? 1 : 0); }

// Java's Double.compare: -0.0 before 0.0, NaN equal to itself and behind everything.
int compare_doubles(double left, double right) noexcept {
  if (left < right) return -1;
  if (left > right) return 1;
  if (std::isnan(left) || std::isnan(right)) return sign(std::isnan(left), std::isnan(right));
  return sign(std::signbit(right), std::signbit(left));
}

template <typename Int>
std::optional<Int> parse_integer(std::string_view text) noexcept {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  Int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool equals_true(std::string_view text) noexcept {
  constexpr std::string_view kTrue = "true";
  if (text.size() != kTrue.size()) return false;
  for (std::size_t i = 0; i < kTrue.size(); ++i) {
    if ((text[i] | 0x20) != kTrue[i]) return false;
  }
  return true;
}

// Where the significand of a hexadecimal or decimal number ends, and whether it has a digit; `hex`
// without its 0x.
struct Shape {
  std::size_t bytes = 0;
  bool has_digit = false;
};
Shape significand(std::string_view text, bool hex) noexcept {
  Shape out;
  bool point = false;
  for (; out.bytes < text.size(); ++out.bytes) {
    const char c = text[out.bytes];
    const char low = static_cast<char>(c | 0x20);
    if ((c >= '0' && c <= '9') || (hex && low >= 'a' && low <= 'f')) {
      out.has_digit = true;
    } else if (c == '.' && !point) {
      point = true;
    } else {
      break;
    }
  }
  return out;
}

// `[mark][+-]?digits` at the start; 0 without.
std::size_t exponent_bytes(std::string_view text, char mark) noexcept {
  if (text.empty() || (text[0] | 0x20) != mark) return 0;
  std::size_t at = 1;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  const std::size_t digits = at;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  return at > digits ? at : 0;
}

// A number of checked form, without sign and suffix.
double read_double(std::string_view digits, bool hex) {
  double out = 0;
  const auto format = hex ? std::chars_format::hex : std::chars_format::general;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out, format);
  if (error == std::errc::result_out_of_range) {
    // from_chars does not say in which direction.
    return std::strtod(((hex ? "0x" : "") + std::string(digits)).c_str(), nullptr);
  }
  return out;
}

// The right value as the left one's kind or both as a wider one; nothing: an exception. `unlike`
// is set when the two have no common kind.
struct Pair {
  Value left, right;
  bool unlike = false;
};
std::optional<Pair> convert(Value left, Value right) {
  const Kind l = left.kind;
  const Kind r = right.kind;
  const auto text_as = [](Kind kind, std::string_view text) -> std::optional<Value> {
    if (kind == Kind::kInt) {
      const auto n = java_int(text);
      return n ? std::optional(Value::of_int(*n)) : std::nullopt;
    }
    if (kind == Kind::kLong) {
      const auto n = java_long(text);
      return n ? std::optional(Value::of_long(*n)) : std::nullopt;
    }
    const auto d = java_double(text);
    return d ? std::optional(Value::of(*d)) : std::nullopt;
  };
  if (l == Kind::kBool) {
    // The reference casts the wrong side to a string here.
    return r == Kind::kString ? std::nullopt : std::optional(Pair{left, right, true});
  }
  if (l == Kind::kString) {
    if (r == Kind::kBool) return Pair{Value::of(equals_true(left.text)), right};
    const auto converted = text_as(r, left.text);
    return converted ? std::optional(Pair{*converted, right}) : std::nullopt;
  }
  if (r == Kind::kString) {
    const auto converted = text_as(l, right.text);
    return converted ? std::optional(Pair{left, *converted}) : std::nullopt;
  }
  if (r == Kind::kBool) return Pair{left, right, true};
  const auto widen = [](const Value& v) {
    return v.kind == Kind::kDouble ? v : Value::of(static_cast<double>(v.number));
  };
  if (l == Kind::kDouble || r == Kind::kDouble) return Pair{widen(left), widen(right)};
  return Pair{Value::of_long(left.number), Value::of_long(right.number)};
}

int compare_like(const Value& left, const Value& right) noexcept {
  if (left.kind == Kind::kString) return left.text.compare(right.text);
  if (left.kind == Kind::kDouble) return compare_doubles(left.real, right.real);
  return sign(left.number, right.number);
}

}  // namespace

std::optional<std::int32_t> java_int(std::string_view text) noexcept {
  return parse_integer<std::int32_t>(text);
}
std::optional<std::int64_t> java_long(std::string_view text) noexcept {
  return parse_integer<std::int64_t>(text);
}

std::optional<double> java_double(std::string_view text) {
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  double factor = 1;
  if (text.starts_with('+') || text.starts_with('-')) {
    factor = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return factor * std::numeric_limits<double>::infinity();
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  const Shape shape = significand(text, hex);
  const std::size_t exponent = exponent_bytes(text.substr(shape.bytes), hex ? 'p' : 'e');
  if (!shape.has_digit || (hex && exponent == 0)) return std::nullopt;
  const std::string_view digits = text.substr(0, shape.bytes + exponent);
  const std::string_view suffix = text.substr(digits.size());
  if (suffix.size() > 1 ||
      (suffix.size() == 1 && (suffix[0] | 0x20) != 'f' && (suffix[0] | 0x20) != 'd')) {
    return std::nullopt;
  }
  return factor * read_double(digits, hex);
}

std::optional<int> compare(const Value& left, const Value& right) {
  if (left.kind == right.kind) return compare_like(left, right);
  const auto pair = convert(left, right);
  if (!pair) return std::nullopt;
  return pair->unlike ? -1 : compare_like(pair->left, pair->right);
}

std::optional<int> compare_ordered(const Value& left, const Value& right) {
  if (left.kind != Kind::kString || right.kind != Kind::kString) return compare(left, right);
  const auto l = java_double(left.text);
  const auto r = java_double(right.text);
  if (!l || !r) return std::nullopt;
  return compare_doubles(*l, *r);
}

Value negate(const Value& value) noexcept {
  switch (value.kind) {
    case Kind::kInt:
      return Value::of_int(static_cast<std::int32_t>(-value.number));
    case Kind::kLong:
      return Value::of_long(
          std::bit_cast<std::int64_t>(0U - std::bit_cast<std::uint64_t>(value.number)));
    case Kind::kDouble:
      return Value::of(-value.real);
    case Kind::kFailed:
      return value;
    default:
      return {};
  }
}

}  // namespace mq::broker::sql

// The lenient reader of base/json.h: one pass, straight into Boost.JSON values.
#include <charconv>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/json.h"
#include "base/utf8.h"

namespace mq {
namespace {

constexpr int kDepthMax = 64;
constexpr std::string_view kReplacementUtf8 = "\xEF\xBF\xBD";

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_ascii(char c) noexcept { return static_cast<unsigned char>(c) < 0x80; }
bool is_identifier(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' ||
         !is_ascii(c);
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6), put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12), put(0x80 | (point >> 6 & 0x3F)), put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18), put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F)), put(0x80 | (point & 0x3F));
  }
}

// One character of `text` at `at`, as it is or as U+FFFD.
void append_character(std::string& out, std::string_view text, std::size_t& at) {
  const std::size_t start = at;
  if (next_code_point(text, at) == kReplacementPoint) {
    out += kReplacementUtf8;
  } else {
    out.append(text.data() + start, at - start);
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) noexcept : text_(text) {}

  Result<json::value> document() {
    json::value out;
    if (parse_value(out, 0)) {
      skip_blanks();
      if (at_ == text_.size()) return out;
      (void)fail("the end of the text");
    }
    return Error{Errc::kCorrupt, fmt::format("JSON at byte {}: expected {}", at_, expected_)};
  }

 private:
  bool fail(std::string_view expected) {
    expected_ = expected;
    return false;
  }
  [[nodiscard]] char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_blanks() noexcept {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  // Takes `c` if it is next, blanks passed over.
  bool take(char c) noexcept {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool parse_value(json::value& out, int depth) {
    skip_blanks();
    switch (peek()) {
      case '{':
        return parse_object(out, depth);
      case '[':
        return parse_array(out, depth);
      case '"':
      case '\'': {
        std::string_view text;
        if (!parse_string(text)) return false;
        out = json::string_view(text.data(), text.size());
        return true;
      }
      case 't':
        return parse_word("true", true, out);
      case 'f':
        return parse_word("false", false, out);
      case 'n':
        return parse_word("null", nullptr, out);
      default:
        return parse_number(out);
    }
  }

  template <typename Value>
  bool parse_word(std::string_view word, Value value, json::value& out) {
    const std::string_view rest = text_.substr(at_);
    if (!rest.starts_with(word) || (rest.size() > word.size() && is_identifier(rest[word.size()])))
      return fail("a value");
    at_ += word.size();
    out = value;
    return true;
  }

  bool parse_array(json::value& out, int depth) {
    if (depth == kDepthMax) return fail("at most 64 levels");
    json::array& array = out.emplace_array();
    ++at_;
    while (!take(']')) {
      if (!parse_value(array.emplace_back(nullptr), depth + 1)) return false;
      if (take(',')) continue;
      if (!take(']')) return fail("',' or ']'");
      break;
    }
    return true;
  }

  bool parse_object(json::value& out, int depth) {
    if (depth == kDepthMax) return fail("at most 64 levels");
    json::object& object = out.emplace_object();
    ++at_;
    while (!take('}')) {
      std::string_view key;
      if (!parse_key(key, depth)) return false;
      // The place is made before the value is read, as `key` may lie in the buffer that a string
      // of the value uses.
      json::value& place = object[json::string_view(key.data(), key.size())];
      if (!take(':')) return fail("':'");
      if (!parse_value(place, depth + 1)) return false;
      if (take(',')) continue;
      if (!take('}')) return fail("',' or '}'");
      break;
    }
    return true;
  }

  bool parse_key(std::string_view& key, int depth) {
    skip_blanks();
    const std::size_t start = at_;
    const char first = peek();
    if (first == '"' || first == '\'') return parse_string(key);
    if (first == '{') {
      json::value ignored;
      if (!parse_object(ignored, depth + 1)) return false;
    } else if (first == '-' || is_digit(first)) {
      ++at_;
      while (is_digit(peek())) ++at_;
      if (first == '-' && at_ == start + 1) return fail("a digit");
    } else {
      while (at_ < text_.size() && is_identifier(text_[at_])) ++at_;
      if (at_ == start) return fail("a key");
    }
    key = well_formed(text_.substr(start, at_ - start));
    return true;
  }

  // `text`, or a copy in the buffer with U+FFFD for what is not UTF-8.
  std::string_view well_formed(std::string_view text) {
    if (is_utf8(text)) return text;
    buffer_.clear();
    for (std::size_t at = 0; at < text.size();) append_character(buffer_, text, at);
    return buffer_;
  }

  // The result lies in the input, or in the buffer until the next string is parsed.
  bool parse_string(std::string_view& out) {
    const char quote = text_[at_++];
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\\' && is_ascii(text_[at_]))
      ++at_;
    if (at_ < text_.size() && text_[at_] == quote) {
      out = text_.substr(start, at_ - start);
      ++at_;
      return true;
    }
    buffer_.assign(text_, start, at_ - start);
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == quote) {
        ++at_;
        out = buffer_;
        return true;
      }
      if (c == '\\') {
        if (!parse_escape()) return false;
      } else if (is_ascii(c)) {
        buffer_ += c;
        ++at_;
      } else {
        append_character(buffer_, text_, at_);
      }
    }
    return fail("the end of a string");
  }

  bool parse_escape() {
    constexpr std::string_view kLetters = "\"\\/'bfnrtv0";
    constexpr std::string_view kMeanings("\"\\/'\b\f\n\r\t\v\0", 11);
    ++at_;
    const char c = peek();
    if (c == 'u') {
      ++at_;
      return parse_unicode_escape();
    }
    const std::size_t which = at_ < text_.size() ? kLetters.find(c) : std::string_view::npos;
    if (which == std::string_view::npos) return fail("an escape");
    buffer_ += kMeanings[which];
    ++at_;
    return true;
  }

  bool parse_unicode_escape() {
    std::uint32_t unit = 0;
    if (!parse_hex4(unit)) return false;
    if (unit >= 0xD800 && unit < 0xDC00 && text_.substr(at_).starts_with("\\u")) {
      const std::size_t second = at_;
      std::uint32_t low = 0;
      at_ += 2;
      if (!parse_hex4(low)) return false;
      if (low >= 0xDC00 && low < 0xE000) {
        append_utf8(buffer_, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
        return true;
      }
      at_ = second;  // no pair: the next escape stands for itself
    }
    append_utf8(buffer_, unit >= 0xD800 && unit < 0xE000 ? kReplacementPoint : unit);
    return true;
  }

  bool parse_hex4(std::uint32_t& unit) {
    const std::string_view digits = text_.substr(at_, 4);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    if (digits.size() != 4 || error != std::errc{} || end != digits.data() + 4)
      return fail("four hex digits");
    at_ += 4;
    return true;
  }

  bool take_digits() noexcept {
    const std::size_t start = at_;
    while (is_digit(peek())) ++at_;
    return at_ > start;
  }

  bool parse_number(json::value& out) {
    const std::size_t start = at_;
    bool whole = true;
    if (peek() == '-') ++at_;
    const std::size_t digits_at = at_;
    if (!take_digits()) return fail(at_ == start ? "a value" : "a digit");
    if (text_[digits_at] == '0' && at_ > digits_at + 1) {
      at_ = digits_at;
      return fail("a number without leading zeros");
    }
    if (peek() == '.') {
      whole = false;
      ++at_;
      if (!take_digits()) return fail("a digit");
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!take_digits()) return fail("a digit");
    }
    return store_number(text_.substr(start, at_ - start), whole, out);
  }

  bool store_number(std::string_view text, bool whole, json::value& out) {
    const char* const end = text.data() + text.size();
    if (whole) {
      std::int64_t integer = 0;
      if (std::from_chars(text.data(), end, integer).ec == std::errc{}) {
        out = integer;
        return true;
      }
      std::uint64_t large = 0;
      if (std::from_chars(text.data(), end, large).ec == std::errc{}) {
        out = large;
        return true;
      }
    }
    double number = 0;
    if (std::from_chars(text.data(), end, number).ec != std::errc{})
      return fail("a number that a double can hold");
    out = number;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string buffer_;
  std::string_view expected_;
};

}  // namespace

Result<json::value> parse_json(std::string_view text) { return Parser(text).document(); }

}  // namespace mq

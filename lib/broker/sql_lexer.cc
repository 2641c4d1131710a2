#include "broker/sql_lexer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mq::broker::sql {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool starts_name(char c) noexcept {
  return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || c == '$';
}

constexpr std::array<std::pair<std::string_view, Token>, 12> kKeywords = {{
    {"not", Token::kNot},
    {"and", Token::kAnd},
    {"or", Token::kOr},
    {"between", Token::kBetween},
    {"in", Token::kIn},
    {"true", Token::kTrue},
    {"false", Token::kFalse},
    {"null", Token::kNull},
    {"is", Token::kIs},
    {"contains", Token::kContains},
    {"startswith", Token::kStartsWith},
    {"endswith", Token::kEndsWith},
}};

bool equals_ignoring_case(std::string_view word, std::string_view keyword) noexcept {
  return std::equal(word.begin(), word.end(), keyword.begin(), keyword.end(),
                    [](char a, char b) { return lower(a) == b; });
}

// Bytes of `[eE][+-]?digits` at the start of `text`; 0 when there is none.
std::size_t exponent_bytes(std::string_view text) noexcept {
  if (text.empty() || lower(text[0]) != 'e') return 0;
  std::size_t at = 1;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  const std::size_t digits = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at > digits ? at : 0;
}

}  // namespace

Lexeme Lexer::take(Token token, std::size_t bytes) noexcept {
  const Lexeme out{token, text_.substr(at_, bytes), at_};
  at_ += bytes;
  return out;
}

// A line comment needs its end of line, a block comment its end; otherwise they are two operators,
// as in the reference.
void Lexer::skip_blanks_and_comments() noexcept {
  while (at_ < text_.size()) {
    const std::string_view rest = text_.substr(at_);
    if (std::string_view(" \t\n\r\f").find(rest[0]) != std::string_view::npos) {
      ++at_;
    } else if (rest.starts_with("--")) {
      const std::size_t end = rest.find_first_of("\n\r");
      if (end == std::string_view::npos) return;
      at_ += end + 1;
    } else if (rest.starts_with("/*")) {
      const std::size_t end = rest.find("*/", 2);
      if (end == std::string_view::npos) return;
      at_ += end + 2;
    } else {
      return;
    }
  }
}

Lexeme Lexer::word() noexcept {
  std::size_t bytes = 1;
  while (starts_name(peek(bytes)) || is_digit(peek(bytes))) ++bytes;
  const std::string_view name = text_.substr(at_, bytes);
  for (const auto& [keyword, token] : kKeywords) {
    if (equals_ignoring_case(name, keyword)) return take(token, bytes);
  }
  return take(Token::kName, bytes);
}

Lexeme Lexer::number() noexcept {
  const std::string_view rest = text_.substr(at_);
  std::size_t digits = 0;
  while (digits < rest.size() && is_digit(rest[digits])) ++digits;
  std::size_t bytes = digits;
  if (bytes < rest.size() && rest[bytes] == '.') {
    ++bytes;
    const std::size_t fraction = bytes;
    while (bytes < rest.size() && is_digit(rest[bytes])) ++bytes;
    if (digits == 0 && bytes == fraction) return take(Token::kBad, 1);
    return take(Token::kFloat, bytes + exponent_bytes(rest.substr(bytes)));
  }
  if (const std::size_t exponent = exponent_bytes(rest.substr(bytes)))
    return take(Token::kFloat, bytes + exponent);
  if (rest[0] == '0') return take(Token::kInteger, 1);  // 007 is 0, 0, 7
  if (lower(peek(bytes)) == 'l') ++bytes;
  return take(Token::kInteger, bytes);
}

// The longest text that is a string: without a last quote, it ends at the last one that could be
// half of a doubled one.
Lexeme Lexer::string() noexcept {
  std::size_t longest = 0;
  std::size_t bytes = 1;
  while (at_ + bytes < text_.size()) {
    if (text_[at_ + bytes] != '\'') {
      ++bytes;
      continue;
    }
    longest = bytes + 1;
    if (peek(bytes + 1) != '\'') break;
    bytes += 2;
  }
  return longest > 0 ? take(Token::kString, longest) : take(Token::kBad, text_.size() - at_);
}

Lexeme Lexer::next() noexcept {
  skip_blanks_and_comments();
  if (at_ >= text_.size()) return take(Token::kEnd, 0);
  const char c = peek();
  if (starts_name(c)) return word();
  if (is_digit(c) || c == '.') return number();
  switch (c) {
    case '\'':
      return string();
    case '=':
      return take(Token::kEqual, 1);
    case '<':
      if (peek(1) == '>') return take(Token::kNotEqual, 2);
      return peek(1) == '=' ? take(Token::kLessEqual, 2) : take(Token::kLess, 1);
    case '>':
      return peek(1) == '=' ? take(Token::kGreaterEqual, 2) : take(Token::kGreater, 1);
    case '(':
      return take(Token::kOpen, 1);
    case ')':
      return take(Token::kClose, 1);
    case ',':
      return take(Token::kComma, 1);
    case '+':
      return take(Token::kPlus, 1);
    case '-':
      return take(Token::kMinus, 1);
    default:
      return take(Token::kBad, 1);
  }
}

}  // namespace mq::broker::sql

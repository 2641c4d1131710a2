// Words of a SQL-92 filter expression (semantics.md 8.1). Pure; views point into the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mq::broker::sql {

enum class Token : std::uint8_t {
  kEnd,
  kBad,  // no token starts here: the expression is wrong if the parser gets so far
  kNot,
  kAnd,
  kOr,
  kBetween,
  kIn,
  kTrue,
  kFalse,
  kNull,
  kIs,
  kContains,
  kStartsWith,
  kEndsWith,
  kInteger,
  kFloat,
  kString,  // text with its quotes
  kName,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kOpen,
  kClose,
  kComma,
  kPlus,
  kMinus,
};

struct Lexeme {
  Token token = Token::kEnd;
  std::string_view text{};
  std::size_t at = 0;  // byte in the expression
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) noexcept : text_(text) {}
  Lexeme next() noexcept;

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void skip_blanks_and_comments() noexcept;
  [[nodiscard]] Lexeme take(Token token, std::size_t bytes) noexcept;
  [[nodiscard]] Lexeme word() noexcept;
  [[nodiscard]] Lexeme number() noexcept;
  [[nodiscard]] Lexeme string() noexcept;

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace mq::broker::sql

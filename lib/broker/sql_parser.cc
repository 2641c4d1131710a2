#include "broker/sql_parser.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "broker/sql_lexer.h"

namespace mq::broker::sql {
namespace {

// Recursive descent, one token ahead. The token behind the expression is read as well, so an
// expression followed by something that is no token at all is an error, and one followed by any
// other token is not.
class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text), ahead_(lexer_.next()) {}

  Result<Parsed> run() {
    MQ_TRY(std::uint32_t root, either());
    MQ_TRY(root, truth(root));
    return Parsed{std::move(nodes_), root, ahead_.token == Token::kEnd, ahead_.at};
  }

 private:
  using Index = std::uint32_t;

  // --- words ---

  [[nodiscard]] Error unexpected(std::string_view expected) const {
    if (ahead_.token == Token::kEnd)
      return Error{Errc::kInvalid, fmt::format("ends where {} is expected", expected)};
    return Error{Errc::kInvalid, fmt::format("at byte {}: expected {}, found '{}'", ahead_.at,
                                             expected, ahead_.text.substr(0, 40))};
  }
  Lexeme next() noexcept { return std::exchange(ahead_, lexer_.next()); }
  bool accept(Token token) noexcept { return ahead_.token == token && (next(), true); }
  Result<void> expect(Token token, std::string_view what) {
    return accept(token) ? Result<void>() : unexpected(what);
  }
  Result<std::string> string_literal() {
    if (ahead_.token != Token::kString) return unexpected("a string");
    return unquoted(next().text);
  }
  static std::string unquoted(std::string_view quoted) {
    std::string out;
    out.reserve(quoted.size());
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
      if (quoted[i] == '\'') ++i;
      out += quoted[i];
    }
    return out;
  }

  // --- parts ---

  Result<Index> add(Node node) {
    if (node.depth > kSqlNestingMax)
      return Error{Errc::kInvalid, fmt::format("nested more than {} deep", kSqlNestingMax)};
    if (nodes_.size() >= kSqlPartsMax)
      return Error{Errc::kInvalid, fmt::format("more than {} parts", kSqlPartsMax)};
    nodes_.push_back(std::move(node));
    return static_cast<Index>(nodes_.size() - 1);
  }
  [[nodiscard]] std::uint32_t above(Index i) const noexcept { return nodes_[i].depth + 1; }
  [[nodiscard]] bool is_constant(Index i) const noexcept { return nodes_[i].op == Op::kConstant; }
  [[nodiscard]] bool is_truth(Index i) const noexcept {
    switch (nodes_[i].op) {
      case Op::kConstant:
        return nodes_[i].constant.kind == Value::Kind::kBool || nodes_[i].constant.is_null();
      case Op::kProperty:
      case Op::kNegate:
        return false;
      default:
        return true;
    }
  }
  // Where a truth value is wanted.
  Result<Index> truth(Index i) {
    if (is_truth(i)) return i;
    if (nodes_[i].op == Op::kProperty) return add({.op = Op::kTruth, .depth = above(i), .left = i});
    return Error{Errc::kInvalid, "a number or string stands where a condition is expected"};
  }
  Result<Index> invert(Index i) { return add({.op = Op::kNot, .depth = above(i), .left = i}); }
  Result<Index> compare(Op op, Index left, Index right) {
    return add(
        {.op = op, .depth = std::max(above(left), above(right)), .left = left, .right = right});
  }
  Result<Index> join(Op op, std::vector<Index> operands) {
    std::uint32_t depth = 0;
    for (const Index i : operands) depth = std::max(depth, above(i));
    return add({.op = op, .depth = depth, .operands = std::move(operands)});
  }

  // --- rules (8.3) ---

  [[nodiscard]] Result<void> check_ordered(Index i) const {
    if (is_constant(i) ? nodes_[i].constant.is_number() : !is_truth(i)) return {};
    return Error{Errc::kInvalid, "only numbers and properties have an order"};
  }
  [[nodiscard]] Result<void> check_equal(Index left, Index right) const {
    for (const Index i : {left, right}) {
      if (is_constant(i) && nodes_[i].constant.is_null())
        return Error{Errc::kInvalid, "NULL cannot be compared: IS NULL tells"};
    }
    if (is_constant(left) && is_constant(right) && is_truth(left) && !is_truth(right))
      return Error{Errc::kInvalid, "TRUE and FALSE cannot be compared with that"};
    return {};
  }

  // --- grammar, from the loosest binding down ---

  Result<Index> chain(Op op, Token word, Result<Index> (Parser::*operand)()) {
    MQ_TRY(Index left, (this->*operand)());
    std::vector<Index> operands;
    while (accept(word)) {
      if (operands.empty()) {
        MQ_TRY(left, truth(left));
        operands.push_back(left);
      }
      MQ_TRY(Index right, (this->*operand)());
      MQ_TRY(right, truth(right));
      operands.push_back(right);
    }
    return operands.empty() ? Result<Index>(left) : join(op, std::move(operands));
  }
  Result<Index> either() { return chain(Op::kOr, Token::kOr, &Parser::both); }
  Result<Index> both() { return chain(Op::kAnd, Token::kAnd, &Parser::equality); }

  Result<Index> equality() {
    MQ_TRY(Index left, comparison());
    while (true) {
      const Token token = ahead_.token;
      if (token == Token::kEqual || token == Token::kNotEqual) {
        next();
        MQ_TRY(const Index right, comparison());
        MQ_CHECK(check_equal(left, right));
        MQ_TRY(left, compare(Op::kEqual, left, right));
        if (token == Token::kNotEqual) {
          MQ_TRY(left, invert(left));
        }
      } else if (accept(Token::kIs)) {
        const bool negated = accept(Token::kNot);
        MQ_CHECK(expect(Token::kNull, negated ? "NULL" : "NULL or NOT NULL"));
        MQ_TRY(const Index null, add({}));
        MQ_TRY(left, compare(Op::kEqual, left, null));
        if (negated) {
          MQ_TRY(left, invert(left));
        }
      } else if (token == Token::kBad) {
        return unexpected("an operator or the end");
      } else {
        return left;
      }
    }
  }

  Result<Index> comparison() {
    MQ_TRY(Index left, unary());
    while (true) {
      switch (ahead_.token) {
        case Token::kLess:
        case Token::kLessEqual:
        case Token::kGreater:
        case Token::kGreaterEqual: {
          MQ_TRY(left, ordered(left));
          break;
        }
        case Token::kNot:
        case Token::kContains:
        case Token::kStartsWith:
        case Token::kEndsWith:
        case Token::kBetween:
        case Token::kIn: {
          MQ_TRY(left, predicate(left));
          break;
        }
        case Token::kBad:
          return unexpected("an operator or the end");
        default:
          return left;
      }
    }
  }

  Result<Index> ordered(Index left) {
    static constexpr std::array<std::pair<Token, Op>, 4> kOps = {{
        {Token::kLess, Op::kLess},
        {Token::kLessEqual, Op::kLessEqual},
        {Token::kGreater, Op::kGreater},
        {Token::kGreaterEqual, Op::kGreaterEqual},
    }};
    const Token token = next().token;
    MQ_TRY(const Index right, unary());
    MQ_CHECK(check_ordered(left));
    MQ_CHECK(check_ordered(right));
    const auto* const found =
        std::find_if(kOps.begin(), kOps.end(), [&](const auto& op) { return op.first == token; });
    return compare(found->second, left, right);
  }

  Result<Index> predicate(Index left) {
    const bool negated = accept(Token::kNot);
    switch (ahead_.token) {
      case Token::kContains:
        return search(Op::kContains, left, negated);
      case Token::kStartsWith:
        return search(Op::kStartsWith, left, negated);
      case Token::kEndsWith:
        return search(Op::kEndsWith, left, negated);
      case Token::kBetween:
        return between(left, negated);
      case Token::kIn:
        return in(left, negated);
      default:
        return unexpected("CONTAINS, STARTSWITH, ENDSWITH, BETWEEN or IN");
    }
  }

  Result<Index> search(Op op, Index left, bool negated) {
    next();
    MQ_TRY(std::string text, string_literal());
    return add({.op = op,
                .negated = negated,
                .depth = above(left),
                .left = left,
                .texts = {std::move(text)}});
  }

  Result<Index> between(Index value, bool negated) {
    next();
    MQ_TRY(const Index low, unary());
    MQ_CHECK(expect(Token::kAnd, "AND"));
    MQ_TRY(const Index high, unary());
    for (const Index i : {value, low, high}) MQ_CHECK(check_ordered(i));
    if (!negated && is_constant(low) && is_constant(high) &&
        sql::compare(nodes_[high].constant, nodes_[low].constant).value_or(0) < 0) {
      return Error{Errc::kInvalid, "BETWEEN: the first limit is above the second"};
    }
    return add({.op = Op::kBetween,
                .negated = negated,
                .depth = std::max({above(value), above(low), above(high)}),
                .left = value,
                .right = low,
                .operands = {high}});
  }

  Result<Index> in(Index left, bool negated) {
    next();
    MQ_CHECK(expect(Token::kOpen, "'('"));
    std::vector<std::string> list;
    do {
      MQ_TRY(std::string text, string_literal());
      list.push_back(std::move(text));
    } while (accept(Token::kComma));
    MQ_CHECK(expect(Token::kClose, "',' or ')'"));
    if (nodes_[left].op != Op::kProperty)
      return Error{Errc::kInvalid, "IN: a property stands on the left"};
    std::sort(list.begin(), list.end());
    return add({.op = Op::kIn,
                .negated = negated,
                .depth = above(left),
                .left = left,
                .texts = std::move(list)});
  }

  Result<Index> unary() {
    if (nesting_ >= kSqlNestingMax)
      return Error{Errc::kInvalid, fmt::format("nested more than {} deep", kSqlNestingMax)};
    ++nesting_;
    auto out = unary_inside();
    --nesting_;
    return out;
  }
  Result<Index> unary_inside() {
    if (accept(Token::kPlus)) return unary();
    if (accept(Token::kMinus)) {
      MQ_TRY(const Index of, unary());
      return add({.op = Op::kNegate, .depth = above(of), .left = of});
    }
    if (accept(Token::kNot)) {
      MQ_TRY(Index of, unary());
      MQ_TRY(of, truth(of));
      return invert(of);
    }
    return primary();
  }

  Result<Index> primary() {
    switch (ahead_.token) {
      case Token::kString:
        return add({.constant = {.kind = Value::Kind::kString}, .texts = {unquoted(next().text)}});
      case Token::kInteger:
        return integer();
      case Token::kFloat:
        return real();
      case Token::kTrue:
      case Token::kFalse:
        return add({.constant = Value::of(next().token == Token::kTrue)});
      case Token::kNull:
        next();
        return add({});
      case Token::kName:
        return property();
      case Token::kOpen: {
        next();
        MQ_TRY(const Index inside, either());
        MQ_CHECK(expect(Token::kClose, "')'"));
        return inside;
      }
      default:
        return unexpected("a value, a property or '('");
    }
  }

  Result<Index> integer() {
    const Lexeme word = next();
    std::string_view digits = word.text;
    if ((digits.back() | 0x20) == 'l') digits.remove_suffix(1);
    const auto number = java_long(digits);
    if (!number) return Error{Errc::kInvalid, fmt::format("{}: more than 64 bits hold", word.text)};
    const auto narrow = static_cast<std::int32_t>(*number);
    return add({.constant = narrow == *number ? Value::of_int(narrow) : Value::of_long(*number)});
  }

  Result<Index> real() {
    const std::string_view text = next().text;
    const double number = java_double(text).value_or(0);
    // Zero counts as too small in the reference.
    if (!(number > 0) || number > std::numeric_limits<double>::max())
      return Error{Errc::kInvalid, fmt::format("{}: too large or too small", text)};
    return add({.constant = Value::of(number)});
  }

  Result<Index> property() {
    const std::string name(next().text);
    const auto slot =
        slots_.try_emplace(name, static_cast<std::uint32_t>(slots_.size())).first->second;
    return add({.op = Op::kProperty, .slot = slot, .texts = {name}});
  }

  Lexer lexer_;
  Lexeme ahead_;
  std::vector<Node> nodes_;
  std::map<std::string, std::uint32_t> slots_;
  std::uint32_t nesting_ = 0;
};

}  // namespace

Result<Parsed> parse(std::string_view text) { return Parser(text).run(); }

}  // namespace mq::broker::sql

#include "broker/sql_expression.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "broker/sql_parser.h"
#include "format/properties.h"

namespace mq::broker {
namespace sql {
namespace {

// Evaluates one expression on one message; each property is looked for once.
class Evaluation {
 public:
  Evaluation(const std::vector<Node>& nodes, const Properties& properties) noexcept
      : nodes_(nodes), properties_(properties) {}

  [[nodiscard]] Value of(std::uint32_t index) {
    const Node& node = nodes_[index];
    switch (node.op) {
      case Op::kConstant:
        return node.constant.kind == Value::Kind::kString ? Value::of(node.texts[0])
                                                          : node.constant;
      case Op::kProperty:
        return property(node);
      case Op::kAnd:
        return joined(node, /*decisive=*/false);
      case Op::kOr:
        return joined(node, /*decisive=*/true);
      case Op::kNot:
        return inverted(of(node.left));
      case Op::kTruth:
        return property(nodes_[node.left]).is_null() ? Value() : Value::of(false);
      case Op::kNegate:
        return negate(of(node.left));
      case Op::kEqual:
        return equal(of(node.left), of(node.right));
      case Op::kLess:
      case Op::kLessEqual:
      case Op::kGreater:
      case Op::kGreaterEqual:
        return ordered(node);
      case Op::kBetween:
        return between(node);
      case Op::kIn:
        return in(node);
      case Op::kContains:
      case Op::kStartsWith:
      case Op::kEndsWith:
        return search(node);
    }
    return {};
  }

 private:
  Value property(const Node& node) {
    if (node.slot >= seen_.size()) return found(properties_.find(node.texts[0]));
    auto& seen = seen_[node.slot];
    if (!seen) seen = properties_.find(node.texts[0]);
    return found(*seen);
  }
  static Value found(const std::optional<std::string_view>& text) noexcept {
    return text ? Value::of(*text) : Value();
  }

  static Value inverted(const Value& value) noexcept {
    return value.kind == Value::Kind::kBool ? Value::of(value.number == 0) : value;
  }

  // AND is decided by the first FALSE, OR by the first TRUE; what comes after is not evaluated, so
  // it cannot fail either.
  Value joined(const Node& node, bool decisive) {
    bool unknown = false;
    for (const std::uint32_t operand : node.operands) {
      const Value value = of(operand);
      if (value.is_failed()) return value;
      if (value.is_null()) {
        unknown = true;
      } else if (value.is_true() == decisive) {
        return value;
      }
    }
    return unknown ? Value() : Value::of(!decisive);
  }

  static Value equal(const Value& left, const Value& right) {
    if (left.is_failed()) return left;
    if (right.is_failed()) return right;
    if (left.is_null()) return right.is_null() ? Value::of(true) : Value();
    if (right.is_null()) return Value::of(false);
    const auto order = compare(left, right);
    return order ? Value::of(*order == 0) : Value::failed();
  }

  Value ordered(const Node& node) {
    const Value left = of(node.left);
    if (left.is_failed() || left.is_null()) return left;
    return ordered(node.op, left, of(node.right));
  }
  static Value ordered(Op op, const Value& left, const Value& right) {
    if (right.is_failed() || right.is_null()) return right;
    const auto order = compare_ordered(left, right);
    if (!order) return Value::failed();
    switch (op) {
      case Op::kLess:
        return Value::of(*order < 0);
      case Op::kLessEqual:
        return Value::of(*order <= 0);
      case Op::kGreater:
        return Value::of(*order > 0);
      default:
        return Value::of(*order >= 0);
    }
  }

  // `>= low AND <= high`, negated `< low OR > high`, with the value looked at once.
  Value between(const Node& node) {
    const Value value = of(node.left);
    if (value.is_failed() || value.is_null()) return value;
    const bool decisive = node.negated;
    const Value first =
        ordered(node.negated ? Op::kLess : Op::kGreaterEqual, value, of(node.right));
    if (first.is_failed() || (!first.is_null() && first.is_true() == decisive)) return first;
    const Value second =
        ordered(node.negated ? Op::kGreater : Op::kLessEqual, value, of(node.operands[0]));
    if (second.is_failed() || (!second.is_null() && second.is_true() == decisive)) return second;
    return first.is_null() || second.is_null() ? Value() : Value::of(!decisive);
  }

  Value in(const Node& node) {
    const Value value = of(node.left);
    if (value.is_null()) return value;
    const bool listed =
        std::binary_search(node.texts.begin(), node.texts.end(), value.text, std::less<>());
    return Value::of(listed != node.negated);
  }

  // FALSE, and not unknown, for what is no string and for an empty search, with NOT as well.
  Value search(const Node& node) {
    const std::string_view wanted = node.texts[0];
    if (wanted.empty()) return Value::of(false);
    const Value value = of(node.left);
    if (value.is_failed()) return value;
    if (value.kind != Value::Kind::kString) return Value::of(false);
    bool there = false;
    if (node.op == Op::kContains) {
      there = value.text.find(wanted) != std::string_view::npos;
    } else if (node.op == Op::kStartsWith) {
      there = value.text.starts_with(wanted);
    } else {
      there = value.text.ends_with(wanted);
    }
    return Value::of(there != node.negated);
  }

  const std::vector<Node>& nodes_;
  const Properties& properties_;
  std::array<std::optional<std::optional<std::string_view>>, 8> seen_{};
};

class StoredProperties final : public Properties {
 public:
  explicit StoredProperties(std::string_view text) noexcept : text_(text) {}
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const override {
    return format::find_property(text_, name);
  }

 private:
  std::string_view text_;
};

}  // namespace
}  // namespace sql

Result<SqlExpression> SqlExpression::compile(std::string_view text, Rest rest) {
  if (text.size() > kSqlBytesMax) {
    return Error{Errc::kInvalid, fmt::format("expression of {} bytes, at most {} are taken",
                                             text.size(), kSqlBytesMax)};
  }
  MQ_TRY(sql::Parsed parsed, sql::parse(text));
  if (rest == Rest::kRefused && !parsed.at_end) {
    return Error{Errc::kInvalid, fmt::format("at byte {}: '{}' is not part of the expression",
                                             parsed.rest, text.substr(parsed.rest, 40))};
  }
  return SqlExpression(std::move(parsed.nodes), parsed.root);
}

sql::Value SqlExpression::evaluate(const sql::Properties& properties) const {
  return sql::Evaluation(nodes_, properties).of(root_);
}

bool SqlExpression::wants(std::string_view properties) const {
  return selects(sql::StoredProperties(properties));
}

}  // namespace mq::broker

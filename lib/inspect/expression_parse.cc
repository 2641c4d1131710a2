// Expressions: from text to tree.
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "inspect/expression_node.h"

namespace mq::inspect {
namespace {

using Node = Expression::Node;
using NodePtr = std::shared_ptr<const Node>;

constexpr int kDepthMax = 100;

struct Name {
  std::string_view text;
  ExpressionField field;
  FieldType type;
};
constexpr std::array kFields = {
    Name{"topic", ExpressionField::kTopic, FieldType::kText},
    Name{"queue", ExpressionField::kQueue, FieldType::kNumber},
    Name{"offset", ExpressionField::kOffset, FieldType::kNumber},
    Name{"physical", ExpressionField::kPhysical, FieldType::kNumber},
    Name{"size", ExpressionField::kSize, FieldType::kSize},
    Name{"body", ExpressionField::kBody, FieldType::kText},
    Name{"bodysize", ExpressionField::kBodySize, FieldType::kSize},
    Name{"tag", ExpressionField::kTag, FieldType::kText},
    Name{"key", ExpressionField::kKey, FieldType::kText},
    Name{"id", ExpressionField::kId, FieldType::kText},
    Name{"stored", ExpressionField::kStored, FieldType::kTime},
    Name{"born", ExpressionField::kBorn, FieldType::kTime},
    Name{"storehost", ExpressionField::kStoreHost, FieldType::kText},
    Name{"bornhost", ExpressionField::kBornHost, FieldType::kText},
    Name{"flag", ExpressionField::kFlag, FieldType::kNumber},
    Name{"sysflag", ExpressionField::kSysFlag, FieldType::kNumber},
    Name{"reconsumed", ExpressionField::kReconsumed, FieldType::kNumber},
    Name{"transaction", ExpressionField::kTransaction, FieldType::kText},
};
constexpr std::string_view kPropertyPrefix = "property.";

struct OpName {
  std::string_view text;
  Op op;
};
// Longer ones first: "<" begins "<=".
constexpr std::array kOps = {
    OpName{"!=", Op::kNe},      OpName{"<=", Op::kLe}, OpName{">=", Op::kGe},
    OpName{"!~", Op::kNoMatch}, OpName{"==", Op::kEq}, OpName{"=", Op::kEq},
    OpName{"<", Op::kLt},       OpName{">", Op::kGt},  OpName{"~", Op::kMatch},
};

class Parser {
 public:
  Parser(std::string_view text, const ExpressionHooks& hooks) : text_(text), hooks_(hooks) {}

  Result<NodePtr> all() {
    MQ_TRY(NodePtr root, any_of());
    skip_blanks();
    if (at_ < text_.size()) return expected("'and', 'or' or the end");
    return root;
  }

 private:
  Error expected(std::string_view what) const {
    return Error{Errc::kInvalid,
                 fmt::format("at {}: expected {}, found {}", at_, what,
                             at_ < text_.size() ? fmt::format("'{}'", text_.substr(at_, 20))
                                                : std::string("the end"))};
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n'))
      ++at_;
  }
  static bool ends_word(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '(' || c == ')';
  }
  std::string_view peek_word() {
    skip_blanks();
    std::size_t end = at_;
    while (end < text_.size() && !ends_word(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }
  bool take_word(std::string_view word) {
    if (peek_word() != word) return false;
    at_ += word.size();
    return true;
  }
  bool take_char(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // A list of operands with one word between, as one node.
  template <typename Operand>
  Result<NodePtr> list(Node::Kind kind, std::string_view word, const Operand& operand) {
    MQ_TRY(NodePtr first, operand());
    if (peek_word() != word) return first;
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->children.push_back(std::move(first));
    while (take_word(word)) {
      MQ_TRY(NodePtr next, operand());
      node->children.push_back(std::move(next));
    }
    return NodePtr(std::move(node));
  }
  Result<NodePtr> any_of() {
    return list(Node::Kind::kOr, "or", [this] { return all_of(); });
  }
  Result<NodePtr> all_of() {
    return list(Node::Kind::kAnd, "and", [this] { return negation(); });
  }
  Result<NodePtr> negation() {
    if (depth_ > kDepthMax) return Error{Errc::kInvalid, "too many parentheses"};
    if (take_word("not")) {
      ++depth_;
      MQ_TRY(NodePtr child, negation());
      --depth_;
      auto node = std::make_shared<Node>();
      node->kind = Node::Kind::kNot;
      node->children.push_back(std::move(child));
      return NodePtr(std::move(node));
    }
    if (take_char('(')) {
      ++depth_;
      MQ_TRY(NodePtr inside, any_of());
      --depth_;
      if (!take_char(')')) return expected("')'");
      return inside;
    }
    return test();
  }

  Result<NodePtr> test() {
    auto node = std::make_shared<Node>();
    MQ_CHECK(take_field(*node));
    MQ_CHECK(take_op(*node));
    MQ_TRY(node->text, take_value());
    MQ_CHECK(make_value(*node));
    return NodePtr(std::move(node));
  }

  Result<void> take_field(Node& node) {
    skip_blanks();
    std::size_t end = at_;
    while (end < text_.size() && !ends_word(text_[end]) &&
           std::string_view("=!<>~'\"").find(text_[end]) == std::string_view::npos)
      ++end;
    const std::string_view name = text_.substr(at_, end - at_);
    if (name.starts_with(kPropertyPrefix) && name.size() > kPropertyPrefix.size()) {
      node.field = ExpressionField::kProperty;
      node.property = name.substr(kPropertyPrefix.size());
      at_ = end;
      return {};
    }
    for (const Name& known : kFields) {
      if (known.text != name) continue;
      node.field = known.field;
      at_ = end;
      return {};
    }
    std::string all;
    for (const Name& known : kFields) all.append(known.text) += ' ';
    return expected("a field, one of " + all + "property.NAME");
  }

  Result<void> take_op(Node& node) {
    skip_blanks();
    if (take_word("contains")) {
      node.op = Op::kContains;
      return {};
    }
    for (const OpName& known : kOps) {
      if (!text_.substr(at_).starts_with(known.text)) continue;
      node.op = known.op;
      at_ += known.text.size();
      return {};
    }
    return expected("one of = != < <= > >= ~ !~ contains");
  }

  Result<std::string> take_value() {
    skip_blanks();
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) return take_quoted();
    // A pattern may have parentheses; one that closes more than the word opened is not its own.
    const std::size_t begin = at_;
    for (int open = 0; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\n' || (c == ')' && open == 0)) break;
      open += c == '(' ? 1 : c == ')' ? -1 : 0;
    }
    if (at_ == begin) return expected("a value");
    return std::string(text_.substr(begin, at_ - begin));
  }
  Result<std::string> take_quoted() {
    const char quote = text_[at_++];
    std::string out;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c != quote) {
        out += c;
      } else if (at_ < text_.size() && text_[at_] == quote) {
        out += text_[at_++];
      } else {
        return out;
      }
    }
    return expected(fmt::format("a closing {}", quote));
  }

  Result<void> make_value(Node& node) const {
    const FieldType type = type_of(node.field);
    const bool for_texts =
        node.op == Op::kMatch || node.op == Op::kNoMatch || node.op == Op::kContains;
    if (type != FieldType::kText && for_texts)
      return Error{Errc::kInvalid, fmt::format("before {}: this field is a number", at_)};
    if (node.op == Op::kMatch || node.op == Op::kNoMatch) {
      auto pattern = Pattern::compile(node.text);
      if (!pattern) {
        return Error{pattern.error().code(),
                     fmt::format("pattern '{}' {}", node.text, pattern.error().text())};
      }
      node.pattern = *std::move(pattern);
    }
    if (type == FieldType::kTime) {
      MQ_TRY(node.number, hooks_.time_ms(node.text));
    } else if (type == FieldType::kSize) {
      MQ_TRY(node.number, hooks_.size(node.text));
    } else if (type == FieldType::kNumber) {
      const char* end = node.text.data() + node.text.size();
      const auto [stop, error] = std::from_chars(node.text.data(), end, node.number);
      if (error != std::errc{} || stop != end)
        return Error{Errc::kInvalid, fmt::format("'{}' is no number", node.text)};
    }
    return {};
  }

  std::string_view text_;
  const ExpressionHooks& hooks_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

FieldType type_of(ExpressionField field) noexcept {
  for (const Name& known : kFields)
    if (known.field == field) return known.type;
  return FieldType::kText;
}

Result<Expression> Expression::parse(std::string_view text, const ExpressionHooks& hooks) {
  MQ_TRY(NodePtr root, Parser(text, hooks).all());
  return Expression(std::move(root));
}

}  // namespace mq::inspect

// A SQL-92 filter over the properties of a message, compiled: the grammar, the compile-time rules
// and the three-valued logic of the reference's filter module, oddities included (semantics.md 8).
//
// Immutable once compiled; any thread may evaluate it. Evaluation allocates nothing: properties are
// found in the record. Differences from the reference: an expression has at most kSqlBytesMax
// bytes, kSqlPartsMax parts (values, operators) and kSqlNestingMax levels (there: as its stack
// holds), and digits of numbers in property values are ASCII.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "broker/sql_value.h"
#include "store/types.h"

namespace mq::broker {

inline constexpr std::string_view kSqlType = "SQL92";
inline constexpr std::size_t kSqlBytesMax = 32 << 10;
inline constexpr std::size_t kSqlPartsMax = 4096;
inline constexpr std::uint32_t kSqlNestingMax = 256;

namespace sql {

// What an expression asks for; the value of an absent property is nothing.
class Properties {
 public:
  virtual ~Properties() = default;
  [[nodiscard]] virtual std::optional<std::string_view> find(std::string_view name) const = 0;
};

enum class Op : std::uint8_t {
  kConstant,
  kProperty,
  kAnd,    // all of `operands`
  kOr,     // ditto
  kNot,    // of `left`
  kTruth,  // a property where a truth value is wanted: never TRUE
  kNegate,
  kEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kBetween,  // `left` from `right` to operands[0]
  kIn,
  kContains,
  kStartsWith,
  kEndsWith,
};

// One part of an expression. Parts name each other by index, a part only earlier ones.
struct Node {
  Op op = Op::kConstant;
  bool negated = false;     // NOT IN, NOT CONTAINS …: not the same as NOT of it
  std::uint32_t depth = 1;  // of the tree below
  std::uint32_t left = 0;
  std::uint32_t right = 0;
  std::uint32_t slot = 0;  // of a property, the same for all of its name
  Value constant{};        // a string's text is texts[0]
  std::vector<std::uint32_t> operands{};
  std::vector<std::string>
      texts{};  // a string; a property's name; the sorted list of IN; the text searched
};

}  // namespace sql

class SqlExpression final : public store::RecordFilter {
 public:
  enum class Rest : std::uint8_t {
    kIgnored,  // as the reference: what follows the longest expression is not looked at
    kRefused,
  };
  // Errors: kInvalid with the byte and what was expected there, or which rule is broken.
  static Result<SqlExpression> compile(std::string_view text, Rest rest = Rest::kIgnored);

  // TRUE, and nothing else, selects.
  [[nodiscard]] bool selects(const sql::Properties& properties) const {
    return evaluate(properties).is_true();
  }
  // TRUE, FALSE, null, or failed.
  [[nodiscard]] sql::Value evaluate(const sql::Properties& properties) const;
  // The same on the property string of a record.
  [[nodiscard]] bool wants(std::string_view properties) const override;

 private:
  explicit SqlExpression(std::vector<sql::Node> nodes, std::uint32_t root)
      : nodes_(std::move(nodes)), root_(root) {}

  std::vector<sql::Node> nodes_;
  std::uint32_t root_;
};

}  // namespace mq::broker

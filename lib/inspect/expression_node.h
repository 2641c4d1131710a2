// The tree of an expression. Private to inspect.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "inspect/expression.h"
#include "inspect/pattern.h"

namespace mq::inspect {

enum class ExpressionField : std::uint8_t {
  kTopic,
  kQueue,
  kOffset,
  kPhysical,
  kSize,
  kBody,
  kBodySize,
  kTag,
  kKey,
  kId,
  kStored,
  kBorn,
  kStoreHost,
  kBornHost,
  kFlag,
  kSysFlag,
  kReconsumed,
  kTransaction,
  kProperty,
};
enum class FieldType : std::uint8_t { kText, kNumber, kSize, kTime };
enum class Op : std::uint8_t { kEq, kNe, kLt, kLe, kGt, kGe, kMatch, kNoMatch, kContains };

class Expression::Node {
 public:
  enum class Kind : std::uint8_t { kTest, kAnd, kOr, kNot };
  Kind kind = Kind::kTest;
  std::vector<std::shared_ptr<const Node>> children{};
  // Of a test.
  ExpressionField field = ExpressionField::kTopic;
  std::string property{};
  Op op = Op::kEq;
  std::string text{};
  std::int64_t number = 0;
  std::shared_ptr<const Pattern> pattern{};
};

[[nodiscard]] FieldType type_of(ExpressionField field) noexcept;

}  // namespace mq::inspect

// The tree of an expression. Private to inspect.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "inspect/expression.h"

namespace mq::inspect {

enum class Field : std::uint8_t {
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

// A compiled regular expression; any thread.
class Pattern {
 public:
  // Errors: kInvalid.
  static Result<std::shared_ptr<const Pattern>> compile(std::string_view text);
  [[nodiscard]] bool found_in(std::string_view text) const;

 private:
  explicit Pattern(std::shared_ptr<void> code) : code_(std::move(code)) {}
  std::shared_ptr<void> code_;
};

class Expression::Node {
 public:
  enum class Kind : std::uint8_t { kTest, kAnd, kOr, kNot };
  Kind kind = Kind::kTest;
  std::vector<std::shared_ptr<const Node>> children{};
  // Of a test.
  Field field = Field::kTopic;
  std::string property{};
  Op op = Op::kEq;
  std::string text{};
  std::int64_t number = 0;
  std::shared_ptr<const Pattern> pattern{};
};

[[nodiscard]] FieldType type_of(Field field) noexcept;

}  // namespace mq::inspect

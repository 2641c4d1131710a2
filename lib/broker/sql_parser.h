// From the text of a filter to its parts: grammar (semantics.md 8.2) and compile-time rules (8.3).
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "broker/sql_expression.h"

namespace mq::broker::sql {

struct Parsed {
  std::vector<Node> nodes;
  std::uint32_t root = 0;
  bool at_end = true;    // nothing follows the expression
  std::size_t rest = 0;  // byte where it ended
};
// Errors: as SqlExpression::compile.
Result<Parsed> parse(std::string_view text);

}  // namespace mq::broker::sql

// What `mqdump grep` looks for: a small language of tests on a record's fields.
//
//   expression  = conjunction { "or" conjunction }
//   conjunction = negation { "and" negation }
//   negation    = "not" negation | "(" expression ")" | FIELD OP VALUE
//   OP          = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~" | "contains"
//   VALUE       = word | 'text' | "text"        (a quote is doubled inside its own)
//
// Fields: topic queue offset physical size body bodysize tag key id stored born storehost bornhost
// flag sysflag reconsumed transaction property.NAME. `~` is a Perl regular expression, found
// anywhere. `key` is each of KEYS, `id` the producer's id or the offset id: of several one has to
// fit, and none with "!=" and "!~". A missing text is "". Sizes have units, times are as the hook
// reads them.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "format/record.h"

namespace mq::inspect {

// How texts become values; this room does not know how people write them.
struct ExpressionHooks {
  std::function<Result<std::int64_t>(std::string_view)> time_ms;
  std::function<Result<std::int64_t>(std::string_view)> size;
};

struct Scan {
  // What of the log can match at all, as far as the expression tells.
  PhysicalOffset from{0};
  PhysicalOffset to{INT64_MAX};  // excluded
  std::int64_t from_ms = INT64_MIN;
  std::int64_t to_ms = INT64_MAX;  // excluded
};

class Expression {
 public:
  class Node;
  // Errors: kInvalid with the place and what was expected there.
  static Result<Expression> parse(std::string_view text, const ExpressionHooks& hooks);

  // The body as the producer had it: a view of the record's or of `buffer`.
  using BodyOf = std::function<Bytes(const format::Record& record, std::string& buffer)>;
  // Any thread; `buffer` is the thread's own.
  [[nodiscard]] bool matches(const format::Record& record, const BodyOf& body,
                             std::string& buffer) const;
  [[nodiscard]] Scan scan() const;

 private:
  explicit Expression(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;
};

}  // namespace mq::inspect

// Which messages are wanted, decided here: times, exact tags, SQL where no broker sees to it,
// regular expression.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "broker/sql_expression.h"
#include "format/record.h"
#include "inspect/pattern.h"
#include "options.h"

namespace mq::mqrecv {

class Filter {
 public:
  // Errors: kInvalid (the SQL or regular expression).
  static Result<Filter> create(const Options& options);
  [[nodiscard]] bool wants(const format::Record& record) const;
  [[nodiscard]] bool wants_body(Bytes body) const;

 private:
  explicit Filter(const Options& options) : options_(&options) {}
  const Options* options_;
  std::set<std::string, std::less<>> tags_;
  std::optional<broker::SqlExpression> sql_;
  std::shared_ptr<const inspect::Pattern> pattern_;
};

}  // namespace mq::mqrecv

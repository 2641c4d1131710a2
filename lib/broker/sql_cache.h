// Compiled filters by their text, the newest kSqlCached of them; what does not compile is kept as
// well, so that a client that asks again and again costs a look-up. Any thread.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"
#include "base/result.h"
#include "broker/sql_expression.h"

namespace mq::broker {

inline constexpr std::size_t kSqlCached = 100;

class SqlCache {
 public:
  // Errors: as SqlExpression::compile.
  Result<std::shared_ptr<const SqlExpression>> compile(std::string_view text) MQ_EXCLUDES(mu_);

 private:
  using Compiled = Result<std::shared_ptr<const SqlExpression>>;
  struct Entry {
    std::string text;
    Compiled compiled;
  };

  Mutex mu_;
  std::list<Entry> newest_first_ MQ_GUARDED_BY(mu_);
  // The keys are views of the entries' texts.
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_text_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::broker

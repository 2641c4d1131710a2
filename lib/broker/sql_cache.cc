#include "broker/sql_cache.h"

namespace mq::broker {

Result<std::shared_ptr<const SqlExpression>> SqlCache::compile(std::string_view text) {
  {
    const MutexLock lock(mu_);
    if (const auto found = by_text_.find(text); found != by_text_.end()) {
      newest_first_.splice(newest_first_.begin(), newest_first_, found->second);
      return found->second->compiled;
    }
  }
  auto made = [&]() -> Compiled {
    MQ_TRY(SqlExpression expression, SqlExpression::compile(text));
    return std::make_shared<const SqlExpression>(std::move(expression));
  }();
  // Too long a text is not worth its memory, and costs nothing to refuse again.
  if (text.size() > kSqlBytesMax) return made;
  const MutexLock lock(mu_);
  if (by_text_.contains(text)) return made;  // by another thread meanwhile
  newest_first_.push_front({std::string(text), made});
  by_text_.emplace(newest_first_.front().text, newest_first_.begin());
  if (newest_first_.size() > kSqlCached) {
    by_text_.erase(newest_first_.back().text);
    newest_first_.pop_back();
  }
  return made;
}

}  // namespace mq::broker

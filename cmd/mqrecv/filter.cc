#include "filter.h"

#include "format/properties.h"

namespace mq::mqrecv {

Result<Filter> Filter::create(const Options& options) {
  Filter out(options);
  std::string_view rest = options.tags;
  while (!rest.empty() && rest != "*") {
    const std::size_t end = rest.find("||");
    std::string_view tag = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 2);
    while (tag.starts_with(' ')) tag.remove_prefix(1);
    while (tag.ends_with(' ')) tag.remove_suffix(1);
    if (!tag.empty()) out.tags_.emplace(tag);
  }
  if (!options.sql.empty()) {
    // A broker takes `a = 1 gibberish` for `a = 1`: whoever types it wants to know.
    auto sql = broker::SqlExpression::compile(options.sql, broker::SqlExpression::Rest::kRefused);
    if (!sql) return std::move(sql).error().within("--sql");
    // Look-ups by key or id, and files, know no filters.
    if (!options.store.empty() || !options.key.empty() || !options.id.empty())
      out.sql_ = *std::move(sql);
  }
  if (!options.grep.empty()) {
    auto pattern = inspect::Pattern::compile(options.grep);
    if (!pattern) return std::move(pattern).error().within("-G");
    out.pattern_ = *std::move(pattern);
  }
  return out;
}

bool Filter::wants(const format::Record& record) const {
  const std::int64_t time =
      options_->by_born ? record.born_timestamp_ms : record.store_timestamp_ms;
  if (options_->since_ms && time < *options_->since_ms) return false;
  if (options_->until_ms && time > *options_->until_ms) return false;
  if (sql_ && !sql_->wants(record.properties)) return false;
  return tags_.empty() ||
         tags_.contains(format::find_property(record.properties, format::kTags).value_or(""));
}

bool Filter::wants_body(Bytes body) const { return !pattern_ || pattern_->found_in(as_text(body)); }

}  // namespace mq::mqrecv

#define PCRE2_CODE_UNIT_WIDTH 8
#include "filter.h"

#include <array>

#include <fmt/format.h>
#include <pcre2.h>

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
    int error = 0;
    PCRE2_SIZE at = 0;
    pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(options.grep.data()),
                                     options.grep.size(), 0, &error, &at, nullptr);
    if (code == nullptr) {
      std::array<unsigned char, 256> text{};
      pcre2_get_error_message(error, text.data(), text.size());
      return Error{Errc::kInvalid,
                   fmt::format("-G: at {}: {}", at, reinterpret_cast<const char*>(text.data()))};
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    out.pattern_ = std::shared_ptr<pcre2_code>(code, pcre2_code_free);
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

bool Filter::wants_body(Bytes body) const {
  if (!pattern_) return true;
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
      pcre2_match_data_create_from_pattern(pattern_.get(), nullptr), pcre2_match_data_free);
  return pcre2_match(pattern_.get(), reinterpret_cast<PCRE2_SPTR>(body.data()), body.size(), 0, 0,
                     match.get(), nullptr) >= 0;
}

}  // namespace mq::mqrecv

// SQL filters: of pulls, and R(46), which asks whether an expression is one.
#include "server/pull_filter.h"

#include <fmt/format.h>

#include "base/json.h"
#include "format/names.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

bool is_tag_type(std::string_view type) noexcept { return type.empty() || type == "TAG"; }

// False when filters of that type have been refused.
bool check_type(const Call& call, std::string_view type) {
  if (!call.p.config.property_filter) {
    call.reply(wire::kSystemError,
               fmt::format("The broker does not support consumer to filter message by {} "
                           "(enablePropertyFilter)",
                           type));
    return false;
  }
  if (type == broker::kSqlType) return true;
  call.reply(wire::kSubscriptionParseFailed, fmt::format("there is no filter type '{}'", type));
  return false;
}

std::shared_ptr<const broker::SqlExpression> compiled(const Call& call, std::string_view text) {
  auto expression = call.p.sql.compile(text);
  if (expression) return *expression;
  call.reply(
      wire::kSubscriptionParseFailed,
      fmt::format("parse the consumer's subscription failed: {}", expression.error().text()));
  return nullptr;
}

}  // namespace

bool add_record_filter(const Call& call, const wire::PullRequest& pull, std::string_view type,
                       PullFilter& filter) {
  const auto& p = call.p;
  if (is_tag_type(type)) {
    if (p.config.filter_retry && pull.topic.starts_with(format::kRetryPrefix)) {
      filter.records = p.filters.retry_filter(pull.topic.substr(format::kRetryPrefix.size()));
    }
    return true;
  }
  filter.tags = {};
  if ((pull.sys_flag & wire::kPullSubscription) != 0) {
    if (!check_type(call, type)) return false;
    filter.records = compiled(call, pull.subscription);
    return filter.records != nullptr;
  }
  const auto kept = p.filters.find(pull.group, pull.topic);
  if (kept.expression == nullptr) {
    call.reply(wire::kFilterDataNotExist,
               fmt::format("group '{}' has no filter on topic '{}': its expression may be wrong",
                           pull.group, pull.topic));
    return false;
  }
  if (kept.client_version < pull.sub_version) {
    call.reply(wire::kFilterDataNotLatest, "the group's filter is older than the pull");
    return false;
  }
  if (!check_type(call, type)) return false;
  filter.records = kept.expression;
  return true;
}

void handle_check_client_config(const Call& call) {
  auto body = parse_json(as_text(call.request.body));
  if (!body) return call.reply(wire::kSystemError, body.error().to_string());
  const json::value* data = member(*body, "subscriptionData");
  if (data != nullptr && data->is_object()) {
    const std::string type = string_or(member(*data, "expressionType"), "TAG");
    if (!is_tag_type(type) &&
        (!check_type(call, type) ||
         compiled(call, string_or(member(*data, "subString"), "")) == nullptr)) {
      return;
    }
  }
  call.reply(wire::kSuccess);
}

}  // namespace mq::server

#include "broker/access_config.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/json.h"
#include "base/pieces.h"
#include "broker/config.h"

namespace mq::broker {
namespace {

constexpr const char* kUserStore =
    "org.apache.rocketmq.auth.authentication.provider.LocalAuthenticationMetadataProvider";
constexpr const char* kPolicyStore =
    "org.apache.rocketmq.auth.authorization.provider.LocalAuthorizationMetadataProvider";

Result<void> set_store(bool& member, std::string_view v, std::string_view ours) {
  if (!v.empty() && v != ours)
    return Error{Errc::kInvalid, fmt::format("'{}': only {} is built in", v, ours)};
  member = !v.empty();
  return {};
}

// Names as the reference reads them from JSON; both are needed.
Result<std::pair<std::string, std::string>> parse_pair(std::string_view v, const char* name,
                                                       const char* secret) {
  auto value = parse_json(v);
  std::string first;
  std::string second;
  if (value) {
    first = string_or(member(*value, name), "");
    second = string_or(member(*value, secret), "");
  }
  // The value is not shown: it may hold the secret.
  if (first.empty() || second.empty())
    return Error{Errc::kInvalid, fmt::format(R"(expected {{"{}":"…","{}":"…"}})", name, secret)};
  return std::pair(std::move(first), std::move(second));
}
Result<void> set_init_user(BrokerConfig& c, std::string_view v) {
  c.access.init_user = {};
  if (v.empty()) return {};
  MQ_TRY(auto pair, parse_pair(v, "username", "password"));
  c.access.init_user = {
      .name = std::move(pair.first), .password = std::move(pair.second), .type = "Super"};
  return {};
}
Result<void> set_inner(BrokerConfig& c, std::string_view v) {
  c.access.inner = {};
  if (v.empty()) return {};
  MQ_TRY(auto pair, parse_pair(v, "accessKey", "secretKey"));
  c.access.inner = {.access_key = std::move(pair.first), .secret = std::move(pair.second)};
  return {};
}
std::string shown(bool set) { return set ? "(set)" : ""; }

Result<void> set_codes(std::vector<std::int32_t>& codes, std::string_view v) {
  codes.clear();
  Result<void> done;
  for_each_piece(v, ',', [&](std::string_view word) {
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (word.empty() || !done) return;
    std::int32_t code = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), code);
    if (error == std::errc{} && end == word.data() + word.size()) {
      codes.push_back(code);
    } else {
      done = Error{Errc::kInvalid, fmt::format("'{}' is not a request code", word)};
    }
  });
  std::sort(codes.begin(), codes.end());
  return done;
}
std::string get_codes(const std::vector<std::int32_t>& codes) {
  return fmt::format("{}", fmt::join(codes, ","));
}

}  // namespace

void add_access_keys(std::vector<ConfigKey>& keys) {
  keys.insert(
      keys.end(),
      {ConfigKey{"authenticationMetadataProvider", "where users are kept: the store of our own",
                 [](BrokerConfig& c, std::string_view v) {
                   return set_store(c.access.user_store, v, kUserStore);
                 },
                 [](const BrokerConfig& c) {
                   return std::string(c.access.user_store ? kUserStore : "");
                 }},
       ConfigKey{"authorizationMetadataProvider", "where policies are kept: the store of our own",
                 [](BrokerConfig& c, std::string_view v) {
                   return set_store(c.access.policy_store, v, kPolicyStore);
                 },
                 [](const BrokerConfig& c) {
                   return std::string(c.access.policy_store ? kPolicyStore : "");
                 }},
       ConfigKey{"initAuthenticationUser", "a super user that is made if there is none of its name",
                 set_init_user,
                 [](const BrokerConfig& c) { return shown(!c.access.init_user.name.empty()); }},
       ConfigKey{"innerClientAuthenticationCredentials",
                 "the same for the brokers and proxies that sign with it", set_inner,
                 [](const BrokerConfig& c) { return shown(!c.access.inner.access_key.empty()); }},
       ConfigKey{"authenticationWhitelist", "request codes that need no signature",
                 [](BrokerConfig& c, std::string_view v) {
                   return set_codes(c.access.unsigned_codes, v);
                 },
                 [](const BrokerConfig& c) { return get_codes(c.access.unsigned_codes); }},
       ConfigKey{
           "authorizationWhitelist", "request codes that every user may ask",
           [](BrokerConfig& c, std::string_view v) { return set_codes(c.access.free_codes, v); },
           [](const BrokerConfig& c) { return get_codes(c.access.free_codes); }}});
}

}  // namespace mq::broker

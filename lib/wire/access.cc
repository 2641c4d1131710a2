#include "wire/access.h"

#include "wire/body_json.h"

namespace mq::wire {
namespace {

// What is empty is left out, as the reference leaves out what is null.
void put(json::object& out, std::string_view name, std::string_view text) {
  if (!text.empty()) out[name] = text_value(text);
}

json::object user_object(const UserInfo& user) {
  json::object out;
  put(out, "password", user.password);
  put(out, "userStatus", user.status);
  put(out, "userType", user.type);
  put(out, "username", user.name);
  return out;
}
UserInfo user_from(const json::value& value) {
  return {.name = string_member(value, "username"),
          .password = string_member(value, "password"),
          .type = string_member(value, "userType"),
          .status = string_member(value, "userStatus")};
}

json::object acl_object(const AclInfo& acl) {
  json::array policies;
  for (const PolicyInfo& policy : acl.policies) {
    json::array entries;
    for (const PolicyEntryInfo& entry : policy.entries) {
      json::object out{{"actions", to_array(entry.actions)}};
      put(out, "decision", entry.decision);
      put(out, "resource", entry.resource);
      if (!entry.source_ips.empty()) out["sourceIps"] = to_array(entry.source_ips);
      entries.push_back(std::move(out));
    }
    json::object out{{"entries", std::move(entries)}};
    put(out, "policyType", policy.type);
    policies.push_back(std::move(out));
  }
  json::object out{{"policies", std::move(policies)}};
  put(out, "subject", acl.subject);
  return out;
}
AclInfo acl_from(const json::value& value) {
  AclInfo out{.subject = string_member(value, "subject")};
  for (const json::value& policy : array_member(value, "policies")) {
    PolicyInfo& info = out.policies.emplace_back();
    info.type = string_member(policy, "policyType");
    for (const json::value& entry : array_member(policy, "entries")) {
      info.entries.push_back({.resource = string_member(entry, "resource"),
                              .actions = to_strings(array_member(entry, "actions")),
                              .source_ips = to_strings(array_member(entry, "sourceIps")),
                              .decision = string_member(entry, "decision")});
    }
  }
  return out;
}

template <typename Value>
std::string encode_all(const std::vector<Value>& values, json::object (*object_of)(const Value&)) {
  json::array out;
  for (const Value& value : values) out.push_back(object_of(value));
  return to_json(out);
}
template <typename Value>
Result<std::vector<Value>> decode_all(std::string_view body, Value (*from)(const json::value&)) {
  std::vector<Value> out;
  if (body.empty()) return out;
  MQ_TRY(const json::value value, parse_json(body));
  if (!value.is_array()) return Error{Errc::kCorrupt, "the body is not a JSON array"};
  for (const json::value& one : value.get_array()) out.push_back(from(one));
  return out;
}

}  // namespace

std::string encode_user(const UserInfo& user) { return to_json(user_object(user)); }
Result<UserInfo> decode_user(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return user_from(value);
}
std::string encode_users(const std::vector<UserInfo>& users) {
  return encode_all(users, user_object);
}
Result<std::vector<UserInfo>> decode_users(std::string_view body) {
  return decode_all(body, user_from);
}

std::string encode_acl(const AclInfo& acl) { return to_json(acl_object(acl)); }
Result<AclInfo> decode_acl(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  return acl_from(value);
}
std::string encode_acls(const std::vector<AclInfo>& acls) { return encode_all(acls, acl_object); }
Result<std::vector<AclInfo>> decode_acls(std::string_view body) {
  return decode_all(body, acl_from);
}

}  // namespace mq::wire

// JSON bodies about users and what they may do, R(3001) to R(3010) (remoting.md 13.8). Decoders
// take fastjson's dialect and leave empty what is not there; what names mean is for who reads them.
// Errors of all decoders: kCorrupt.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mq::wire {

struct UserInfo {
  std::string name;
  std::string password{};
  std::string type{};    // "Super", "Normal"
  std::string status{};  // "enable", "disable"
  friend bool operator==(const UserInfo&, const UserInfo&) = default;
};
[[nodiscard]] std::string encode_user(const UserInfo& user);
Result<UserInfo> decode_user(std::string_view body);
[[nodiscard]] std::string encode_users(const std::vector<UserInfo>& users);
// No body: no users.
Result<std::vector<UserInfo>> decode_users(std::string_view body);

struct PolicyEntryInfo {
  std::string resource;                   // "Topic:orders", "Group:a*", "Cluster:…", "*"
  std::vector<std::string> actions{};     // "Pub", "Sub", …, "All"
  std::vector<std::string> source_ips{};  // addresses and networks; none: any
  std::string decision{};                 // "Allow", "Deny"
  friend bool operator==(const PolicyEntryInfo&, const PolicyEntryInfo&) = default;
};
struct PolicyInfo {
  std::string type{};  // "Custom", "Default"
  std::vector<PolicyEntryInfo> entries{};
  friend bool operator==(const PolicyInfo&, const PolicyInfo&) = default;
};
struct AclInfo {
  std::string subject;  // "User:name"
  std::vector<PolicyInfo> policies{};
  friend bool operator==(const AclInfo&, const AclInfo&) = default;
};
[[nodiscard]] std::string encode_acl(const AclInfo& acl);
Result<AclInfo> decode_acl(std::string_view body);
[[nodiscard]] std::string encode_acls(const std::vector<AclInfo>& acls);
// No body: no acls.
Result<std::vector<AclInfo>> decode_acls(std::string_view body);

}  // namespace mq::wire

// Users of a broker and what they may do, as administrators see them (remoting.md 13.8). Errors of
// all: those of Rpc::ask; kCorrupt when a body cannot be read.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/rpc.h"
#include "wire/access.h"

namespace mq::client {

// R(3005).
Result<std::vector<wire::UserInfo>> users(Rpc& broker);
// R(3004); nothing when there is none.
Result<std::optional<wire::UserInfo>> find_user(Rpc& broker, std::string_view name);
// R(3001), and R(3002): what is empty stays as it is.
Result<void> create_user(Rpc& broker, const wire::UserInfo& user);
Result<void> update_user(Rpc& broker, const wire::UserInfo& user);
// R(3003): with its policies; fine if there is none.
Result<void> delete_user(Rpc& broker, std::string_view name);

// R(3010): of all users.
Result<std::vector<wire::AclInfo>> acls(Rpc& broker);
// R(3007): an entry replaces that for the same resource.
Result<void> update_acl(Rpc& broker, const wire::AclInfo& acl);
// R(3008): custom policies for one resource, or ("") all of the user.
Result<void> delete_acl(Rpc& broker, std::string_view subject, std::string_view resource);

}  // namespace mq::client

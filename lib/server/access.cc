#include "server/access.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "broker/access.h"
#include "server/access_rules.h"
#include "wire/signature.h"

namespace mq::server {
namespace {

bool holds(const std::vector<std::int32_t>& codes, std::int32_t code) noexcept {
  return std::binary_search(codes.begin(), codes.end(), code);
}

bool refuse(const Call& call, std::string_view remark) {
  log::debug("request {} from {}:{} refused: {}", call.request.code, call.connection.peer_ip(),
             call.connection.peer_port(), remark);
  call.reply(wire::kNoPermission, remark);
  return false;
}

bool is_authentic(const Call& call) {
  const std::string_view name = wire::access_key_of(call.request);
  if (name.empty()) return refuse(call, "username cannot be null.");
  const auto user = call.p.access.find_user(name);
  if (user == nullptr) return refuse(call, fmt::format("User:{} is not found.", name));
  if (!user->is_enabled) return refuse(call, fmt::format("User:{} is disabled.", name));
  if (!wire::is_signed_with(call.request, user->password))
    return refuse(call, "check signature failed.");
  return true;
}

bool is_allowed(const Call& call) {
  // What is asked without any field needs nothing in the reference, whoever asks.
  if (call.request.ext.size() == 0) return true;
  const std::string_view name = wire::access_key_of(call.request);
  const auto user = call.p.access.find_user(name);
  if (user != nullptr && user->is_super) return true;
  const auto acl = call.p.access.find_acl(name);
  bool allowed = true;
  const auto allow = [&](const broker::Need& need) {
    if (user == nullptr) {  // its code is one of authenticationWhitelist
      return allowed = refuse(call, name.empty() ? "Authorization failed. Please verify your "
                                                   "access rights and try again."
                                                 : fmt::format("User:{} not found.", name));
    }
    const auto& ip = call.connection.peer_ip();
    const auto decision =
        acl == nullptr ? broker::Decision::kNoMatch : broker::decide(*acl, need, ip);
    if (decision == broker::Decision::kAllow) return true;
    return allowed = refuse(
               call, fmt::format("User:{} has no permission to access {} from {}, {}", name,
                                 broker::to_string(need), ip,
                                 decision == broker::Decision::kDeny ? "the decision is deny."
                                                                     : "no matched policies."));
  };
  if (auto known = for_each_need(call.request, call.p.config.cluster, allow); !known)
    return refuse(call, "parse authorization context error.");
  return allowed;
}

}  // namespace

bool is_admitted(const Call& call) {
  if (call.connection.is_trusted()) return true;
  const broker::AccessConfig& config = call.p.access.config();
  const std::int32_t code = call.request.code;
  if (!holds(config.unsigned_codes, code) && !is_authentic(call)) return false;
  return !config.authorization || holds(config.free_codes, code) || is_allowed(call);
}

bool is_asked_by_super_user(const Call& call) {
  if (call.connection.is_trusted() || !call.p.access.config().authentication) return true;
  // A code of the white list has proved nothing.
  if (holds(call.p.access.config().unsigned_codes, call.request.code)) return false;
  const auto user = call.p.access.find_user(wire::access_key_of(call.request));
  return user != nullptr && user->is_super;
}

}  // namespace mq::server

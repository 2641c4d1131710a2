// Users and policies as an administrator makes them (R 3001 to 3010). Checks come in the
// reference's order, so that even a broker without users answers its codes.
#include "broker/access.h"
#include "server/access.h"
#include "server/call.h"
#include "wire/access.h"

namespace mq::server {
namespace {

std::string_view field(const Call& call, std::string_view name) noexcept {
  return call.request.ext.find(name).value_or("");
}

// False, and answered, when this broker keeps no users.
bool is_kept(const Call& call) {
  if (call.p.access.config().is_configured()) return true;
  call.reply(wire::kSystemError, "The authenticationMetadataProvider is not configured");
  return false;
}
void reply_done(const Call& call, const Result<void>& done) {
  if (!done) return call.reply_error(done.error());
  call.reply(wire::kSuccess);
}
void reply_found(const Call& call, bool any, std::string_view body) {
  if (!any) return call.reply(wire::kSuccess);
  call.reply_body(body);
}

// The user that the request is about, of its body and its field; nothing, and answered, when that
// cannot be.
std::optional<wire::UserInfo> asked_user(const Call& call) {
  const std::string_view name = field(call, "username");
  if (name.empty()) {
    call.reply(wire::kInvalidParameter, "The username is blank");
    return std::nullopt;
  }
  auto user = wire::decode_user(as_text(call.request.body));
  if (!user) {
    call.reply(wire::kSystemError, "the body is no user: " + user.error().text());
    return std::nullopt;
  }
  user->name = name;
  return *std::move(user);
}

// The user whose policies the request is about; nothing, and answered with `code`, when it names
// none.
std::optional<std::string_view> asked_subject(const Call& call, std::int32_t code) {
  const auto user = broker::user_of_subject(field(call, "subject"));
  if (!user) call.reply(code, "The subject is null.");
  return user;
}

}  // namespace

void handle_create_user(const Call& call) {
  const auto user = asked_user(call);
  if (!user) return;
  if (broker::is_word(user->type, "Super") && !is_asked_by_super_user(call))
    return call.reply(wire::kSystemError, "The super user can only be create by super user");
  if (broker::is_blank(user->password))
    return call.reply(wire::kNoPermission, "password can not be blank");
  if (is_kept(call)) reply_done(call, call.p.access.create_user(*user));
}

void handle_update_user(const Call& call) {
  const auto user = asked_user(call);
  if (!user) return;
  constexpr std::string_view kOnlySuper = "The super user can only be update by super user";
  const bool is_super = is_asked_by_super_user(call);
  if (broker::is_word(user->type, "Super") && !is_super)
    return call.reply(wire::kSystemError, kOnlySuper);
  if (!is_kept(call)) return;
  const auto old = call.p.access.find_user(user->name);
  if (old != nullptr && old->is_super && !is_super)
    return call.reply(wire::kNoPermission, kOnlySuper);
  reply_done(call, call.p.access.update_user(*user));
}

void handle_delete_user(const Call& call) {
  const std::string_view name = field(call, "username");
  if (broker::is_blank(name)) return call.reply(wire::kNoPermission, "username can not be blank");
  if (!is_kept(call)) return;
  const auto old = call.p.access.find_user(name);
  if (old != nullptr && old->is_super && !is_asked_by_super_user(call))
    return call.reply(wire::kNoPermission, "The super user can only be update by super user");
  reply_done(call, call.p.access.delete_user(name));
}

void handle_get_user(const Call& call) {
  const std::string_view name = field(call, "username");
  if (broker::is_blank(name)) return call.reply(wire::kInvalidParameter, "The username is blank");
  if (!is_kept(call)) return;
  const auto user = call.p.access.find_user(name);
  if (user == nullptr) return call.reply(wire::kSuccess);
  call.reply_body(wire::encode_user(broker::to_info(*user)));
}

void handle_list_users(const Call& call) {
  if (!is_kept(call)) return;
  const auto users = call.p.access.users(field(call, "filter"));
  reply_found(call, !users.empty(), wire::encode_users(users));
}

// R(3006) and R(3007) do the same: what is there stays unless it is named.
void handle_update_acl(const Call& call) {
  const auto acl = wire::decode_acl(as_text(call.request.body));
  if (!acl || acl->policies.empty())
    return call.reply(wire::kSystemError, "The body of acl is null");
  auto user = broker::user_of_subject(acl->subject);
  if (!user) user = asked_subject(call, wire::kSystemError);
  if (user && is_kept(call)) reply_done(call, call.p.access.update_acl(*user, *acl));
}

void handle_delete_acl(const Call& call) {
  const auto user = asked_subject(call, wire::kNoPermission);
  if (!user || !is_kept(call)) return;
  const std::string_view asked = field(call, "resource");
  const auto resource = broker::parse_resource(asked);
  // The reference takes a resource that is none for no resource, and deletes everything.
  if (!broker::is_blank(asked) && !resource)
    return call.reply(wire::kNoPermission, "The resource is null.");
  reply_done(call,
             call.p.access.delete_acl(*user, broker::is_word(field(call, "policyType"), "Default"),
                                      resource ? &*resource : nullptr));
}

void handle_get_acl(const Call& call) {
  const auto user = asked_subject(call, wire::kSystemError);
  if (!user || !is_kept(call)) return;
  if (call.p.access.find_user(*user) == nullptr)
    return call.reply(wire::kNoPermission, "The subject is not exist.");
  const auto acl = call.p.access.find_acl(*user);
  if (acl == nullptr) return call.reply(wire::kSuccess);
  call.reply_body(wire::encode_acl(broker::to_info(*acl, *user)));
}

void handle_list_acls(const Call& call) {
  if (!is_kept(call)) return;
  const auto acls = call.p.access.acls(field(call, "subjectFilter"), field(call, "resourceFilter"));
  reply_found(call, !acls.empty(), wire::encode_acls(acls));
}

}  // namespace mq::server

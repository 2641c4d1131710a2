#include "client/users.h"

#include "wire/codes.h"

namespace mq::client {
namespace {

Result<Reply> ask(Rpc& broker, wire::RequestCode code, const std::vector<wire::Field>& fields,
                  std::string_view body = {}) {
  return broker.ask(code, [&](std::string& out, const wire::Header& header) {
    wire::append_frame(out, header, fields, as_bytes(body));
  });
}
Result<void> done(const Result<Reply>& reply) {
  if (!reply) return Error(reply.error());
  return {};
}

}  // namespace

Result<std::vector<wire::UserInfo>> users(Rpc& broker) {
  MQ_TRY(const Reply reply, ask(broker, wire::kAuthListUser, {}));
  auto decoded = wire::decode_users(reply.body());
  if (!decoded) return std::move(decoded).error().within(broker.peer());
  return decoded;
}

Result<std::optional<wire::UserInfo>> find_user(Rpc& broker, std::string_view name) {
  MQ_TRY(const Reply reply, ask(broker, wire::kAuthGetUser, {{"username", name}}));
  if (reply.body().empty()) return std::optional<wire::UserInfo>();
  auto decoded = wire::decode_user(reply.body());
  if (!decoded) return std::move(decoded).error().within(broker.peer());
  return std::optional(*std::move(decoded));
}

Result<void> create_user(Rpc& broker, const wire::UserInfo& user) {
  return done(
      ask(broker, wire::kAuthCreateUser, {{"username", user.name}}, wire::encode_user(user)));
}
Result<void> update_user(Rpc& broker, const wire::UserInfo& user) {
  return done(
      ask(broker, wire::kAuthUpdateUser, {{"username", user.name}}, wire::encode_user(user)));
}
Result<void> delete_user(Rpc& broker, std::string_view name) {
  return done(ask(broker, wire::kAuthDeleteUser, {{"username", name}}));
}

Result<std::vector<wire::AclInfo>> acls(Rpc& broker) {
  MQ_TRY(const Reply reply, ask(broker, wire::kAuthListAcl, {}));
  auto decoded = wire::decode_acls(reply.body());
  if (!decoded) return std::move(decoded).error().within(broker.peer());
  return decoded;
}

Result<void> update_acl(Rpc& broker, const wire::AclInfo& acl) {
  return done(ask(broker, wire::kAuthUpdateAcl, {{"subject", acl.subject}}, wire::encode_acl(acl)));
}

Result<void> delete_acl(Rpc& broker, std::string_view subject, std::string_view resource) {
  std::vector<wire::Field> fields = {{"subject", subject}};
  if (!resource.empty()) fields.emplace_back("resource", resource);
  return done(ask(broker, wire::kAuthDeleteAcl, fields));
}

}  // namespace mq::client

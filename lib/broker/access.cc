#include "broker/access.h"

#include <fmt/format.h>

#include "base/log.h"
#include "broker/state_file.h"

namespace mq::broker {
namespace {

Error refused(std::string text) { return Error{Errc::kDenied, std::move(text)}; }

// What `wanted` says over what `user` is.
void apply(const wire::UserInfo& wanted, User& user) {
  if (!is_blank(wanted.password)) user.password = wanted.password;
  if (is_word(wanted.type, "Super")) user.is_super = true;
  if (is_word(wanted.type, "Normal")) user.is_super = false;
  if (is_word(wanted.status, "enable")) user.is_enabled = true;
  if (is_word(wanted.status, "disable")) user.is_enabled = false;
}

Result<User> user_from(const wire::UserInfo& wanted) {
  if (is_blank(wanted.name)) return refused("username can not be blank");
  if (is_blank(wanted.password)) return refused("password can not be blank");
  User out{.name = wanted.name, .password = {}};
  apply(wanted, out);
  return out;
}

}  // namespace

wire::UserInfo to_info(const User& user) {
  return {.name = user.name,
          .password = user.password,
          .type = user.is_super ? "Super" : "Normal",
          .status = user.is_enabled ? "enable" : "disable"};
}

Access::Access(fs::Fs& fs, const AccessConfig& config, std::string directory)
    : fs_(fs),
      config_(config),
      directory_(std::move(directory)),
      users_path_(directory_ + "/users.json"),
      acls_path_(directory_ + "/acls.json") {}

Result<void> Access::load() {
  if (!config_.is_configured()) return {};
  Users users;
  MQ_CHECK(load_state_file(fs_, users_path_, [&](std::string_view text) -> Result<void> {
    users.clear();
    MQ_TRY(const auto stored, wire::decode_users(text));
    for (const wire::UserInfo& info : stored) {
      auto user = user_from(info);
      if (!user) return Error{Errc::kCorrupt, user.error().text()};
      users[info.name] = std::make_shared<const User>(*std::move(user));
    }
    return {};
  }));
  Acls acls;
  MQ_CHECK(load_state_file(fs_, acls_path_, [&](std::string_view text) -> Result<void> {
    acls.clear();
    MQ_TRY(const auto stored, wire::decode_acls(text));
    for (const wire::AclInfo& info : stored) {
      const auto user = user_of_subject(info.subject);
      if (!user) return Error{Errc::kCorrupt, fmt::format("'{}' is no subject", info.subject)};
      Acl acl;
      if (auto done = broker::update_acl(acl, info); !done)
        return Error{Errc::kCorrupt, fmt::format("{}: {}", info.subject, done.error().text())};
      acls[std::string(*user)] = std::make_shared<const Acl>(std::move(acl));
    }
    return {};
  }));
  for (const char* const name : {"users", "acls"}) {
    const std::string theirs = directory_ + "/" + name;
    if (fs_.exists(theirs + "/CURRENT"))
      log::warn("{}: what another broker keeps there in RocksDB is not read; make it anew", theirs);
  }
  {
    const MutexLock lock(mu_);
    users_ = std::move(users);
    acls_ = std::move(acls);
  }
  const wire::UserInfo inner{
      .name = config_.inner.access_key, .password = config_.inner.secret, .type = "Super"};
  for (const wire::UserInfo& wanted : {config_.init_user, inner})
    if (!wanted.name.empty() && find_user(wanted.name) == nullptr) MQ_CHECK(create_user(wanted));
  return {};
}

Access::UserPtr Access::find_user(std::string_view name) const {
  const MutexLock lock(mu_);
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : found->second;
}
Access::AclPtr Access::find_acl(std::string_view user) const {
  const MutexLock lock(mu_);
  const auto found = acls_.find(user);
  return found == acls_.end() ? nullptr : found->second;
}
Access::Users Access::all_users() const {
  const MutexLock lock(mu_);
  return users_;
}
Access::Acls Access::all_acls() const {
  const MutexLock lock(mu_);
  return acls_;
}

Result<void> Access::commit_users(Users next) {
  std::vector<wire::UserInfo> file;
  for (const auto& [name, user] : next) file.push_back(to_info(*user));
  MQ_CHECK(fs::write_file_atomically(fs_, users_path_, wire::encode_users(file),
                                     /*keep_backup=*/true, fs::Readers::kOwner));
  const MutexLock lock(mu_);
  users_ = std::move(next);
  return {};
}
Result<void> Access::commit_acls(Acls next) {
  std::vector<wire::AclInfo> file;
  for (const auto& [user, acl] : next) file.push_back(broker::to_info(*acl, user));
  MQ_CHECK(fs::write_file_atomically(fs_, acls_path_, wire::encode_acls(file),
                                     /*keep_backup=*/true, fs::Readers::kOwner));
  const MutexLock lock(mu_);
  acls_ = std::move(next);
  return {};
}

std::vector<wire::UserInfo> Access::users(std::string_view filter) const {
  std::vector<wire::UserInfo> out;
  for (const auto& [name, user] : all_users())
    if (is_blank(filter) || name.find(filter) != std::string::npos) out.push_back(to_info(*user));
  return out;
}

Result<void> Access::create_user(const wire::UserInfo& wanted) {
  MQ_TRY(User user, user_from(wanted));
  const MutexLock writing(file_mu_);
  Users next = all_users();
  auto& place = next[user.name];
  if (place != nullptr) return refused("The user is existed");
  place = std::make_shared<const User>(std::move(user));
  return commit_users(std::move(next));
}

Result<void> Access::update_user(const wire::UserInfo& wanted) {
  const MutexLock writing(file_mu_);
  Users next = all_users();
  const auto found = next.find(wanted.name);
  if (found == next.end()) return refused("The user is not exist");
  User user = *found->second;
  apply(wanted, user);
  found->second = std::make_shared<const User>(std::move(user));
  return commit_users(std::move(next));
}

Result<void> Access::delete_user(std::string_view name) {
  const MutexLock writing(file_mu_);
  // First what the user may do: a name made anew is not to find it.
  Acls acls = all_acls();
  if (const auto found = acls.find(name); found != acls.end()) {
    acls.erase(found);
    MQ_CHECK(commit_acls(std::move(acls)));
  }
  Users next = all_users();
  const auto found = next.find(name);
  if (found == next.end()) return {};
  next.erase(found);
  return commit_users(std::move(next));
}

std::vector<wire::AclInfo> Access::acls(std::string_view subject_filter,
                                        std::string_view resource_filter) const {
  std::vector<wire::AclInfo> out;
  for (const auto& [user, acl] : all_acls()) {
    wire::AclInfo info = broker::to_info(*acl, user);
    if (!is_blank(subject_filter) && info.subject.find(subject_filter) == std::string::npos)
      continue;
    if (!is_blank(resource_filter) && info.subject.find(resource_filter) == std::string::npos) {
      for (wire::PolicyInfo& policy : info.policies) {
        std::erase_if(policy.entries, [&](const wire::PolicyEntryInfo& entry) {
          return entry.resource.find(resource_filter) == std::string::npos;
        });
      }
      std::erase_if(info.policies,
                    [](const wire::PolicyInfo& policy) { return policy.entries.empty(); });
    }
    if (!info.policies.empty()) out.push_back(std::move(info));
  }
  return out;
}

Result<void> Access::update_acl(std::string_view user, const wire::AclInfo& wanted) {
  const MutexLock writing(file_mu_);
  Acls next = all_acls();
  auto& place = next[std::string(user)];
  Acl acl = place == nullptr ? Acl() : *place;
  MQ_CHECK(broker::update_acl(acl, wanted));
  if (find_user(user) == nullptr)
    return refused(fmt::format("The subject of User:{} is not exist.", user));
  place = std::make_shared<const Acl>(std::move(acl));
  return commit_acls(std::move(next));
}

Result<void> Access::delete_acl(std::string_view user, bool in_default, const Resource* resource) {
  const MutexLock writing(file_mu_);
  if (find_user(user) == nullptr) return refused("The subject is not exist.");
  Acls next = all_acls();
  const auto found = next.find(user);
  if (found == next.end()) return refused("The acl is not exist.");
  Acl acl = *found->second;
  if (resource != nullptr) remove_entry(acl, in_default, *resource);
  if (resource == nullptr || acl.policies.empty())
    next.erase(found);
  else
    found->second = std::make_shared<const Acl>(std::move(acl));
  return commit_acls(std::move(next));
}

}  // namespace mq::broker

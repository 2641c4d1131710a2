// Users and what they may do: config/users.json and config/acls.json, arrays of what R(3004) and
// R(3009) answer, readable by their owner alone as secrets stand in them. (The reference keeps both
// in RocksDB beside them, in config/users/ and config/acls/, which is not read.)
//
// Any thread. A change is on disk (atomically, the old file as .bak) before the call returns, and
// is not made when it could not be written. Whoever looks up waits for no disk and allocates
// nothing. What is refused is kDenied, in the reference's words.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "broker/access_config.h"
#include "broker/acl.h"
#include "fs/fs.h"

namespace mq::broker {

struct User {
  std::string name;
  std::string password;
  bool is_super = false;
  bool is_enabled = true;
};

// As R(3004) answers it.
[[nodiscard]] wire::UserInfo to_info(const User& user);

class Access {
 public:
  // As they were at the moment of asking; null: there is none.
  using UserPtr = std::shared_ptr<const User>;
  using AclPtr = std::shared_ptr<const Acl>;

  // `fs` and `config` are borrowed; `directory` is the store's config/.
  Access(fs::Fs& fs, const AccessConfig& config, std::string directory);
  // Reads the files, and makes the users that the configuration names and the files do not; nothing
  // when access is not configured. Errors: kCorrupt (a file that cannot be read, nor its backup:
  // who may come in is not to be guessed), kIo, kNoSpace.
  Result<void> load();

  [[nodiscard]] const AccessConfig& config() const noexcept { return config_; }

  [[nodiscard]] UserPtr find_user(std::string_view name) const;
  // Whose name contains `filter`.
  [[nodiscard]] std::vector<wire::UserInfo> users(std::string_view filter) const;
  // Errors: kDenied, kIo, kNoSpace.
  Result<void> create_user(const wire::UserInfo& wanted);
  // What is empty, or has no meaning, stays as it is. Errors: as create_user.
  Result<void> update_user(const wire::UserInfo& wanted);
  // With the policies; fine if there is none. Errors: as create_user.
  Result<void> delete_user(std::string_view name);

  [[nodiscard]] AclPtr find_acl(std::string_view user) const;
  // Those whose subject contains the one filter, with their entries whose resource contains the
  // other (all, if the subject contains it).
  [[nodiscard]] std::vector<wire::AclInfo> acls(std::string_view subject_filter,
                                                std::string_view resource_filter) const;
  // Adds to what there is. Errors: as create_user.
  Result<void> update_acl(std::string_view user, const wire::AclInfo& wanted);
  // One entry, or without a resource everything. Errors: as create_user.
  Result<void> delete_acl(std::string_view user, bool in_default, const Resource* resource);

 private:
  using Users = std::map<std::string, UserPtr, std::less<>>;
  using Acls = std::map<std::string, AclPtr, std::less<>>;

  [[nodiscard]] Users all_users() const MQ_EXCLUDES(mu_);
  [[nodiscard]] Acls all_acls() const MQ_EXCLUDES(mu_);
  Result<void> commit_users(Users next) MQ_REQUIRES(file_mu_) MQ_EXCLUDES(mu_);
  Result<void> commit_acls(Acls next) MQ_REQUIRES(file_mu_) MQ_EXCLUDES(mu_);

  fs::Fs& fs_;
  const AccessConfig& config_;
  const std::string directory_, users_path_, acls_path_;
  Mutex file_mu_;  // one change with its write at a time; taken before mu_
  mutable Mutex mu_;
  Users users_ MQ_GUARDED_BY(mu_);
  Acls acls_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::broker

// The consumer groups that this broker knows: config/subscriptionGroup.json with the built-in
// groups, creation on first use, and what a group may not read (semantics.md 9.3, 9.4).
//
// Any thread. Every change is on disk (atomically, the old file as .bak) before the call returns; a
// change that could not be written is not made.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "broker/config.h"
#include "format/state_files.h"
#include "fs/fs.h"

namespace mq::broker {

class GroupConfigs {
 public:
  // What was known at the moment of asking; later changes make a new one.
  using Group = std::shared_ptr<const format::GroupConfig>;

  // `fs`, `clock` and `config` are borrowed and outlive this.
  GroupConfigs(fs::Fs& fs, Clock& clock, const BrokerConfig& config, std::string path);

  // Reads the file over the built-in groups. A file that cannot be read, with its backup, is an
  // error: it says which groups must not consume.
  Result<void> load();

  // Null when there is no such group.
  [[nodiscard]] Group find(std::string_view group) const;
  // The same, made with the defaults when that is allowed: autoCreateSubscriptionGroup, or
  // enableCreateSysGroup for the broker's own (CID_RMQ_SYS_). Null when it is not, when the name is
  // not one, or when the file could not be written (the log says why).
  [[nodiscard]] Group find_or_create(std::string_view group);
  [[nodiscard]] format::GroupTable all() const;

  // R(200): replaces the whole configuration. Errors: kInvalid (name, attributes: none is known),
  // kIo, kNoSpace.
  Result<void> put(format::GroupConfig config);
  // Fine if there is none. Errors: kIo, kNoSpace.
  Result<void> remove(std::string_view group);

  // What the group is forbidden on the topic: one bit a permission, as format::kPerm… has them.
  [[nodiscard]] bool is_read_forbidden(std::string_view group, std::string_view topic) const;
  // Errors: kIo, kNoSpace.
  Result<void> forbid_read(std::string_view group, std::string_view topic, bool forbidden);

 private:
  struct Table {
    std::map<std::string, Group, std::less<>> groups;
    format::GroupTable rest;  // everything of the file but the groups
  };
  using TablePtr = std::shared_ptr<const Table>;

  [[nodiscard]] TablePtr table() const;
  // Writes the table as the next version and makes it the one that counts.
  Result<void> commit(Table next) MQ_REQUIRES(change_mu_);

  fs::Fs& fs_;
  Clock& clock_;
  const BrokerConfig& config_;
  const std::string path_;
  Mutex
      change_mu_;  // one change at a time, its write to disk included; who reads never waits for it
  mutable Mutex mu_;
  TablePtr table_ MQ_GUARDED_BY(mu_) = std::make_shared<const Table>();
};

}  // namespace mq::broker

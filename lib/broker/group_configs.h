// The consumer groups that this broker knows: config/subscriptionGroup.json with the built-in
// groups, creation on first use, and what a group may not read (semantics.md 9.3, 9.4).
//
// Any thread. What an administrator changes is on disk (atomically, the old file as .bak) before
// the call returns, and is not made when it could not be written. A group made on first use is on
// disk with the next flush(): a heartbeat makes the same group again, and nobody waits for a disk
// when a thousand of them come at once. Readers never wait for a write.
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

  // Null when there is no such group. With enableLmq every name %LMQ%… is that of one with the
  // defaults, which is kept nowhere.
  [[nodiscard]] Group find(std::string_view group) const;
  // The same, made with the defaults when that is allowed: autoCreateSubscriptionGroup, or
  // enableCreateSysGroup for the broker's own (CID_RMQ_SYS_). Null when it is not, or when the name
  // is not one.
  [[nodiscard]] Group find_or_create(std::string_view group);
  // Writes the file if there are groups that are not in it.
  Result<void> flush();
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

  // Makes a change: to a copy, which is written, then to the table itself.
  template <typename Modify>
  Result<void> change(const Modify& modify) MQ_EXCLUDES(file_mu_, mu_);
  // Writes the table with `modify` done to it; returns the version that was written.
  template <typename Modify>
  Result<format::DataVersion> write(const Modify& modify) MQ_REQUIRES(file_mu_);

  fs::Fs& fs_;
  Clock& clock_;
  const BrokerConfig& config_;
  const std::string path_;
  Mutex file_mu_;  // one write at a time; taken before mu_
  mutable Mutex mu_;
  Table table_ MQ_GUARDED_BY(mu_);
  bool unwritten_ MQ_GUARDED_BY(mu_) = false;  // the table has groups that the file has not
};

}  // namespace mq::broker

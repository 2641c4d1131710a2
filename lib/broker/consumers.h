// Consumer groups as far as single consumers and tools need them: who is on line with which
// subscriptions, and the committed offsets of config/consumerOffset.json. Any thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "format/state_files.h"
#include "fs/fs.h"

namespace mq::broker {

// A tag expression, compiled: `*`, or tags by hash (semantics.md 7).
struct TagExpression {
  bool all = true;
  std::vector<std::int32_t> codes;  // sorted
  static TagExpression parse(std::string_view expression);
};

struct Subscription {
  std::string expression = "*";
  std::string type = "TAG";
  std::int64_t version = 0;
  TagExpression tags;
};

class Consumers {
 public:
  Consumers(fs::Fs& fs, Clock& clock, std::string offsets_path);
  Result<void> load();

  // A heartbeat of one client of one group: replaces the group's subscriptions that it names.
  void heartbeat(std::string_view group, std::string_view client_id, std::uint64_t connection,
                 std::map<std::string, Subscription, std::less<>> subscriptions);
  void leave(std::string_view group, std::string_view client_id);
  void connection_closed(std::uint64_t connection);
  [[nodiscard]] std::vector<std::string> client_ids(std::string_view group) const;
  [[nodiscard]] bool is_online(std::string_view group) const;
  [[nodiscard]] std::optional<Subscription> subscription(std::string_view group,
                                                         std::string_view topic) const;

  // Committed offsets; -1 when there is none.
  [[nodiscard]] std::int64_t offset(std::string_view group, std::string_view topic,
                                    std::int32_t queue) const;
  void commit(std::string_view group, std::string_view topic, std::int32_t queue,
              std::int64_t offset);
  void remove_topic(std::string_view topic);
  void remove_group(std::string_view group);
  // Writes the file if anything was committed since the last time.
  Result<void> flush();

 private:
  struct Client {
    std::uint64_t connection = 0;
    std::int64_t seen_ms = 0;
  };
  struct Group {
    std::map<std::string, Client, std::less<>> clients;
    std::map<std::string, Subscription, std::less<>> subscriptions;
  };

  fs::Fs& fs_;
  Clock& clock_;
  const std::string path_;
  mutable Mutex mu_;
  std::map<std::string, Group, std::less<>> groups_ MQ_GUARDED_BY(mu_);
  format::ConsumerOffsets offsets_ MQ_GUARDED_BY(mu_);
  bool dirty_ MQ_GUARDED_BY(mu_) = false;
};

}  // namespace mq::broker

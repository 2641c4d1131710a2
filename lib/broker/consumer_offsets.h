// How far each consumer group is in each queue: config/consumerOffset.json (store-format.md 6.6,
// semantics.md 11 and 19). Offsets are of the next message.
//
// A commit is taken as it comes: a smaller one moves the group back. Nothing here invents an
// offset: a queue without one has none. Any thread.
#pragma once

#include <functional>
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

class ConsumerOffsets {
 public:
  using ByQueue = std::map<std::int32_t, std::int64_t>;

  // With `has_light_queues` the file is lmqConsumerOffset.json beside `path`, as a stock broker has
  // it with enableLmq; while there is none, what is in `path` is taken over.
  ConsumerOffsets(fs::Fs& fs, Clock& clock, std::string path, bool has_light_queues = false);
  // A file that cannot be read, with its backup, is an error: without it every group would start
  // anew.
  Result<void> load();
  // Writes the file if anything was committed since the last time. `before_write`: what has to be
  // on disk before the offsets are; its error leaves the file as it is.
  Result<void> flush(const std::function<Result<void>()>& before_write = {});

  [[nodiscard]] std::optional<std::int64_t> find(std::string_view group, std::string_view topic,
                                                 std::int32_t queue) const;
  // Of all queues of the topic that have one.
  [[nodiscard]] ByQueue find_all(std::string_view group, std::string_view topic) const;
  // False, and nothing stored, while a reset waits for the group's next pull of that queue.
  bool commit(std::string_view group, std::string_view topic, std::int32_t queue,
              std::int64_t offset);

  // Where the group's pulls have come to, whatever it has committed; for showing alone, in memory.
  void note_pull(std::string_view group, std::string_view topic, std::int32_t queue,
                 std::int64_t next);
  [[nodiscard]] std::optional<std::int64_t> pulled(std::string_view group, std::string_view topic,
                                                   std::int32_t queue) const;

  // Sets the offsets and has the group's next pull of each queue sent there.
  void reset(std::string_view group, std::string_view topic, const ByQueue& offsets);
  [[nodiscard]] bool has_reset(std::string_view group, std::string_view topic,
                               std::int32_t queue) const;
  // The reset that waits for this queue, which is over with that.
  std::optional<std::int64_t> take_reset(std::string_view group, std::string_view topic,
                                         std::int32_t queue);

  // All offsets of the topic, from one group to another.
  void clone(std::string_view from_group, std::string_view to_group, std::string_view topic);
  void remove_topic(std::string_view topic);
  void remove_group(std::string_view group);

  [[nodiscard]] std::set<std::string> topics_of(std::string_view group) const;
  [[nodiscard]] std::set<std::string> groups_of(std::string_view topic) const;
  // Every queue's smallest offset at or behind `min_offset(queue)`, over all groups but `without`.
  [[nodiscard]] ByQueue smallest(std::string_view topic, const std::set<std::string>& without,
                                 const std::function<std::int64_t(std::int32_t)>& min_offset) const;
  [[nodiscard]] format::ConsumerOffsets all() const;

 private:
  using Table = std::map<std::string, ByQueue, std::less<>>;  // by "topic@group"
  [[nodiscard]] static std::optional<std::int64_t> find_in(const Table& table,
                                                           std::string_view group,
                                                           std::string_view topic,
                                                           std::int32_t queue);
  [[nodiscard]] std::optional<std::int64_t> reset_locked(std::string_view group,
                                                         std::string_view topic,
                                                         std::int32_t queue) const MQ_REQUIRES(mu_);
  template <typename Matches>
  void remove_if(Matches matches) MQ_REQUIRES(mu_);

  fs::Fs& fs_;
  Clock& clock_;
  const std::string path_;  // of the file without light queues
  const bool has_light_queues_;
  const std::string own_path_;
  Mutex flush_mu_;  // one flush at a time; commits go on meanwhile
  mutable Mutex mu_;
  format::ConsumerOffsets committed_ MQ_GUARDED_BY(mu_);
  bool dirty_ MQ_GUARDED_BY(mu_) = false;
  Table pulled_ MQ_GUARDED_BY(mu_);
  Table resets_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::broker

// Which records of a log a store's queues lead to, as told by where the queues begin and end; that
// each entry in between fits its record is `verify`'s to check.
#pragma once

#include <map>
#include <set>
#include <string>

#include "format/record.h"
#include "inspect/space_map.h"
#include "inspect/store_files.h"

namespace mq::inspect {

class Reach {
 public:
  // `store` may be a single file: then all records are waiting. Errors: kIo.
  static Result<Reach> read(fs::Fs& fs, const std::string& store);

  // kLive, kWaiting or kDead. Any thread.
  [[nodiscard]] SpaceKind kind_of(const format::Record& record) const;
  // The queue's bounds; null if there is no such queue.
  [[nodiscard]] const QueueBounds* bounds(std::string_view topic, std::int32_t queue) const;
  using Queues = std::map<std::int32_t, QueueBounds>;
  [[nodiscard]] const std::map<std::string, Queues, std::less<>>& topics() const { return topics_; }
  // Where the records end that are in a queue.
  [[nodiscard]] PhysicalOffset dispatched() const { return dispatched_; }

 private:
  std::map<std::string, Queues, std::less<>> topics_;
  std::set<std::string, std::less<>> batch_topics_;
  PhysicalOffset dispatched_{};
};

}  // namespace mq::inspect

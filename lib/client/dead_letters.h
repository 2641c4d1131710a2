// A group's dead letters: they lie in its topic %DLQ%GROUP, which nobody consumes. How many of them
// have been seen to is kept as the position that the brokers' own group for tools, TOOLS_CONSUMER,
// has in that topic, so every tool of every maker can see it. Errors of all: those of Rpc::ask.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/cluster.h"
#include "format/record.h"

namespace mq::client {

// One queue of such a topic, at one broker.
struct DeadQueue {
  std::string group;
  BrokerAt broker;
  std::int32_t queue = 0;
  std::int64_t begin = 0;    // the first that is kept
  std::int64_t end = 0;      // behind the last
  std::int64_t settled = 0;  // seen to before it; within begin and end

  [[nodiscard]] std::int64_t open() const noexcept { return end - settled; }
};
// Of that group, or ("") of all, by group and broker. None is no error.
Result<std::vector<DeadQueue>> dead_queues(Cluster& cluster, std::string_view group);

// Calls visit(record, its bytes) for each from queue offset `from` on, in order, until it returns
// false. The views live during the call. Errors: those of `visit`, too.
using VisitRecord = std::function<Result<bool>(const format::Record& record, Bytes bytes)>;
Result<void> each_dead_letter(Cluster& cluster, const DeadQueue& queue, std::int64_t from,
                              const VisitRecord& visit);

// Everything before `offset` has been seen to.
Result<void> settle(Cluster& cluster, const DeadQueue& queue, std::int64_t offset);

// Stores the message anew, with its ids and its number of attempts at 0: in the retry topic of its
// group, so that this group alone gets it again, or in `topic` for everybody. Where it was stored
// is acknowledged on return. Errors: kInvalid when it does not say which topic it is of.
Result<void> resend(Cluster& cluster, const DeadQueue& queue, const format::Record& record,
                    const std::string& topic);

}  // namespace mq::client

// Pops that found nothing and wait (semantics.md 17.8), by topic, group and queue; queue -1 stands
// for any. An arrival wakes one of each group. Any thread; the waiting request is a callback that
// must not block: it posts its re-run to the connection that asked.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "broker/subscription.h"
#include "store/types.h"

namespace mq::broker {

class PopPolls {
 public:
  struct Limits {
    std::int64_t each_max = 1024;    // popPollingSize: of one topic, group and queue
    std::int64_t all_max = 100'000;  // maxPopPollingSize
  };
  explicit PopPolls(const Limits& limits) : limits_(limits) {}

  struct Waiter {
    std::string topic;
    std::string group;
    QueueId queue = -1;
    std::uint64_t connection = 0;
    TagExpression tags{};
    std::shared_ptr<const store::RecordFilter> records{};  // null: no second look
    std::function<void()> wake;
  };
  // Names the waiter for take(); 0: too many wait already.
  std::uint64_t hold(Waiter waiter);
  // True when it was still waiting; then it does not wait any more, and whoever took it goes on.
  bool take(std::uint64_t id);
  // Nobody is there to answer any more.
  void connection_closed(std::uint64_t connection);

  // A record was dispatched: wakes one waiter of each group that waits for its topic, or for the
  // topic that it is a retry of, and for that queue or any. Called on the dispatch thread for every
  // record, so it costs one relaxed load while nobody waits.
  void on_arrival(const store::Arrival& arrival);
  // There is something for the group in that queue: wakes one that waits for it, and one that waits
  // for any.
  void wake(std::string_view topic, std::string_view group, QueueId queue);

  [[nodiscard]] std::size_t waiting(std::string_view topic, std::string_view group,
                                    QueueId queue) const;

 private:
  // Every so many messages one is taken to match, so that a group moves past what it does not want.
  static constexpr std::int64_t kForceEvery = 800;

  using Entry = std::pair<std::uint64_t, Waiter>;
  using Key = std::pair<std::string, QueueId>;  // group, queue
  using Waiters = std::list<Entry>;
  using ByKey = std::map<Key, Waiters>;
  using Wakes = std::vector<std::function<void()>>;

  using Topics = std::map<std::string, ByKey, std::less<>>;

  // Moves the first waiter that `wants` it out.
  template <typename Wants>
  void take_first(ByKey::iterator key, const Wants& wants, Wakes& out) MQ_REQUIRES(mu_);
  void take_for(std::string_view topic, std::string_view group, QueueId queue, Wakes& out)
      MQ_REQUIRES(mu_);
  void forget_empty(Topics::iterator topic) MQ_REQUIRES(mu_);

  const Limits limits_;
  mutable Mutex mu_;
  Topics topics_ MQ_GUARDED_BY(mu_);
  struct Place {
    std::string topic;
    Key key;
    Waiters::iterator at;
  };
  std::unordered_map<std::uint64_t, Place> places_ MQ_GUARDED_BY(mu_);
  std::uint64_t last_id_ MQ_GUARDED_BY(mu_) = 0;
  std::atomic<std::int64_t> count_{0};
};

}  // namespace mq::broker

// Pulls that found nothing and wait (semantics.md section 6). Any thread; the waiting pull itself
// is a callback that must not block: it posts its re-run to the connection that asked.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "broker/subscription.h"
#include "store/types.h"

namespace mq::broker {

struct HeldPull {
  std::uint64_t connection = 0;
  std::int64_t offset = 0;       // wanted; the pull is held while the queue ends there
  std::int64_t deadline_ms = 0;  // wall clock
  TagExpression tags;
  std::shared_ptr<const store::RecordFilter> records;  // null: no second look
  std::function<void()> wake;  // runs the pull once more, without leave to wait
};

class LongPolls {
 public:
  // `each_max`: of one connection, so that one that only asks costs bounded memory. A client waits
  // with one pull for each queue and group that it consumes.
  explicit LongPolls(std::size_t each_max = 16'384) : each_max_(each_max) {}

  // False when the connection has as many waiting as it may: then the pull does not wait.
  [[nodiscard]] bool hold(std::string_view topic, QueueId queue, HeldPull pull);

  // A record was dispatched: wakes who waits for that queue and tag, and who is past the deadline.
  // Called on the dispatch thread for every record, so it costs one relaxed load while nobody
  // waits.
  void on_arrival(const store::Arrival& arrival, std::int64_t now_ms);
  // Every few seconds: wakes who is past the deadline, and who has newer entries that did not match
  // (the pull then moves past them). `max_offset` asks the store.
  void sweep(std::int64_t now_ms,
             const std::function<std::int64_t(std::string_view, QueueId)>& max_offset);
  // The same for one queue; whoever just called hold() looks once more, as a record may have come
  // in between.
  void wake_if_newer(std::string_view topic, QueueId queue, std::int64_t now_ms,
                     std::int64_t max_offset);
  // All that wait for that queue, whatever they wait for: something else about it has changed.
  void wake_all(std::string_view topic, QueueId queue);
  // Nobody is there to answer any more: what it held is dropped.
  void connection_closed(std::uint64_t connection);
  [[nodiscard]] std::size_t held() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  struct Queue {
    std::string topic;
    QueueId id = 0;
    std::vector<HeldPull> pulls;  // never empty
  };
  using Queues = std::unordered_map<std::string, Queue>;
  struct OfConnection {
    std::size_t held = 0;
    std::map<Queue*, std::size_t> queues;  // how many in each
  };

  [[nodiscard]] const std::string& key_of(std::string_view topic, QueueId queue) MQ_REQUIRES(mu_);
  // Takes those for which `due` holds out of their queue, and the queue with the last of them.
  template <typename Due>
  void take_due(Queues::iterator at, std::vector<HeldPull>& out, Due due) MQ_REQUIRES(mu_);
  // The same for the queue of that name, and wakes them.
  template <typename Due>
  void wake_due(std::string_view topic, QueueId queue, Due due) MQ_EXCLUDES(mu_);
  void release(std::uint64_t connection, Queue* queue) MQ_REQUIRES(mu_);

  const std::size_t each_max_;
  mutable Mutex mu_;
  std::string key_ MQ_GUARDED_BY(mu_);  // of the look-up under way: no allocation for each record
  Queues queues_ MQ_GUARDED_BY(mu_);
  std::unordered_map<std::uint64_t, OfConnection> connections_ MQ_GUARDED_BY(mu_);
  std::atomic<std::size_t> count_{0};
};

}  // namespace mq::broker

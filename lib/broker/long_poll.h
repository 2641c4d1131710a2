// Pulls that found nothing and wait (semantics.md section 6). Any thread; the waiting pull itself
// is a callback that must not block: it posts its re-run to the connection that asked.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
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
  std::int64_t offset = 0;       // wanted; the pull is held while the queue ends there
  std::int64_t deadline_ms = 0;  // wall clock
  TagExpression tags;
  std::shared_ptr<const store::RecordFilter> records;  // null: no second look
  std::function<void()> wake;  // runs the pull once more, without leave to wait
};

class LongPolls {
 public:
  void hold(std::string_view topic, QueueId queue, HeldPull pull);

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
  [[nodiscard]] std::size_t held() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  struct QueueKey {
    std::string topic;
    QueueId queue;
  };
  [[nodiscard]] static std::string key_of(std::string_view topic, QueueId queue);

  mutable Mutex mu_;
  std::unordered_map<std::string, std::pair<QueueKey, std::vector<HeldPull>>> held_
      MQ_GUARDED_BY(mu_);
  std::atomic<std::size_t> count_{0};
};

}  // namespace mq::broker

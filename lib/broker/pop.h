// Pop consumption (semantics.md 17): messages are handed out queue by queue for a time, without an
// assignment of queues to members, and come again through a retry topic unless they are
// acknowledged. What has been handed out stands in the log (PopLog); a pop in order has its own
// book (PopOrders).
//
// The group's offset moves when messages are handed out, and only behind their checkpoint. Times
// are handed in: milliseconds since 1970. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config.h"
#include "broker/consumer_offsets.h"
#include "broker/pop_log.h"
#include "broker/pop_orders.h"
#include "broker/pop_queue_locks.h"
#include "broker/stats.h"
#include "broker/topics.h"
#include "store/message_store.h"
#include "wire/pop.h"

namespace mq::broker {

class Pop {
 public:
  // All borrowed.
  struct Parts {
    store::MessageStore& store;
    Topics& topics;
    ConsumerOffsets& offsets;
    PopOrders& orders;
    PopLog& log;
    const BrokerConfig& config;
    Stats* stats = nullptr;                 // may be null
    std::function<std::uint32_t()> random;  // uniform; any thread
  };
  explicit Pop(Parts parts) : p_(std::move(parts)) {}

  // The topic exists and may be read, and has that queue.
  struct Ask {
    std::string_view group;
    std::string_view topic;
    QueueId queue = -1;  // -1: any
    std::int32_t count_max = 32;
    std::int64_t invisible_ms = 60'000;
    bool from_max = false;  // where a new group starts
    bool order = false;
    std::string_view attempt_id{};
    store::TagFilter tags{};
    const store::RecordFilter* records = nullptr;
  };
  struct Popped {
    wire::PopResponse answer;
    std::vector<store::SegmentView> spans;  // records back to back
    std::int64_t bytes = 0;
    std::int32_t count = 0;
  };
  Popped pop(const Ask& ask, std::int64_t now_ms);
  // R(200052): what the next pop would find, without taking it.
  Popped peek(const Ask& ask);

  // Would a pop find something, as far as offsets tell? `attempt_id`, of a pop in order.
  [[nodiscard]] bool has_messages(std::string_view group, std::string_view topic, QueueId queue,
                                  bool order, std::string_view attempt_id, std::int64_t now_ms);

  // One message or several of one pop, by where they are stored (a retry topic by its own name).
  struct Receipt {
    std::string_view group;
    std::string_view topic;
    std::string_view broker;
    QueueId queue = 0;
    std::int64_t start = 0;
    std::int64_t pop_ms = 0;
    std::int64_t invisible_ms = 0;
    std::int32_t revive_queue = 0;
    std::vector<std::int64_t> offsets;
  };
  // What became of an acknowledgement.
  struct Noted {
    bool legal = true;                    // false: no such message was popped (in order)
    bool free = false;                    // the group may pop from the queue in order again
    std::optional<store::PutResult> put;  // may have been refused; nothing: nothing happened
  };
  Noted acknowledge(const Receipt& receipt, bool batch, std::int64_t now_ms);

  // What the message's handle says from now on.
  struct Changed {
    std::int64_t pop_ms = 0;
    std::int64_t invisible_ms = 0;
    store::PutResult put;  // when it is not stored, all is as it was
  };
  Changed change_invisible(const Receipt& receipt, std::int64_t invisible_ms, std::int64_t now_ms);

  // Has anything been popped since the last call?
  bool take_popped() noexcept { return popped_.exchange(false); }

  // Is that a queue that checkpoints may wait in?
  [[nodiscard]] bool is_revive_queue(std::int32_t queue) const;
  // The retry topics that the group's messages of the topic may be in, the one that is written
  // first.
  [[nodiscard]] std::vector<std::string> retry_topics(std::string_view group,
                                                      std::string_view topic) const;

 private:
  struct Run;  // one pop under way
  [[nodiscard]] std::string retry_topic(const Ask& ask, std::uint32_t chance) const;
  void pop_topic(Run& run, std::string_view topic, std::int32_t queues);
  void pop_queue(Run& run, std::string_view topic, QueueId queue);
  [[nodiscard]] std::int64_t begin_of(const Ask& ask, std::string_view topic, QueueId queue,
                                      bool may_commit);
  [[nodiscard]] std::int64_t first_offset(const Ask& ask, std::string_view topic, QueueId queue);
  [[nodiscard]] store::GetResult read(const Run& run, std::string_view topic, QueueId queue,
                                      std::int64_t offset);
  bool note(Run& run, std::string_view topic, QueueId queue, std::int64_t start,
            const std::vector<std::int64_t>& offsets, std::int64_t next);
  void add(Run& run, std::string_view topic, QueueId queue, std::int64_t start,
           std::vector<std::int64_t> offsets, store::GetResult& got);
  [[nodiscard]] bool queue_has_messages(std::string_view group, std::string_view topic,
                                        QueueId queue) const;

  const Parts p_;
  PopQueueLocks locks_;
  std::atomic<std::uint32_t> next_revive_queue_{0};
  std::atomic<bool> popped_{false};
};

// The numbers in that queue of records back to back.
[[nodiscard]] std::vector<std::int64_t> queue_offsets(const std::vector<store::SegmentView>& spans,
                                                      std::string_view topic, QueueId queue);

}  // namespace mq::broker

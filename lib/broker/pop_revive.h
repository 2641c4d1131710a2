// What was popped and not acknowledged in time comes again (semantics.md 17.6): reads the queues of
// the revive topic, where the timer puts checkpoints when they are nearly due, and acknowledgements
// behind them; copies what is left of a checkpoint that is due to the group's retry topic.
//
// A state machine: it is handed the time, and one thread at a time uses it, the thread that turns
// the timer. A checkpoint counts as due only when every acknowledgement that the log held at its
// due time has been read, however far the timer lags: see Fence.
//
// How far each queue is done stands with the consumer offsets, under CID_RMQ_SYS_REVIVE_GROUP, as
// the last offset that is done (not the next one). After a crash it is behind; so that nothing
// comes again that came before, what was copied is acknowledged in the revive queue itself.
//
// Memory: checkpoints that are nearly due, `checkpoints_max` at most; with more than that, those
// that wait longest are taken as due by the times in the queue, as the reference does.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/consumer_offsets.h"
#include "broker/group_configs.h"
#include "broker/pop_log.h"
#include "broker/put_copy.h"
#include "broker/stats.h"
#include "broker/topics.h"
#include "format/pop_records.h"
#include "store/message_store.h"

namespace mq::broker {

class PopRevive {
 public:
  struct Options {
    store::MessageStore& store;  // borrowed, as all references
    Topics& topics;
    GroupConfigs& groups;
    ConsumerOffsets& offsets;
    PopLog& log;
    Stats* stats = nullptr;  // may be null
    format::Host store_host;
    bool retry_topic_v2 = false;   // enableRetryTopicV2
    bool drop_unreadable = false;  // skipWhenCKRePutReachMaxTimes
    std::size_t checkpoints_max = 200'000;
    // Of the timer: slots before `read_ms` have been delivered; messages not taken in yet.
    struct TimerState {
      std::int64_t read_ms = 0;
      std::int64_t queue_behind = 0;
    };
    std::function<TimerState()> timer;
  };
  explicit PopRevive(Options options) : o_(std::move(options)) {}

  // `crashed`: what the queues' ends tell of before is looked at first.
  void open(bool crashed, std::int64_t now_ms);

  // Reads what is new and copies what is due, about `budget` messages. Returns when to come again:
  // `now_ms` or little more if there is more to do, INT64_MAX if nothing waits (then a message in
  // the revive topic is the next thing to come for). Called after the timer's own step.
  std::int64_t step(std::int64_t now_ms, std::int64_t budget);

  struct State {
    std::int64_t waiting = 0;        // checkpoints read and not done
    std::int64_t revived_total = 0;  // messages
  };
  [[nodiscard]] State state() const noexcept { return {waiting_, revived_total_}; }

 private:
  struct Waiting {
    format::PopCheckpoint checkpoint;
    std::uint32_t acked = 0;  // by index
    bool done = false;
  };
  struct Queue {
    QueueId id = 0;
    QueueOffset next{};           // not read yet
    std::deque<Waiting> waiting;  // in the order of the queue, up to the first that is not done
    std::map<format::PopId, Waiting*> by_id;
    std::set<std::pair<std::int64_t, Waiting*>> by_due;
    std::map<format::PopId, std::vector<std::int64_t>> early;  // acknowledged before it was seen
    std::int64_t seen_due_ms = 0;                              // latest due time that was read
    std::int64_t committed = -1;                               // last offset done
  };
  // Draws the line up to which due checkpoints are due for certain. Phases, each waiting for the
  // one before: what the log held when it began is dispatched; the timer has taken all of that in
  // and delivered what is due; what it delivered is dispatched. Then what the queues hold is read.
  struct Fence {
    enum class Phase : std::uint8_t { kIdle, kDispatch, kTimer, kDelivered } phase = Phase::kIdle;
    std::int64_t time_ms = 0;
    PhysicalOffset log_end{};
  };
  enum class Copied : std::uint8_t { kDone, kLater };

  void look_back(Queue& queue);
  bool read(Queue& queue, std::int64_t& budget);
  void take(Queue& queue, const format::Record& record);
  void take_checkpoint(Queue& queue, format::PopCheckpoint checkpoint);
  void take_ack(Queue& queue, const format::PopAck& ack);
  void acknowledge(Queue& queue, Waiting& waiting, std::int64_t offset);
  void finish(Queue& queue, Waiting& waiting);
  void commit(Queue& queue);
  bool move_fence(std::int64_t now_ms);
  [[nodiscard]] bool all_read() const;
  Copied revive_due(Queue& queue, std::int64_t now_ms, std::int64_t& budget);
  Copied revive(Queue& queue, Waiting& waiting, std::int64_t now_ms);
  Copied revive_one(const format::PopCheckpoint& checkpoint, std::int64_t offset,
                    const std::string& retry_topic, bool& unreadable);
  Copied put_off(Queue& queue, const format::PopCheckpoint& checkpoint, std::int64_t offset,
                 std::int64_t now_ms);
  [[nodiscard]] std::int64_t due_line(const Queue& queue) const;
  [[nodiscard]] std::int64_t next_due_ms() const;

  const Options o_;
  std::vector<Queue> queues_;
  Fence fence_;
  std::int64_t horizon_ms_ = 0;  // checkpoints up to it are due for certain
  std::int64_t waiting_ = 0;
  std::int64_t revived_total_ = 0;
  std::int64_t early_until_ms_ = 0;  // 0: nothing is kept any more
  std::int64_t opened_ms_ = 0;
  std::int64_t not_before_ms_ = 0;  // a refused put is not tried again before it
};

}  // namespace mq::broker

// Pop in order (semantics.md 17.7): which messages of a queue a group has and has not acknowledged,
// so that it gets no others before it is done with them: config/consumerOrderInfo.json.
//
// A state machine, handed the time. Any thread; but what belongs together (a pop, an
// acknowledgement with the offset that follows from it) is done under the lock of the queue
// (PopQueueLocks).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "format/pop_state.h"
#include "fs/fs.h"
#include "wire/pop.h"

namespace mq::broker {

class PopOrders {
 public:
  static constexpr std::int64_t kUnusedMs = 86'400'000;  // then a queue is forgotten

  PopOrders(fs::Fs& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  // Errors: kCorrupt (neither file nor backup can be read), kIo.
  Result<void> load();
  // Writes the file if something changed since. Errors: kNoSpace, kIo.
  Result<void> flush();

  struct Queue {
    std::string_view topic;
    std::string_view group;
    std::int32_t id = 0;
  };

  // Must the group wait before it may pop from that queue? Not the attempt that has the messages
  // already: its answer was lost. `invisible_ms`: for queues of which that is not known.
  [[nodiscard]] bool is_blocked(const Queue& queue, std::string_view attempt_id,
                                std::int64_t invisible_ms, std::int64_t now_ms) const;
  // What was popped, in place of what was there; returns how often each was handed out before.
  wire::PopCounts popped(const Queue& queue, std::string_view attempt_id, std::int64_t pop_ms,
                         std::int64_t invisible_ms, const std::vector<std::int64_t>& offsets);

  enum class Acked : std::uint8_t {
    kYes,
    kOther,    // another pop has been since: nothing happens
    kUnknown,  // no such message was popped, as far as is known
  };
  struct Ack {
    Acked what = Acked::kUnknown;
    std::int64_t next = 0;  // kYes: the first message that is not acknowledged
  };
  // `next`: the group's offset. Of a pop of which nothing is known that message alone counts.
  Ack acknowledge(const Queue& queue, std::int64_t offset, std::int64_t pop_ms,
                  std::optional<std::int64_t> next);
  // Without effect when another pop has been since.
  void set_visible(const Queue& queue, std::int64_t offset, std::int64_t pop_ms,
                   std::int64_t visible_ms);
  // The group may pop again at once, from wherever its offset is.
  void clear(const Queue& queue);
  // The same if everything that was popped lies before `offset`.
  void forget_before(const Queue& queue, std::int64_t offset);
  void remove_topic(std::string_view topic);
  void remove_group(std::string_view group);

  // Calls free(topic, group, queue id) for every queue that became free by time alone; returns when
  // to come again, INT64_MAX if nothing waits. Forgets what was not used for a day.
  using Free = std::function<void(std::string_view, std::string_view, std::int32_t)>;
  std::int64_t step(std::int64_t now_ms, const Free& free);

 private:
  using Key = std::pair<std::string, std::int32_t>;  // topic@group, queue
  [[nodiscard]] const format::OrderInfo* find(const Queue& queue) const MQ_REQUIRES(mu_);
  [[nodiscard]] format::OrderInfo* find(const Queue& queue) MQ_REQUIRES(mu_);
  void watch(const Queue& queue, const format::OrderInfo& info) MQ_REQUIRES(mu_);
  void forget_unused(std::int64_t now_ms) MQ_REQUIRES(mu_);
  template <typename Matches>
  void remove_if(Matches matches) MQ_REQUIRES(mu_);

  fs::Fs& fs_;
  const std::string path_;
  Mutex flush_mu_;
  mutable Mutex mu_;
  format::OrderTable table_ MQ_GUARDED_BY(mu_);
  bool dirty_ MQ_GUARDED_BY(mu_) = false;
  // When to look whether a queue is free: once for each, at the latest when it is.
  std::set<std::pair<std::int64_t, Key>> looks_ MQ_GUARDED_BY(mu_);
  std::map<Key, std::int64_t> look_at_ MQ_GUARDED_BY(mu_);
  std::int64_t cleaned_ms_ MQ_GUARDED_BY(mu_) = 0;
};

}  // namespace mq::broker

// Asks producers about half messages that nobody has ended (semantics.md 16.4), with the
// reference's schedule and limits: rounds at an interval, each half message from its time out on,
// not more often than transactionCheckMax; then it goes to TRANS_CHECK_MAX_TIME_TOPIC. With each
// check the half message is written anew, with one check more, and the queue moves on; so the
// offsets of group CID_RMQ_SYS_TRANS in consumerOffset.json say what a broker has to look at, ours
// or another.
//
// A state machine: it is handed the time, one thread at a time uses it, and a round is walked in
// steps. The offsets move only when what was written anew is on disk. Where a crash comes between
// the two, or has lost a completion, the log itself tells: a half message is passed over when it
// has been committed or given up, or a later copy of it is in the queue. So nobody is asked about
// what is committed, and nothing delivered for it once more.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "broker/consumer_offsets.h"
#include "broker/durable_mark.h"
#include "broker/half_done.h"
#include "broker/open_transactions.h"
#include "broker/topics.h"
#include "format/record.h"
#include "store/message_store.h"

namespace mq::broker {

class TransactionChecks {
 public:
  // A producer of `group` is to be asked. `half`: with its own topic and queue, and the offsets of
  // the new copy. Valid during the call.
  struct Question {
    std::string_view group;
    const format::Record& half;
  };
  struct Options {
    store::MessageStore& store;  // all borrowed
    Topics& topics;              // TRANS_CHECK_MAX_TIME_TOPIC is made when it is needed
    ConsumerOffsets& offsets;
    HalfDone& done;
    OpenTransactions& open;
    std::function<void(const Question&)> ask;
    std::int64_t timeout_ms = 6000;               // transactionTimeOut
    std::int32_t checks_max = 15;                 // transactionCheckMax
    std::int64_t interval_ms = 30'000;            // transactionCheckInterval
    std::int64_t reserved_ms = 72LL * 3'600'000;  // fileReservedTime: older ones are given up
  };
  explicit TransactionChecks(Options options);

  // Before the first half message is taken or ended.
  void load(std::int64_t now_ms);

  // Looks at half messages, at most `budget` of them. Returns when to come again; `now_ms` when the
  // budget was not enough.
  std::int64_t step(std::int64_t now_ms, std::int64_t budget);
  // The offsets as far as this has come, at a stop. Everything written anew must be on disk
  // (MessageStore::sync()).
  void save();

 private:
  // A walk through one queue of half messages.
  struct Round {
    QueueId queue = 0;
    std::int64_t started_ms = 0;
    QueueOffset next{};      // the half message to look at
    QueueOffset first_op{};  // of the completions that are not all behind `next`
    // Completions read: where, and the last half message that each speaks of.
    std::deque<std::pair<QueueOffset, std::int64_t>> ops;
    PhysicalOffset written_end{};  // behind what this has written anew
  };
  enum class Verdict : std::uint8_t { kPassed, kEnd };

  [[nodiscard]] QueueOffset offset_of(std::string_view topic, QueueId queue) const;
  void begin(QueueId queue, std::int64_t now_ms);
  void read_completions(Round& round);
  bool walk(Round& round, std::int64_t now_ms, std::int64_t& budget);
  Verdict look_at(Round& round, const format::Record& half, std::int64_t now_ms);
  Verdict wait_out(Round& round, const format::Record& half);
  Verdict check(Round& round, const format::Record& half);
  Verdict give_up(Round& round, const format::Record& half, std::int64_t now_ms);
  [[nodiscard]] store::PutResult put_anew(Round& round, const format::Record& half,
                                          std::string_view topic, std::string_view properties);
  [[nodiscard]] bool is_decided(const format::Record& half) const;
  void end_round();
  void write_offsets();

  const Options options_;
  std::int64_t due_ms_ = 0;
  std::deque<QueueId> queues_;  // still to be walked this time
  std::optional<Round> round_;  // under way, or done and waiting for the disk
  DurableMark mark_;
};

}  // namespace mq::broker

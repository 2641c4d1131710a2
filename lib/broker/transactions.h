// How a transaction ends (semantics.md 16.2): a half message becomes the message that it stands
// for, or is done with. Any thread; the time is handed in.
//
// As in the reference, nothing here minds whether a half message has been ended before: each commit
// of the same one stores another copy.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/half_done.h"
#include "broker/open_transactions.h"
#include "broker/postpone.h"
#include "broker/stats.h"
#include "format/record.h"
#include "store/message_store.h"

namespace mq::broker {

class Transactions {
 public:
  struct Options {
    store::MessageStore& store;  // all borrowed
    HalfDone& done;
    OpenTransactions& open;
    Stats* stats = nullptr;  // a commit counts as a put to the real topic; may be null
    PostponeRules postpone;
    std::int64_t timeout_ms = 6000;  // transactionTimeOut
  };
  explicit Transactions(const Options& options) : options_(options) {}

  // A half message has been stored for that topic.
  void prepared(std::string_view topic, std::int64_t now_ms);

  struct End {
    std::string_view group;  // of the producer
    PhysicalOffset at;       // of the half message
    QueueOffset half;        // and in its queue
    bool commit = false;
    bool from_check = false;  // it is the answer to a check
  };
  enum class Status : std::uint8_t {
    kDone,
    kNotFound,     // no half message there
    kWrongGroup,   // it is another group's
    kWrongOffset,  // it is another one of its queue
    kTooLate,      // the next check decides (CHECK_IMMUNITY_TIME_IN_SECONDS)
    kIllegal,      // it cannot be delivered as it is: `reason`
    kNotStored,    // the store took nothing: `put`
  };
  struct Ended {
    Status status = Status::kNotFound;
    bool wait = false;       // the message is to be on disk, where the broker waits for it
    store::PutResult put{};  // of a commit
    std::string reason{};
  };
  Ended end(const End& end, std::int64_t now_ms);

  // R(323): has the producer asked again about a half message, from the first time on; `at` is
  // where it lies now, for one that was given up in TRANS_CHECK_MAX_TIME_TOPIC.
  Ended resume(PhysicalOffset at, std::int64_t now_ms);

 private:
  Ended commit(const format::Record& half, PhysicalOffset at, std::int64_t now_ms);
  Ended finish(const format::Record& half, std::int64_t now_ms);

  const Options options_;
};

}  // namespace mq::broker

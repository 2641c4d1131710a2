// Puts what pop consumption has to remember into the log: checkpoints and acknowledgements, as
// messages for the revive topic that wait in the timer until they are wanted (semantics.md 17.3).
// Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "broker/postpone.h"
#include "format/pop_records.h"
#include "format/record.h"
#include "store/message_store.h"

namespace mq::broker {

class PopLog {
 public:
  // What the reference has between a checkpoint and what acknowledges it: the one always comes out
  // of the timer before the other.
  static constexpr std::int64_t kAheadMs = 1000;

  // `store` and `rules` are borrowed.
  PopLog(store::MessageStore& store, const PostponeRules& rules, std::string_view cluster,
         const format::Host& store_host)
      : store_(store),
        rules_(rules),
        topic_(std::string(format::kReviveTopicPrefix).append(cluster)),
        host_(store_host) {}

  [[nodiscard]] const std::string& topic() const noexcept { return topic_; }

  store::PutResult put_checkpoint(const format::PopCheckpoint& checkpoint, QueueId revive_queue,
                                  std::int64_t now_ms);
  // `due_ms`: of the checkpoint that it acknowledges.
  store::PutResult put_ack(const format::PopAck& ack, std::int64_t due_ms, bool batch,
                           QueueId revive_queue, std::int64_t now_ms);
  // Into the revive queue at once, so that whoever reads it again knows.
  store::PutResult put_done(const format::PopAck& ack, QueueId revive_queue, std::int64_t now_ms);

 private:
  store::PutResult put(std::string_view tag, const std::string& key, const std::string& body,
                       std::int64_t at_ms, QueueId revive_queue, std::int64_t now_ms);

  store::MessageStore& store_;
  const PostponeRules& rules_;
  const std::string topic_;
  const format::Host host_;
};

}  // namespace mq::broker

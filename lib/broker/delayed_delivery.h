// The classic delay levels (semantics.md 14): delivers what waits in the queues of
// SCHEDULE_TOPIC_XXXX when it is due, and keeps config/delayOffset.json as the reference has it, so
// that a store with pending messages can be taken over either way.
//
// A state machine: it is handed the time, and one thread at a time uses it. A message is never
// delivered before the due time that its queue entry holds. An offset gets into the file only when
// the copies it stands for are on disk: after a crash or a power cut, some messages may be
// delivered again, none is lost.
//
// A due time much further away than the delay of its level (the clock was set back, or the store
// comes from a machine whose clock is ahead) counts as the level's delay from when it is first
// seen.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "broker/durable_mark.h"
#include "broker/stats.h"
#include "format/consume_queue_entry.h"
#include "format/delay_levels.h"
#include "format/state_files.h"
#include "fs/fs.h"
#include "store/message_store.h"

namespace mq::broker {

class DelayedDelivery {
 public:
  struct Options {
    store::MessageStore& store;  // borrowed, as the two below
    fs::Fs& fs;
    Stats* stats = nullptr;  // deliveries count as puts to the real topic; may be null
    std::string path;        // config/delayOffset.json
    format::DelayLevels levels;
    std::int64_t flush_interval_ms = 10'000;  // flushDelayOffsetInterval
  };
  explicit DelayedDelivery(Options options);

  // Reads the file; offsets outside their queue are moved into it. Errors: kCorrupt (neither file
  // nor backup can be read), kIo.
  Result<void> load(std::int64_t now_ms);

  // Delivers what is due, at most `budget` messages, and writes the file when it is time. Returns
  // when to come again: `now_ms` if the budget was not enough, INT64_MAX if nothing waits (then a
  // new message in a queue of the topic is the next thing to come for).
  std::int64_t step(std::int64_t now_ms, std::int64_t budget);

  // Writes the file if something changed. Everything delivered must be on disk
  // (MessageStore::sync()). Errors: kNoSpace, kIo.
  Result<void> save(std::int64_t now_ms);

  [[nodiscard]] std::int64_t delivered_total() const noexcept { return delivered_total_; }

 private:
  struct Level {
    std::int32_t number = 1;
    QueueOffset next{};                            // of the first message not delivered yet
    std::vector<format::ConsumeQueueEntry> ahead;  // entries from `next` on, as read
    std::size_t ahead_at = 0;
    std::int64_t not_before_ms = 0;  // a refused put is not tried again before it
    // Entries before `capped_below` are due at `capped_ms` at the latest.
    std::int64_t capped_ms = 0;
    QueueOffset capped_below{};

    [[nodiscard]] QueueId queue() const noexcept { return number - 1; }
  };
  enum class Done : std::uint8_t { kDelivered, kPassedOver, kLater };

  std::int64_t step(Level& level, std::int64_t now_ms, std::int64_t& budget);
  bool read_ahead(Level& level);
  [[nodiscard]] std::int64_t due_ms(Level& level, const format::ConsumeQueueEntry& entry,
                                    std::int64_t now_ms);
  Done deliver(const Level& level, const format::ConsumeQueueEntry& entry);
  void flush(std::int64_t now_ms);
  Result<void> write(std::map<std::int32_t, std::int64_t> offsets, std::int64_t now_ms);
  [[nodiscard]] std::map<std::int32_t, std::int64_t> offsets() const;

  const Options options_;
  std::vector<Level> levels_;
  std::size_t first_level_ = 0;
  format::DelayOffsets file_;  // as on disk
  PhysicalOffset delivered_end_{};
  std::int64_t delivered_total_ = 0;

  std::int64_t flushed_ms_ = 0;
  DurableMark mark_;
  std::map<std::int32_t, std::int64_t> marked_;  // what to write when mark_ is reached
};

}  // namespace mq::broker

// What pop consumption leaves in the log, in the queues of rmq_sys_REVIVE_LOG_<cluster>: a
// checkpoint for what one pop took out of one queue, and acknowledgements of it, each the JSON body
// of a message whose tag says what it is (semantics.md 17.3). Values to text and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mq::format {

inline constexpr std::string_view kCheckpointTag = "ck";
inline constexpr std::string_view kAckTag = "ack";
inline constexpr std::string_view kBatchAckTag = "bAck";
inline constexpr std::string_view kReviveTopicPrefix = "rmq_sys_REVIVE_LOG_";
inline constexpr std::string_view kReviveGroup = "CID_RMQ_SYS_REVIVE_GROUP";
// In place of a revive queue: what was popped in order is remembered otherwise.
inline constexpr std::int32_t kOrderedReviveQueue = 999;

// Which pop of which queue: what a checkpoint and its acknowledgements have in common.
struct PopId {
  std::string topic;  // as stored: a retry topic by its own name
  std::string group;
  std::string broker;
  std::int32_t queue = 0;
  std::int64_t start = 0;   // queue offset that the pop began at
  std::int64_t pop_ms = 0;  // when, by the broker's clock
  // NOLINTNEXTLINE(modernize-use-nullptr): nothing here is written out
  friend auto operator<=>(const PopId&, const PopId&) = default;
};

struct PopCheckpoint {
  PopId id;
  std::int64_t invisible_ms = 0;
  std::int64_t revive_offset = 0;     // where it was seen; 0 as written
  std::vector<std::int32_t> diffs{};  // messages: offset - id.start; empty: `count` in a row
  std::int32_t count = 0;             // messages
  std::int32_t bits = 0;              // acknowledged, by index
  std::int32_t put_again_times = 0;   // it was put off, as a message could not be read
  // When what is not acknowledged comes again. The sum of any two 64-bit numbers, held in range.
  [[nodiscard]] std::int64_t due_ms() const noexcept;
  [[nodiscard]] std::int64_t offset_at(std::int32_t index) const noexcept;
  [[nodiscard]] std::optional<std::int32_t> index_of(std::int64_t offset) const noexcept;
  // Behind its last message.
  [[nodiscard]] std::int64_t end() const noexcept;
  friend bool operator==(const PopCheckpoint&, const PopCheckpoint&) = default;
};
// Errors: kCorrupt; a checkpoint of no messages, or of more than its bits can tell apart, among
// them.
Result<PopCheckpoint> parse_pop_checkpoint(std::string_view body);
[[nodiscard]] std::string encode_pop_checkpoint(const PopCheckpoint& checkpoint);
// The UNIQ_KEY that the reference gives its message.
[[nodiscard]] std::string unique_key(const PopCheckpoint& checkpoint);

struct PopAck {
  PopId id;
  std::vector<std::int64_t> offsets;
  friend bool operator==(const PopAck&, const PopAck&) = default;
};
// Either form: one offset (`ao`) or a list (`aol`). Errors: kCorrupt.
Result<PopAck> parse_pop_ack(std::string_view body);
// The form of one offset when there is one and `batch` is not set; the tag is then kAckTag.
[[nodiscard]] std::string encode_pop_ack(const PopAck& ack, bool batch);
[[nodiscard]] std::string unique_key(const PopAck& ack, bool batch);

}  // namespace mq::format

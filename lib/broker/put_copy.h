// Appends a copy of a record that is in the log already: how a message that was put aside gets to
// where it was meant, or back to its consumers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "format/record.h"
#include "store/message_store.h"

namespace mq::broker {

// What of the copy differs from the record.
struct CopyTo {
  std::string_view topic;
  QueueId queue_id = 0;
  std::string_view properties;
  std::optional<std::int32_t> reconsume_times = std::nullopt;
  std::optional<format::Host> store_host = std::nullopt;
};
// Body, flag, sysFlag, born time and hosts are the record's. Any thread.
store::PutResult put_copy(store::MessageStore& store, const format::Record& record,
                          const CopyTo& to);

// Where a message that waits in a system topic is to go: REAL_TOPIC and REAL_QID of its properties.
// Nothing when one is missing or makes no sense.
struct RealTarget {
  std::string_view topic;
  QueueId queue_id = 0;
};
[[nodiscard]] std::optional<RealTarget> real_target(std::string_view properties) noexcept;

// What became of such a put.
enum class CopyOutcome : std::uint8_t {
  kStored,
  kLater,  // the store takes nothing now: the same again in a moment
  kNever,  // it would be refused each time
};
[[nodiscard]] CopyOutcome outcome_of(store::PutStatus status) noexcept;

}  // namespace mq::broker

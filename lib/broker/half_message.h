// What a half message is made of: a message of a transaction that is not decided yet waits in a
// system topic under its own properties (semantics.md 16.1). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "broker/asked.h"

namespace mq::broker {

// The consumer group whose offsets say how far half messages and completions have been gone through
// (16.4), in consumerOffset.json as all others.
inline constexpr std::string_view kTransactionGroup = "CID_RMQ_SYS_TRANS";
inline constexpr QueueId kHalfQueue = 0;

// Is it to be stored as a half message? A retry with a delay is not, whatever it says: consumers
// older than 4.6.1 send such back with the properties of the first message.
[[nodiscard]] bool is_half(const Asked& asked, std::int32_t reconsume_times) noexcept;
// Where it belongs and whose transaction it is goes into the properties.
void make_half(std::string& properties, std::string_view topic, QueueId queue_id);

// How long after its birth the producer is not asked about it, when it says so itself
// (CHECK_IMMUNITY_TIME_IN_SECONDS); nothing when it does not. `timeout_ms`: the broker's
// (transactionTimeOut), in place of what is no number.
[[nodiscard]] std::optional<std::int64_t> immunity_ms(std::string_view properties,
                                                      std::int64_t timeout_ms) noexcept;
// For how long after its birth the producer itself may still end it (not as the answer to a check);
// nothing: for ever. Not shorter than `timeout_ms`.
[[nodiscard]] std::optional<std::int64_t> ends_within_ms(std::string_view properties,
                                                         std::int64_t timeout_ms) noexcept;

// How many checks it has been through; 0 when it does not say.
[[nodiscard]] std::int32_t checks_of(std::string_view properties) noexcept;
// The half queue's offset that its first copy had, when this is a copy that waits out its immunity.
[[nodiscard]] std::optional<QueueOffset> first_half_offset(std::string_view properties) noexcept;

}  // namespace mq::broker

// Attributes of topics (semantics.md 1.6) and what they say of messages (section 3).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "broker/asked.h"

namespace mq::broker {

// Applies "+key=value,-key" to what a topic has; of several faults one is told, in the words of the
// reference. `stored` is untouched then. Errors: kDenied (MIXED, where that is not taken), kInvalid
// (all others).
Result<void> change_attributes(std::map<std::string, std::string>& stored, std::string_view changes,
                               bool creating, bool mixed_allowed);

enum class MessageType : std::uint8_t {
  kUnspecified,
  kNormal,
  kFifo,
  kDelay,
  kTransaction,
  kMixed,
};
[[nodiscard]] std::string_view name_of(MessageType type) noexcept;  // "FIFO", …

// What a topic is for: NORMAL unless its attribute message.type says otherwise.
[[nodiscard]] MessageType message_type_of(const std::map<std::string, std::string>& attributes);
// What a message is, by its properties.
[[nodiscard]] MessageType message_type_of(std::string_view properties, const Asked& asked) noexcept;

}  // namespace mq::broker

#include "broker/topic_attributes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <span>

#include <fmt/format.h>

#include "format/properties.h"

namespace mq::broker {
namespace {

constexpr std::string_view kMessageType = "message.type";
constexpr std::string_view kShardingKey = "__SHARDINGKEY";

constexpr std::array<std::string_view, 6> kTypes = {"UNSPECIFIED", "NORMAL",      "FIFO",
                                                    "DELAY",       "TRANSACTION", "MIXED"};
constexpr std::array<std::string_view, 2> kQueueTypes = {"BatchCQ", "SimpleCQ"};
constexpr std::array<std::string_view, 2> kCleanups = {"DELETE", "COMPACTION"};

struct Known {
  std::string_view key;
  bool changeable;
  std::span<const std::string_view> values;  // none: a number
};
constexpr std::array<Known, 4> kKnown = {
    Known{"queue.type", false, kQueueTypes}, Known{"cleanup.policy", false, kCleanups},
    Known{kMessageType, true, kTypes}, Known{"reserve.time", true, {}}};

Error wrong(std::string text) { return Error{Errc::kInvalid, std::move(text)}; }

Result<void> check_value(const Known& known, std::string_view value) {
  if (!known.values.empty()) {
    if (std::find(known.values.begin(), known.values.end(), value) != known.values.end()) return {};
    return wrong(fmt::format("value is not in set: [{}]", fmt::join(known.values, ", ")));
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size())
    return wrong(fmt::format("For input string: \"{}\"", value));
  if (number < -1) return wrong("value is not in range(-1, 9223372036854775807)");
  return {};
}

struct Change {
  bool removes = false;
  std::string key;
  std::string value;
};

// The text alone: "+key=value" or "-key", none twice.
Result<std::vector<Change>> parse(std::string_view changes) {
  std::vector<Change> out;
  std::set<std::string_view> pieces;
  while (!changes.empty()) {
    const std::size_t end = changes.find(',');
    const std::string_view piece = changes.substr(0, end);
    changes = end == std::string_view::npos ? std::string_view() : changes.substr(end + 1);
    const std::size_t split = piece.find('=');
    const std::string_view name = piece.substr(0, split);
    if (split != std::string_view::npos && name.find('+') == std::string_view::npos)
      return wrong(fmt::format("add/alter attribute format is wrong: {}", name));
    if (split == std::string_view::npos && name.find('-') == std::string_view::npos)
      return wrong(fmt::format("delete attribute format is wrong: {}", name));
    if (!pieces.insert(name).second) return wrong(fmt::format("key duplication: {}", name));
    const bool removes = name.starts_with('-');
    if (!removes && !name.starts_with('+')) return wrong(fmt::format("wrong format key: {}", name));
    const std::string_view key = name.substr(1);
    if (key.empty() || key.find_first_of("+-") != std::string_view::npos)
      return wrong("kv string format wrong.");
    if (std::any_of(out.begin(), out.end(), [&](const Change& c) { return c.key == key; }))
      return wrong(fmt::format("alter duplication key. key: {}", key));
    out.push_back({removes, std::string(key),
                   std::string(split == std::string_view::npos ? std::string_view()
                                                               : piece.substr(split + 1))});
  }
  return out;
}

Result<void> apply(std::map<std::string, std::string>& stored, const Change& change,
                   bool creating) {
  if (creating && change.removes) {
    return wrong(
        fmt::format("only add attribute is supported while creating topic. key: {}", change.key));
  }
  const auto old = stored.find(change.key);
  if (change.removes && old == stored.end())
    return wrong(fmt::format("attempt to delete a nonexistent key: {}", change.key));
  const auto* const known = std::find_if(kKnown.begin(), kKnown.end(),
                                         [&](const Known& k) { return k.key == change.key; });
  if (known == kKnown.end()) return wrong(fmt::format("unsupported key: {}", change.key));
  if (!creating && !known->changeable) {
    return wrong(fmt::format("attempt to update an unchangeable attribute. key: {}", change.key));
  }
  if (change.removes) return stored.erase(old), Result<void>();
  MQ_CHECK(check_value(*known, change.value));
  stored[change.key] = change.value;
  return {};
}

}  // namespace

Result<void> change_attributes(std::map<std::string, std::string>& stored, std::string_view changes,
                               bool creating, bool mixed_allowed) {
  MQ_TRY(const std::vector<Change> all, parse(changes));
  for (const Change& change : all) {
    if (!mixed_allowed && !change.removes && change.key == kMessageType && change.value == "MIXED")
      return Error{Errc::kDenied, "MIXED message type is not supported."};
  }
  auto next = stored;
  for (const Change& change : all) MQ_CHECK(apply(next, change, creating));
  stored = std::move(next);
  return {};
}

std::string_view name_of(MessageType type) noexcept {
  return kTypes.at(static_cast<std::size_t>(type));
}

MessageType message_type_of(const std::map<std::string, std::string>& attributes) {
  const auto said = attributes.find(std::string(kMessageType));
  if (said == attributes.end()) return MessageType::kNormal;
  const auto* const at = std::find(kTypes.begin(), kTypes.end(), said->second);
  return at == kTypes.end() ? MessageType::kUnspecified
                            : static_cast<MessageType>(at - kTypes.begin());
}

MessageType message_type_of(std::string_view properties, const Asked& asked) noexcept {
  if (asked.transaction) return MessageType::kTransaction;
  if (!asked.delay.empty() || asked.has_timer()) return MessageType::kDelay;
  if (format::find_property(properties, kShardingKey)) return MessageType::kFifo;
  return MessageType::kNormal;
}

}  // namespace mq::broker

// The property string of a record: `name 0x01 value 0x02` pairs (store-format.md 2.5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/pieces.h"
#include "base/result.h"

namespace mq::format {

inline constexpr char kNameEnd = '\x01';
inline constexpr char kPairEnd = '\x02';
inline constexpr std::size_t kPropertiesBytesMax = 32767;

inline constexpr std::string_view kTags = "TAGS";
inline constexpr std::string_view kKeys = "KEYS";
inline constexpr std::string_view kUniqKey = "UNIQ_KEY";
inline constexpr std::string_view kWait = "WAIT";
inline constexpr std::string_view kDelay = "DELAY";
inline constexpr std::string_view kRealTopic = "REAL_TOPIC";
inline constexpr std::string_view kRealQueueId = "REAL_QID";
inline constexpr std::string_view kRetryTopic = "RETRY_TOPIC";
inline constexpr std::string_view kOriginMessageId = "ORIGIN_MESSAGE_ID";
// Timed messages (store-format.md 11): as asked for, then as the broker went on with it.
inline constexpr std::string_view kTimerDelaySec = "TIMER_DELAY_SEC";
inline constexpr std::string_view kTimerDelayMs = "TIMER_DELAY_MS";
inline constexpr std::string_view kTimerDeliverMs = "TIMER_DELIVER_MS";
inline constexpr std::string_view kTimerDeleteKey = "TIMER_DEL_UNIQKEY";
inline constexpr std::string_view kTimerOutMs = "TIMER_OUT_MS";
inline constexpr std::string_view kTimerEnqueueMs = "TIMER_ENQUEUE_MS";
inline constexpr std::string_view kTimerDequeueMs = "TIMER_DEQUEUE_MS";
inline constexpr std::string_view kTimerRollTimes = "TIMER_ROLL_TIMES";
// Transactions (semantics.md 16): as asked for, then as the broker went on with it.
inline constexpr std::string_view kTransaction = "TRAN_MSG";
inline constexpr std::string_view kProducerGroup = "PGROUP";
inline constexpr std::string_view kTransactionId = "__transactionId__";
inline constexpr std::string_view kCheckImmunitySec = "CHECK_IMMUNITY_TIME_IN_SECONDS";
inline constexpr std::string_view kCheckTimes = "TRANSACTION_CHECK_TIMES";
inline constexpr std::string_view kFirstHalfOffset = "TRAN_PREPARED_QUEUE_OFFSET";
inline constexpr std::string_view kInnerNum = "INNER_NUM";
inline constexpr std::string_view kInnerBase = "INNER_BASE";

struct Property {
  std::string_view name;
  std::string_view value;
  friend bool operator==(const Property&, const Property&) = default;
};

// Calls visit(Property) for each pair as stored, in order, duplicates included; malformed pieces
// (under 3 characters, no 0x01, empty name or value) are passed over, a missing last 0x02 is taken
// as there.
template <typename Visit>
void for_each_property(std::string_view properties, Visit&& visit) {
  while (!properties.empty()) {
    const std::size_t end = properties.find(kPairEnd);
    const std::string_view piece = properties.substr(0, end);
    const std::size_t split = piece.find(kNameEnd);
    if (piece.size() >= 3 && split != std::string_view::npos && split > 0 &&
        split + 1 < piece.size()) {
      visit(Property{piece.substr(0, split), piece.substr(split + 1)});
    }
    if (end == std::string_view::npos) return;
    properties.remove_prefix(end + 1);
  }
}

// Calls visit(key) for each piece of a KEYS value that is indexed: blanks separate, empty pieces
// are passed over.
template <typename Visit>
void for_each_key(std::string_view keys, Visit&& visit) {
  for_each_piece(keys, ' ', [&](std::string_view key) {
    if (!key.empty()) visit(key);
  });
}

// The last pair of that name, as the reference reads it; a view into `properties`.
[[nodiscard]] std::optional<std::string_view> find_property(std::string_view properties,
                                                            std::string_view name) noexcept;
// All, duplicates resolved (last wins, at the place of the first), as views.
[[nodiscard]] std::vector<Property> parse_properties(std::string_view properties);
// Appends `name 0x01 value 0x02`, and before it the 0x02 that an unterminated string lacks.
void append_property(std::string& properties, std::string_view name, std::string_view value);
// In the place of all pairs of that name, which may be none.
void set_property(std::string& properties, std::string_view name, std::string_view value);
// Without the pairs of that name; all others byte for byte as they were.
[[nodiscard]] std::string remove_property(std::string_view properties, std::string_view name);

// kInvalid for a name or value that could not be stored and read back: empty, 0x01 in a name, 0x02
// in either.
Result<void> check_property(std::string_view name, std::string_view value);

// The queue entry's tag code of a record with these properties (4.2 rules 1 and 2): hash of TAGS,
// sign-extended; 0 without.
[[nodiscard]] std::int64_t tag_code(std::string_view properties) noexcept;

}  // namespace mq::format

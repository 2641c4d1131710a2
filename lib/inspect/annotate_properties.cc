#include "inspect/annotate_properties.h"

#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/hash.h"
#include "format/index_file.h"
#include "format/properties.h"

namespace mq::inspect {
namespace {

struct Known {
  std::string_view name;
  std::string_view meaning;
};
constexpr std::array kKnown = {
    Known{"DELAY", "level of a delayed message"},
    Known{"REAL_TOPIC", "where it goes when it leaves this system topic"},
    Known{"REAL_QID", "the queue there"},
    Known{"RETRY_TOPIC", "the topic whose consumer gave it back"},
    Known{"ORIGIN_MESSAGE_ID", "the message that this is a copy of"},
    Known{"RECONSUME_TIME", "deliveries that failed"},
    Known{"MAX_RECONSUME_TIMES", "after so many it is a dead letter"},
    Known{"INNER_NUM", "messages in this record"},
    Known{"INNER_BASE", "queue offset of the first of them"},
    Known{"INNER_MULTI_DISPATCH", "light queues that have an entry, too"},
    Known{"INNER_MULTI_QUEUE_OFFSET", "its offset in each of them"},
    Known{"TIMER_DELAY_SEC", "due so many seconds after it was sent"},
    Known{"TIMER_DELAY_MS", "due so many milliseconds after it was sent"},
    Known{"TIMER_ROLL_TIMES", "how often it was put back to wait on"},
    Known{"TIMER_DEL_UNIQKEY", "cancels the timed message TOPIC+UNIQ_KEY"},
    Known{"TRAN_MSG", "true: sent in a transaction"},
    Known{"__transactionId__", "transaction"},
    Known{"PGROUP", "producer group, asked how its transaction ended"},
    Known{"TRAN_PREPARED_QUEUE_OFFSET", "queue offset of the half message"},
    Known{"TRANSACTION_CHECK_TIMES", "how often the producer was asked"},
    Known{"CLUSTER", "the broker's cluster"},
    Known{"MSG_REGION", "the broker's region"},
    Known{"TRACE_ON", "whether clients trace it"},
    Known{"MSG_TYPE", "reply: answers a request"},
    Known{"CORRELATION_ID", "joins a request and its reply"},
    Known{"REPLY_TO_CLIENT", "client that waits for the reply"},
    Known{"TTL", "how long the asker waits, ms"},
    Known{"POP_CK", "receipt of a pop"},
    Known{"DUP_INFO", "replay by duplicationEnable"},
    Known{"INSTANCE_ID", "name space"},
};
// Values that are times in milliseconds.
constexpr std::array kTimes = {
    Known{"TIMER_DELIVER_MS", "due"},
    Known{"TIMER_OUT_MS", "slot of the timer wheel"},
    Known{"TIMER_ENQUEUE_MS", "entered the wheel"},
    Known{"TIMER_DEQUEUE_MS", "left the wheel"},
    Known{"1ST_POP_TIME", "first popped"},
};

std::optional<std::int64_t> decimal(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <typename Number>
std::optional<Number> hex(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string keys_meaning(std::string_view value, std::string_view topic) {
  std::string out = "in the index:";
  format::for_each_key(value, [&](std::string_view key) {
    fmt::format_to(std::back_inserter(out), " {} hash {}", key, format::index_key_hash(topic, key));
  });
  return out;
}

// Address, process, a hash of it, ms of the month, counter (store-format.md 3).
std::string unique_key_meaning(std::string_view value, std::string_view topic) {
  std::string out = fmt::format("the producer's id of the message; in the index: hash {}",
                                format::index_key_hash(topic, value));
  if (value.size() != 32) return out;
  const auto address = hex<std::uint32_t>(value.substr(0, 8));
  const auto process = hex<std::uint32_t>(value.substr(8, 4));
  const auto count = hex<std::uint32_t>(value.substr(28, 4));
  if (address && process && count)
    fmt::format_to(std::back_inserter(out), "; made at {}.{}.{}.{}, process {}, its number {}",
                   *address >> 24U, (*address >> 16U) & 255U, (*address >> 8U) & 255U,
                   *address & 255U, *process, *count);
  return out;
}

}  // namespace

std::string property_meaning(std::string_view name, std::string_view value, std::string_view topic,
                             const TimeText& time) {
  if (name == format::kTags)
    return fmt::format("the tag; its hash {} is the tag code of the queue's entry",
                       java_string_hash(value));
  if (name == format::kKeys) return keys_meaning(value, topic);
  if (name == format::kUniqKey) return unique_key_meaning(value, topic);
  if (name == format::kWait)
    return value == "true" ? "acknowledged once it is safe, as the broker is set"
                           : "acknowledged before it was on disk";
  if (name == "__CRC32#") return "CRC-32 of all before, digits from last to first";
  for (const Known& known : kTimes) {
    if (known.name != name) continue;
    const auto ms = decimal(value);
    return ms && *ms != INT64_MAX ? fmt::format("{}: {}", known.meaning, time(*ms))
                                  : std::string(known.meaning);
  }
  for (const Known& known : kKnown)
    if (known.name == name) return std::string(known.meaning);
  return {};
}

std::string check_record_crc(Bytes record, std::string_view digits) {
  constexpr std::size_t kBlockBytes = 20;
  if (record.size() < kBlockBytes) return "the record is shorter than that property";
  std::int32_t crc = crc32_masked(record.first(record.size() - kBlockBytes));
  std::string expected;
  for (int i = 0; i < 10; ++i, crc /= 10) expected += static_cast<char>('0' + crc % 10);
  return digits == expected ? std::string()
                            : fmt::format("the CRC of what stands before is {}", expected);
}

}  // namespace mq::inspect

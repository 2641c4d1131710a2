#include "store/put_encoder.h"

#include <deque>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/pieces.h"
#include "format/light_queues.h"
#include "format/names.h"
#include "format/properties.h"

namespace mq::store {
namespace {

constexpr std::int64_t kRecordOverheadMax = 65'536;
constexpr std::size_t kBufferKeptBytes = 1 << 20;

// Of messages that list light queues, which few do.
struct LightMessages {
  std::vector<PutMessage> messages;
  std::deque<std::string> properties;
  std::vector<std::vector<QueueCounter*>> counters;  // of each message
};

struct Buffers {
  std::string properties;  // of an inner batch
  LightMessages light;
  std::vector<std::byte> bytes;
  std::vector<EncodedRecord> records;
};

EncodedPut refuse(PutStatus status, std::string why) { return {{}, 0, status, std::move(why)}; }

// What the messages of a put share; set_message adds what they do not. Once a put, not once a
// message: clearing a record costs as much as copying a small one.
format::Record record_of(const PutCommon& common) {
  format::Record r;
  r.queue_id = common.queue_id;
  r.sys_flag = common.sys_flag;
  if (common.inner_messages > 0) r.sys_flag |= format::kFlagInnerBatch | format::kFlagNeedUnwrap;
  r.born_timestamp_ms = common.born_timestamp_ms;
  r.born_host = common.born_host;
  r.store_host = common.store_host;
  r.reconsume_times = common.reconsume_times;
  r.prepared_transaction_offset = common.prepared_transaction_offset;
  r.topic = common.topic;
  return r;
}

void set_message(format::Record& r, const PutMessage& message) {
  r.flag = message.flag;
  r.body = message.body;
  r.properties = message.properties;
}

// What says that it is one; the append lock puts in the number of its first message.
void make_inner(std::string_view given, std::int32_t messages, std::string& out) {
  out.assign(given);
  format::append_property(out, format::kInnerNum, std::to_string(messages));
  out += format::kInnerBase;
  out += format::kNameEnd;
  out.append(kInnerBaseDigits, '0');
}

// Queues that a message lists and that cannot be: the reference stores it, and then fails on the
// record for ever (trap 30).
std::string why_not_light(std::string_view queues) {
  std::string why;
  for_each_piece(queues, ',', [&](std::string_view name) {
    if (!format::is_light_queue_name(name))
      why = fmt::format("{}: '{}' is no name of a light queue ({}NAME)", format::kLightQueues, name,
                        format::kLightPrefix);
  });
  return why;
}

// `message` with the place for its numbers at the end of its properties, and whose they are.
std::string make_light(std::string_view queues, PutMessage& message, ConsumeQueueSet& set,
                       std::vector<QueueCounter*>& counters, LightMessages& out) {
  if (std::string why = why_not_light(queues); !why.empty()) return why;
  std::string& properties = out.properties.emplace_back(
      format::remove_property(message.properties, format::kLightOffsets));
  std::string numbers;
  for_each_piece(queues, ',', [&](std::string_view name) {
    counters.push_back(&set.find_or_create(name, format::kLightQueueId).counter);
    if (!numbers.empty()) numbers += ',';
    numbers.append(kInnerBaseDigits, '0');
  });
  format::append_property(properties, format::kLightOffsets, numbers);
  properties.pop_back();  // of the last pair nothing stands behind the value
  message.properties = properties;
  return {};
}

// Puts into `out` what becomes of messages that list light queues; empty if none does. Returns why
// they are refused, if they are.
std::string find_light(const PutCommon& common, std::span<const PutMessage> messages,
                       ConsumeQueueSet& set, LightMessages& out) {
  out.messages.clear(), out.properties.clear(), out.counters.clear();
  const bool may_have = common.inner_messages == 0 &&
                        format::may_be_in_light_queues(common.topic) &&
                        common.topic != format::kHalfTopic;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto queues = format::find_property(messages[i].properties, format::kLightQueues);
    if (!queues) continue;
    if (out.messages.empty()) {
      out.messages.assign(messages.begin(), messages.end());
      out.counters.resize(messages.size());
    }
    PutMessage& message = out.messages[i];
    if (!may_have) {
      // Not even numbers that the sender has put there.
      message.properties = out.properties.emplace_back(
          format::remove_property(message.properties, format::kLightOffsets));
    } else if (std::string why = make_light(*queues, message, set, out.counters[i], out);
               !why.empty()) {
      return why;
    }
  }
  return {};
}

}  // namespace

EncodedPut encode_put(const PutCommon& common, std::span<const PutMessage> messages,
                      const PutLimits& limits, ConsumeQueueSet* light) {
  const bool retry = common.topic.starts_with(format::kRetryPrefix);
  const std::size_t topic_max = retry ? format::kRetryTopicBytesMax : format::kTopicBytesMax;
  if (common.topic.empty() || common.topic.size() > topic_max) {
    return refuse(PutStatus::kMessageIllegal, fmt::format("topic of {} bytes, expected 1 to {}",
                                                          common.topic.size(), topic_max));
  }
  thread_local Buffers buffers;
  if (buffers.bytes.capacity() > kBufferKeptBytes) buffers = {};
  PutMessage inner;
  if (common.inner_messages > 0) {
    inner = messages.front();
    make_inner(inner.properties, common.inner_messages, buffers.properties);
    inner.properties = buffers.properties;
    messages = std::span(&inner, 1);
  }
  if (light != nullptr) {
    if (std::string why = find_light(common, messages, *light, buffers.light); !why.empty())
      return refuse(PutStatus::kMessageIllegal, std::move(why));
  }
  const bool lists_light = light != nullptr && !buffers.light.messages.empty();
  if (lists_light) messages = buffers.light.messages;
  std::size_t needed = 0;
  std::int64_t total = 0;
  format::Record record = record_of(common);
  for (const PutMessage& message : messages) {
    if (!common.accepted_before &&
        message.body.size() > static_cast<std::size_t>(limits.message_bytes_max)) {
      return refuse(PutStatus::kMessageIllegal,
                    fmt::format("body of {} bytes, maxMessageSize is {}", message.body.size(),
                                limits.message_bytes_max));
    }
    if (message.properties.size() > format::kPropertiesBytesMax) {
      return refuse(PutStatus::kPropertiesSizeExceeded,
                    fmt::format("properties of {} bytes, the limit is {}",
                                message.properties.size(), format::kPropertiesBytesMax));
    }
    set_message(record, message);
    const auto bytes = static_cast<std::int64_t>(format::record_bytes(record));
    if (!common.accepted_before && bytes > limits.message_bytes_max + kRecordOverheadMax) {
      return refuse(PutStatus::kMessageIllegal, fmt::format("record of {} bytes", bytes));
    }
    total += bytes;
    needed += static_cast<std::size_t>(bytes) - message.body.size();
  }
  if (total + static_cast<std::int64_t>(format::kBlankHeadBytes) > limits.file_bytes) {
    return refuse(
        PutStatus::kMessageIllegal,
        fmt::format("records of {} bytes together do not fit into a commit log file of {}", total,
                    limits.file_bytes));
  }
  if (buffers.bytes.size() < needed) buffers.bytes.resize(needed);
  buffers.records.clear();
  std::byte* at = buffers.bytes.data();
  for (const PutMessage& message : messages) {
    set_message(record, message);
    const MutableBytes head(at, format::record_head_bytes(record));
    const MutableBytes tail(at + head.size(), format::record_tail_bytes(record));
    format::encode_record_head(record, crc32_masked(message.body), head);
    format::encode_record_tail(record, tail);
    buffers.records.push_back({.head = head,
                               .body = message.body,
                               .tail = tail,
                               .messages = std::max(1, common.inner_messages),
                               .has_base = common.inner_messages > 0});
    if (lists_light)
      buffers.records.back().light = buffers.light.counters[buffers.records.size() - 1];
    at += head.size() + tail.size();
  }
  return {buffers.records, total, PutStatus::kOk, {}};
}

}  // namespace mq::store

#include "wire/send.h"

#include <fmt/format.h>

#include "wire/codes.h"
#include "wire/fields.h"

namespace mq::wire {
namespace {

// The fields of a send in the order of their letters.
enum Index : std::size_t {
  kGroup,
  kTopic,
  kDefaultTopic,
  kDefaultQueueCount,
  kQueueId,
  kSysFlag,
  kBornTimestamp,
  kFlag,  // the last one that must be there
  kProperties,
  kReconsumeTimes,
  kUnitMode,
  kMaxReconsumeTimes,
  kBatch,
  kBrokerName,
  kIndexCount
};
using Names = std::array<std::string_view, kIndexCount>;
constexpr Names kShortNames = {"a", "b", "c", "d", "e", "f", "g",
                               "h", "i", "j", "k", "l", "m", "n"};
constexpr Names kLongNames = {
    "producerGroup", "topic",          "defaultTopic",  "defaultTopicQueueNums",
    "queueId",       "sysFlag",        "bornTimestamp", "flag",
    "properties",    "reconsumeTimes", "unitMode",      "maxReconsumeTimes",
    "batch",         "bname"};

const Names& names_of(std::int32_t code) noexcept {
  return code == kSendMessage || code == kSendReplyMessage ? kLongNames : kShortNames;
}

struct Texts {
  std::array<std::string_view, kIndexCount> at;
  std::uint32_t seen = 0;
  void set(std::size_t index, std::string_view text) noexcept {
    at[index] = text;
    seen |= 1U << index;
  }
};

// One pass over the fields, as every message of every producer goes through it.
Texts collect_short(const ExtFields& ext) noexcept {
  Texts out;
  for (const auto& [name, text] : ext)
    if (name.size() == 1 && name[0] >= 'a' && name[0] <= 'n')
      out.set(static_cast<std::size_t>(name[0] - 'a'), text);
  return out;
}
Texts collect_long(const ExtFields& ext) noexcept {
  Texts out;
  for (std::size_t i = 0; i < kIndexCount; ++i)
    if (const auto text = ext.find(kLongNames[i])) out.set(i, *text);
  return out;
}

constexpr std::size_t kBatchItemFixedBytes = 5 * 4 + 2;

}  // namespace

Result<SendRequest> decode_send_request(const Command& request) {
  const Names& names = names_of(request.code);
  const Texts texts =
      &names == &kLongNames ? collect_long(request.ext) : collect_short(request.ext);
  for (std::size_t i = 0; i <= kFlag; ++i)
    if ((texts.seen & (1U << i)) == 0) return missing_field(names[i]);
  const auto int32 = [&](Index i) { return integer_from<std::int32_t>(names[i], texts.at[i]); };

  SendRequest out;
  out.group = texts.at[kGroup];
  out.topic = texts.at[kTopic];
  out.default_topic = texts.at[kDefaultTopic];
  MQ_TRY(out.default_queue_count, int32(kDefaultQueueCount));
  MQ_TRY(out.queue_id, int32(kQueueId));
  MQ_TRY(out.sys_flag, int32(kSysFlag));
  MQ_TRY(out.born_timestamp_ms,
         integer_from<std::int64_t>(names[kBornTimestamp], texts.at[kBornTimestamp]));
  MQ_TRY(out.flag, int32(kFlag));
  out.properties = texts.at[kProperties];
  if (!texts.at[kReconsumeTimes].empty()) {
    MQ_TRY(out.reconsume_times, int32(kReconsumeTimes));
  }
  if (!texts.at[kMaxReconsumeTimes].empty()) {
    MQ_TRY(out.max_reconsume_times, int32(kMaxReconsumeTimes));
  }
  out.unit_mode = is_true(texts.at[kUnitMode]);
  out.batch = is_true(texts.at[kBatch]) || request.code == kSendBatchMessage;
  out.broker_name = texts.at[kBrokerName];
  out.bulk = bool_or(request.ext, "mqBulk", false);
  out.sync = bool_or(request.ext, "mqSync", false);
  return out;
}

void append_send_request(std::string& out, const Header& header, const SendRequest& request,
                         std::size_t body_bytes) {
  const Names& n = names_of(header.code);
  std::array<Field, kIndexCount + 2> fields = {
      Field{n[kGroup], request.group},
      Field{n[kTopic], request.topic},
      Field{n[kDefaultTopic], request.default_topic},
      Field{n[kDefaultQueueCount], request.default_queue_count},
      Field{n[kQueueId], request.queue_id},
      Field{n[kSysFlag], request.sys_flag},
      Field{n[kBornTimestamp], request.born_timestamp_ms},
      Field{n[kFlag], request.flag},
      Field{n[kProperties], request.properties},
      Field{n[kReconsumeTimes], request.reconsume_times},
      Field{n[kUnitMode], request.unit_mode},
      Field{n[kBatch], request.batch},
      Field{n[kBrokerName], request.broker_name},
      Field{n[kMaxReconsumeTimes], request.max_reconsume_times},
      Field{"", ""},
      Field{"", ""},
  };
  std::size_t count = kIndexCount - 2;
  if (!request.broker_name.empty()) ++count;
  if (request.max_reconsume_times >= 0) fields[count++] = fields[kIndexCount - 1];
  if (request.bulk) fields[count++] = Field{"mqBulk", true};
  if (request.sync) fields[count++] = Field{"mqSync", true};
  append_frame_head(out, header, std::span(fields).first(count), body_bytes);
}

Result<SendResponse> decode_send_response(const Command& response) {
  SendResponse out;
  MQ_TRY(out.msg_id, text_field(response.ext, "msgId"));
  MQ_TRY(out.queue_id, int32_field(response.ext, "queueId"));
  MQ_TRY(out.queue_offset, int64_field(response.ext, "queueOffset"));
  out.transaction_id = response.ext.find("transactionId").value_or("");
  out.recall_handle = response.ext.find("recallHandle").value_or("");
  out.batch_unique_id = response.ext.find("batchUniqId").value_or("");
  out.region = response.ext.find("MSG_REGION").value_or("DefaultRegion");
  out.trace_on = bool_or(response.ext, "TRACE_ON", true);
  return out;
}

void append_send_response(std::string& out, const Header& header, const SendResponse& response) {
  std::array<Field, 8> fields = {
      Field{"msgId", response.msg_id},
      Field{"queueId", response.queue_id},
      Field{"queueOffset", response.queue_offset},
      Field{"transactionId", response.transaction_id},
      Field{"", ""},
      Field{"", ""},
      Field{"", ""},
      Field{"", ""},
  };
  std::size_t count = response.transaction_id.empty() ? 3 : 4;
  if (!response.recall_handle.empty())
    fields[count++] = Field{"recallHandle", response.recall_handle};
  if (!response.batch_unique_id.empty())
    fields[count++] = Field{"batchUniqId", response.batch_unique_id};
  fields[count++] = Field{"TRACE_ON", response.trace_on};
  fields[count++] = Field{"MSG_REGION", response.region};
  append_frame_head(out, header, std::span<const Field>(fields).first(count), 0);
}

void append_send_error(std::string& out, const Header& header) {
  const std::array<Field, 2> fields = {Field{"TRACE_ON", true},
                                       Field{"MSG_REGION", "DefaultRegion"}};
  append_frame_head(out, header, fields, 0);
}

Result<bool> BatchReader::next(BatchItem& out) {
  if (at_ == body_.size()) return false;
  BigEndianReader r(body_.subspan(at_));
  const auto total = r.take<std::int32_t>();
  r.skip(8);  // magic and CRC: clients write 0, nobody reads them
  out.flag = r.take<std::int32_t>();
  out.body = r.take_bytes(r.take<std::int32_t>());
  out.properties = r.take_text(r.take<std::int16_t>());
  const std::size_t start = at_;
  at_ = body_.size();
  if (!r.ok() || total < 0 || static_cast<std::size_t>(total) != r.position())
    return Error{Errc::kCorrupt,
                 fmt::format("batch at byte {}: a message of {} bytes does not hold what it says",
                             start, total)};
  at_ = start + r.position();
  return true;
}

void append_batch_item(std::string& out, const BatchItem& item) {
  const std::size_t total = kBatchItemFixedBytes + item.body.size() + item.properties.size();
  const std::size_t start = out.size();
  out.resize(start + total);
  BigEndianWriter w({reinterpret_cast<std::byte*>(out.data()) + start, total});
  w.put(static_cast<std::int32_t>(total));
  w.put(std::int64_t{0});
  w.put(item.flag);
  w.put(static_cast<std::int32_t>(item.body.size()));
  w.put_bytes(item.body);
  w.put(static_cast<std::int16_t>(item.properties.size()));
  w.put_text(item.properties);
}

}  // namespace mq::wire

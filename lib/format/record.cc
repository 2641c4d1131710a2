#include "format/record.h"

#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/hash.h"
#include "format/properties.h"

namespace mq::format {
namespace {

// The other places of fields that do not depend on the hosts, and sizes (record.h).
constexpr std::size_t kBodyCrcAt = 8;
constexpr std::size_t kFlagAt = 16;
constexpr std::size_t kPhysicalOffsetAt = 28;
constexpr std::size_t kBornTimestampAt = 40;
constexpr std::size_t kHostBytesV4 = 8;
constexpr std::size_t kHostBytesV6 = 20;
constexpr std::size_t kTopicBytesMaxV1 = 127;  // the length is a signed byte
constexpr std::size_t kTopicBytesMaxV2 = 32767;
constexpr std::size_t kBytesMax = std::numeric_limits<std::int32_t>::max();

constexpr std::size_t born_host_bytes(std::int32_t sys_flag) noexcept {
  return (sys_flag & kFlagBornHostV6) != 0 ? kHostBytesV6 : kHostBytesV4;
}
constexpr std::size_t store_host_bytes(std::int32_t sys_flag) noexcept {
  return (sys_flag & kFlagStoreHostV6) != 0 ? kHostBytesV6 : kHostBytesV4;
}
constexpr std::size_t topic_length_bytes(std::int32_t magic) noexcept {
  return magic == kMagicV2 ? 2 : 1;
}
constexpr bool is_message_magic(std::int32_t magic) noexcept {
  return magic == kMagicV1 || magic == kMagicV2;
}

// Why a record was refused. The text is made from the bytes once more, so that the way of a good
// record carries none of it.
enum class Refusal {
  kNone,
  kHeadShort,
  kNoRecord,
  kTooSmall,
  kRecordShort,
  kHeadLonger,
  kBodyLength,
  kTopicLength,
  kPropertiesLength,
  kLengthSum,
  kBodyCrc,
};

void load_host(const std::byte* at, std::size_t encoded_bytes, Host& host) noexcept {
  if (encoded_bytes == kHostBytesV4) [[likely]] {
    std::memcpy(host.address.data(), at, 4);
    host.address_bytes = 4;
  } else {
    std::memcpy(host.address.data(), at, 16);
    host.address_bytes = 16;
  }
  host.port = load_be<std::int32_t>(at + encoded_bytes - 4);
}

std::byte* store_host(std::byte* at, const Host& host) noexcept {
  if (host.address_bytes == 4) [[likely]] {
    std::memcpy(at, host.address.data(), 4);
    at += 4;
  } else {
    std::memcpy(at, host.address.data(), 16);
    at += 16;
  }
  store_be(at, host.port);
  return at + 4;
}

std::byte* put_bytes(std::byte* at, Bytes bytes) noexcept {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

// The three lengths inside a record and what they give.
struct Tail {
  std::size_t body_at = 0;
  std::size_t body_bytes = 0;
  std::size_t topic_at = 0;
  std::size_t topic_bytes = 0;
  std::size_t properties_at = 0;
  std::size_t properties_bytes = 0;
};

// `record` has exactly the bytes that its first field says, and at least kRecordBytesMin.
Refusal measure(Bytes record, std::int32_t magic, std::int32_t sys_flag, Tail& tail) noexcept {
  const std::byte* const data = record.data();
  const std::size_t total = record.size();
  const std::size_t length_bytes = topic_length_bytes(magic);
  tail.body_at = kHeadBytesWithoutHosts + born_host_bytes(sys_flag) + store_host_bytes(sys_flag);
  if (tail.body_at + length_bytes + 2 > total) return Refusal::kHeadLonger;

  const auto body_bytes = load_be<std::int32_t>(data + tail.body_at - 4);
  if (body_bytes < 0) return Refusal::kBodyLength;
  tail.body_bytes = static_cast<std::size_t>(body_bytes);
  tail.topic_at = tail.body_at + tail.body_bytes + length_bytes;
  if (tail.topic_at + 2 > total) return Refusal::kBodyLength;

  const int topic_bytes = length_bytes == 1 ? load_be<std::int8_t>(data + tail.topic_at - 1)
                                            : load_be<std::int16_t>(data + tail.topic_at - 2);
  if (topic_bytes < 0) return Refusal::kTopicLength;
  tail.topic_bytes = static_cast<std::size_t>(topic_bytes);
  tail.properties_at = tail.topic_at + tail.topic_bytes + 2;
  if (tail.properties_at > total) return Refusal::kTopicLength;

  const auto properties_bytes = load_be<std::int16_t>(data + tail.properties_at - 2);
  if (properties_bytes < 0) return Refusal::kPropertiesLength;
  tail.properties_bytes = static_cast<std::size_t>(properties_bytes);
  if (tail.properties_at + tail.properties_bytes != total) return Refusal::kLengthSum;
  return Refusal::kNone;
}

Refusal decode_into(Record& record, Bytes in, CheckBody check) noexcept {
  if (in.size() < kBlankHeadBytes) return Refusal::kHeadShort;
  const std::byte* const data = in.data();
  record.total_bytes = load_be<std::int32_t>(data);
  record.magic = load_be<std::int32_t>(data + 4);
  if (!is_message_magic(record.magic)) return Refusal::kNoRecord;
  if (record.total_bytes < static_cast<std::int32_t>(kRecordBytesMin)) return Refusal::kTooSmall;
  const auto total = static_cast<std::size_t>(record.total_bytes);
  if (total > in.size()) return Refusal::kRecordShort;

  record.sys_flag = load_be<std::int32_t>(data + kSysFlagAt);
  Tail tail;
  if (const Refusal refusal = measure(in.first(total), record.magic, record.sys_flag, tail);
      refusal != Refusal::kNone) [[unlikely]] {
    return refusal;
  }
  record.body_crc = load_be<std::int32_t>(data + kBodyCrcAt);
  record.queue_id = load_be<std::int32_t>(data + kQueueIdAt);
  record.flag = load_be<std::int32_t>(data + kFlagAt);
  record.queue_offset = QueueOffset(load_be<std::int64_t>(data + kQueueOffsetAt));
  record.physical_offset = PhysicalOffset(load_be<std::int64_t>(data + kPhysicalOffsetAt));
  record.born_timestamp_ms = load_be<std::int64_t>(data + kBornTimestampAt);
  const std::byte* at = data + kBornHostAt;
  load_host(at, born_host_bytes(record.sys_flag), record.born_host);
  at += born_host_bytes(record.sys_flag);
  record.store_timestamp_ms = load_be<std::int64_t>(at);
  load_host(at + 8, store_host_bytes(record.sys_flag), record.store_host);
  at += 8 + store_host_bytes(record.sys_flag);
  record.reconsume_times = load_be<std::int32_t>(at);
  record.prepared_transaction_offset = PhysicalOffset(load_be<std::int64_t>(at + 4));
  record.body = in.subspan(tail.body_at, tail.body_bytes);
  record.topic = as_text(in.subspan(tail.topic_at, tail.topic_bytes));
  record.properties = as_text(in.subspan(tail.properties_at, tail.properties_bytes));
  if (check == CheckBody::kCrc && !record.body.empty() &&
      crc32_masked(record.body) != record.body_crc) {
    return Refusal::kBodyCrc;
  }
  return Refusal::kNone;
}

[[gnu::cold, gnu::noinline]] Error describe(Refusal refusal, Bytes in) {
  if (refusal == Refusal::kHeadShort) {
    return Error{Errc::kShort,
                 fmt::format("{} bytes, a record starts with {}", in.size(), kBlankHeadBytes)};
  }
  const auto total = load_be<std::int32_t>(in.data());
  const auto magic = load_be<std::int32_t>(in.data() + 4);
  switch (refusal) {
    case Refusal::kNoRecord:
      return Error{Errc::kNotFound, magic == kMagicBlank
                                        ? fmt::format("blank of {} bytes", total)
                                        : fmt::format("magic {:08X}, expected DAA320A7 or DAA320AB",
                                                      static_cast<std::uint32_t>(magic))};
    case Refusal::kTooSmall:
      return Error{Errc::kCorrupt,
                   fmt::format("record of {} bytes, expected {} or more", total, kRecordBytesMin)};
    case Refusal::kRecordShort:
      return Error{Errc::kShort, fmt::format("record of {} bytes, {} are there", total, in.size())};
    default:
      break;
  }
  const auto sys_flag = load_be<std::int32_t>(in.data() + kSysFlagAt);
  Tail tail;
  (void)measure(in.first(static_cast<std::size_t>(total)), magic, sys_flag, tail);
  switch (refusal) {
    case Refusal::kHeadLonger:
      return Error{Errc::kCorrupt,
                   fmt::format("record of {} bytes, with hosts as sysFlag {:#x} says expected {} "
                               "or more",
                               total, sys_flag, tail.body_at + topic_length_bytes(magic) + 2)};
    case Refusal::kBodyLength:
      return Error{Errc::kCorrupt,
                   fmt::format("body of {} bytes in a record of {}",
                               load_be<std::int32_t>(in.data() + tail.body_at - 4), total)};
    case Refusal::kTopicLength:
      return Error{
          Errc::kCorrupt,
          fmt::format("topic of {} bytes in a record of {} with {} bytes of body",
                      magic == kMagicV2 ? load_be<std::int16_t>(in.data() + tail.topic_at - 2)
                                        : load_be<std::int8_t>(in.data() + tail.topic_at - 1),
                      total, tail.body_bytes)};
    case Refusal::kPropertiesLength:
      return Error{Errc::kCorrupt,
                   fmt::format("properties of {} bytes",
                               load_be<std::int16_t>(in.data() + tail.properties_at - 2))};
    case Refusal::kLengthSum:
      return Error{Errc::kCorrupt, fmt::format("record of {} bytes, its fields add up to {}", total,
                                               tail.properties_at + tail.properties_bytes)};
    default:
      return Error{
          Errc::kCorrupt,
          fmt::format("body CRC {:08X}, expected {:08X}",
                      crc32(in.subspan(tail.body_at, tail.body_bytes)) & 0x7FFFFFFFU,
                      static_cast<std::uint32_t>(load_be<std::int32_t>(in.data() + kBodyCrcAt)))};
  }
}

std::int32_t magic_for(const Record& record) noexcept {
  return record.topic.size() > kTopicBytesMaxV1 ? kMagicV2 : kMagicV1;
}

std::int32_t sys_flag_for(const Record& record) noexcept {
  return (record.sys_flag & ~(kFlagBornHostV6 | kFlagStoreHostV6)) |
         (record.born_host.is_v6() ? kFlagBornHostV6 : 0) |
         (record.store_host.is_v6() ? kFlagStoreHostV6 : 0);
}

}  // namespace

RecordKind record_kind(Bytes in) noexcept {
  if (in.size() < kBlankHeadBytes) return RecordKind::kNone;
  const auto magic = load_be<std::int32_t>(in.data() + 4);
  if (is_message_magic(magic)) return RecordKind::kMessage;
  return magic == kMagicBlank ? RecordKind::kBlank : RecordKind::kNone;
}

Result<Record> decode_record(Bytes in, CheckBody check) {
  Result<Record> out(tl::in_place);
  if (const Refusal refusal = decode_into(*out, in, check); refusal != Refusal::kNone)
      [[unlikely]] {
    out = describe(refusal, in);
  }
  return out;
}

const char* transaction_name(std::int32_t type) noexcept {
  switch (type) {
    case kTransactionPrepared:
      return "half";
    case kTransactionCommit:
      return "commit";
    case kTransactionRollback:
      return "rollback";
    default:
      return "none";
  }
}

std::size_t record_head_bytes(const Record& record) noexcept {
  return kHeadBytesWithoutHosts + record.born_host.encoded_bytes() +
         record.store_host.encoded_bytes();
}

std::size_t record_tail_bytes(const Record& record) noexcept {
  return topic_length_bytes(magic_for(record)) + record.topic.size() + 2 + record.properties.size();
}

std::size_t record_bytes(const Record& record) noexcept {
  return record_head_bytes(record) + record.body.size() + record_tail_bytes(record);
}

Result<void> check_encodable(const Record& record) {
  if (record.topic.size() > kTopicBytesMaxV2) {
    return Error{Errc::kInvalid, fmt::format("topic of {} bytes, at most {} can be stored",
                                             record.topic.size(), kTopicBytesMaxV2)};
  }
  if (record.properties.size() > kPropertiesBytesMax) {
    return Error{Errc::kInvalid, fmt::format("properties of {} bytes, at most {} can be stored",
                                             record.properties.size(), kPropertiesBytesMax)};
  }
  for (const Host* host : {&record.born_host, &record.store_host}) {
    if (host->address_bytes != 4 && host->address_bytes != 16) {
      return Error{Errc::kInvalid,
                   fmt::format("address of {} bytes, expected 4 or 16", host->address_bytes)};
    }
  }
  if (record.body.size() > kBytesMax || record_bytes(record) > kBytesMax) {
    return Error{Errc::kInvalid, fmt::format("record of {} bytes, at most {} can be stored",
                                             record_bytes(record), kBytesMax)};
  }
  return {};
}

void encode_record_head(const Record& record, std::int32_t body_crc, MutableBytes out) noexcept {
  MQ_ASSERT(out.size() >= record_head_bytes(record));
  std::byte* const data = out.data();
  store_be(data, static_cast<std::int32_t>(record_bytes(record)));
  store_be(data + 4, magic_for(record));
  store_be(data + kBodyCrcAt, body_crc);
  store_be(data + kQueueIdAt, record.queue_id);
  store_be(data + kFlagAt, record.flag);
  store_be(data + kQueueOffsetAt, record.queue_offset.value());
  store_be(data + kPhysicalOffsetAt, record.physical_offset.value());
  store_be(data + kSysFlagAt, sys_flag_for(record));
  store_be(data + kBornTimestampAt, record.born_timestamp_ms);
  std::byte* at = store_host(data + kBornHostAt, record.born_host);
  store_be(at, record.store_timestamp_ms);
  at = store_host(at + 8, record.store_host);
  store_be(at, record.reconsume_times);
  store_be(at + 4, record.prepared_transaction_offset.value());
  store_be(at + 12, static_cast<std::int32_t>(record.body.size()));
}

void encode_record_tail(const Record& record, MutableBytes out) noexcept {
  MQ_ASSERT(out.size() >= record_tail_bytes(record));
  std::byte* at = out.data();
  if (magic_for(record) == kMagicV1) {
    store_be(at, static_cast<std::int8_t>(record.topic.size()));
    at += 1;
  } else {
    store_be(at, static_cast<std::int16_t>(record.topic.size()));
    at += 2;
  }
  at = put_bytes(at, as_bytes(record.topic));
  store_be(at, static_cast<std::int16_t>(record.properties.size()));
  put_bytes(at + 2, as_bytes(record.properties));
}

void encode_record(const Record& record, MutableBytes out) noexcept {
  MQ_ASSERT(out.size() >= record_bytes(record));
  const std::size_t head_bytes = record_head_bytes(record);
  encode_record_head(record, crc32_masked(record.body), out);
  put_bytes(out.data() + head_bytes, record.body);
  encode_record_tail(record, out.subspan(head_bytes + record.body.size()));
}

void patch_record_head(MutableBytes head, QueueOffset queue_offset, PhysicalOffset physical_offset,
                       std::int64_t store_timestamp_ms) noexcept {
  std::byte* const data = head.data();
  const auto sys_flag = load_be<std::int32_t>(data + kSysFlagAt);
  store_be(data + kQueueOffsetAt, queue_offset.value());
  store_be(data + kPhysicalOffsetAt, physical_offset.value());
  store_be(data + kBornHostAt + born_host_bytes(sys_flag), store_timestamp_ms);
}

void encode_blank(std::int32_t bytes, std::span<std::byte, kBlankHeadBytes> out) noexcept {
  store_be(out.data(), bytes);
  store_be(out.data() + 4, kMagicBlank);
}

Result<std::int64_t> peek_store_timestamp(Bytes in) {
  if (in.size() < kBlankHeadBytes) return describe(Refusal::kHeadShort, in);
  if (record_kind(in) != RecordKind::kMessage) return describe(Refusal::kNoRecord, in);
  if (in.size() < kBornHostAt + kHostBytesV6 + 8) {
    return Error{Errc::kShort, fmt::format("{} bytes of a record's head, expected {}", in.size(),
                                           kBornHostAt + kHostBytesV6 + 8)};
  }
  const auto sys_flag = load_be<std::int32_t>(in.data() + kSysFlagAt);
  return load_be<std::int64_t>(in.data() + kBornHostAt + born_host_bytes(sys_flag));
}

}  // namespace mq::format

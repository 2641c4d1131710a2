#include "inspect/repair_scrap.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/hash.h"
#include "format/properties.h"

namespace mq::inspect {
namespace {

constexpr std::string_view kScrapTopic = "SCRAP";
constexpr std::string_view kCrcName = "__CRC32#";
constexpr std::size_t kCrcDigits = 10;
constexpr std::size_t kCrcBytes = kCrcName.size() + 1 + kCrcDigits + 1;
// A zlib stream of no bytes, and the flags that make a client inflate it and unwrap the batch.
constexpr std::array<std::uint8_t, 8> kNothing = {0x78, 0x9C, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01};
constexpr std::int32_t kZlib = 0x300;
constexpr std::int32_t kEmptyBatch =
    format::kFlagCompressed | kZlib | format::kFlagNeedUnwrap | format::kFlagInnerBatch;
// As large as the reference lets a message be; nobody has to read more at once.
constexpr std::int64_t kScrapBytesMax = 4 << 20;

// Bytes of a record without body and topic.
std::int64_t frame_bytes(const Stretch& s) {
  return static_cast<std::int64_t>(format::kRecordBytesMin + (s.has_crc_property ? kCrcBytes : 0));
}
std::int64_t held_bytes_min(const Stretch& s, std::string_view topic) {
  return frame_bytes(s) + static_cast<std::int64_t>(topic.size()) + (topic.size() > 127 ? 1 : 0);
}
std::int64_t scrap_bytes_min(const Stretch& s) { return frame_bytes(s) + 1; }
std::int64_t reserved_bytes(const Stretch& s) {
  return s.to_file_end ? static_cast<std::int64_t>(format::kBlankHeadBytes) : 0;
}
std::int64_t numbers_held(const Stretch& s) {
  std::int64_t count = 0;
  for (const LostRun& run : s.held) count += run.count;
  return count;
}
// Without room for it, the body is left out; clients then see a message without one.
bool has_room_for_batches(const Stretch& s) {
  return s.used_bytes + static_cast<std::int64_t>(kNothing.size()) * numbers_held(s) <=
         s.bytes() - reserved_bytes(s);
}

format::Record frame(const Stretch& s, PhysicalOffset at) {
  format::Record record;
  record.physical_offset = at;
  record.born_timestamp_ms = record.store_timestamp_ms = s.store_timestamp_ms;
  if (!s.store_host.is_v6()) record.born_host = record.store_host = s.store_host;
  return record;
}

// The pair that vouches for a whole record (2.7); its digits come last.
std::string crc_pair() {
  std::string out;
  format::append_property(out, kCrcName, std::string(kCrcDigits, '0'));
  return out;
}
void put_crc(std::string& tail, std::uint32_t crc) {
  crc &= 0x7FFFFFFFU;
  std::size_t at = tail.size() - 1 - kCrcDigits;
  for (std::size_t i = 0; i < kCrcDigits; ++i, crc /= 10)
    tail[at++] = static_cast<char>('0' + crc % 10);
}

std::string_view scrap_topic(const Stretch& s, const Scrap& scrap) {
  return kScrapTopic.substr(0, static_cast<std::size_t>(scrap.bytes - frame_bytes(s)));
}

// Hands out the records that keep numbers; returns where the last one ends.
PhysicalOffset lay_out_held(const Stretch& s, std::int64_t body_bytes, std::int64_t filling,
                            const std::function<void(const Scrap&)>& visit) {
  PhysicalOffset at = s.begin;
  for (const LostRun& run : s.held) {
    for (std::int64_t i = 0; i < run.count; ++i) {
      const Scrap scrap{.kind = Scrap::Kind::kHeld,
                        .at = at,
                        .bytes = held_bytes_min(s, run.queue.topic) + body_bytes + filling,
                        .queue = &run.queue,
                        .number = run.first + i,
                        .filling = filling};
      visit(scrap);
      at += scrap.bytes;
      filling = 0;
    }
  }
  return at;
}

}  // namespace

std::int64_t Stretch::room_for(std::string_view topic) const noexcept {
  return std::max<std::int64_t>(
      0, (bytes() - reserved_bytes(*this) - used_bytes) / held_bytes_min(*this, topic));
}

void Stretch::hold(const QueueKey& queue, std::int64_t number) {
  if (held.empty() || held.back().queue != queue ||
      held.back().first + held.back().count != number) {
    held.push_back({queue, number, 0});
  }
  ++held.back().count;
  used_bytes += held_bytes_min(*this, queue.topic);
}

void lay_out(const Stretch& s, const std::function<void(const Scrap&)>& visit) {
  const std::int64_t count = numbers_held(s);
  const std::int64_t body_bytes =
      has_room_for_batches(s) ? static_cast<std::int64_t>(kNothing.size()) : 0;
  std::int64_t rest = s.bytes() - reserved_bytes(s) - s.used_bytes - body_bytes * count;
  std::int64_t filling = 0;
  // Too little for a record of its own: the first one takes it.
  if (!s.to_file_end && count > 0 && rest < scrap_bytes_min(s)) std::swap(filling, rest);
  PhysicalOffset at = lay_out_held(s, body_bytes, filling, visit);
  const auto add = [&](Scrap::Kind kind, std::int64_t bytes) {
    visit({.kind = kind, .at = at, .bytes = bytes});
    at += bytes;
  };
  if (s.to_file_end) {
    // A file has to begin with a record, or recovery cannot start from it (trap 17).
    if (s.at_file_start && count == 0 && rest >= scrap_bytes_min(s))
      add(Scrap::Kind::kScrap, std::min(rest, scrap_bytes_min(s) + 4));
    add(Scrap::Kind::kBlank, s.end - at);
    return;
  }
  while (rest > 0) {
    std::int64_t bytes = std::min(rest, kScrapBytesMax);
    if (rest - bytes > 0 && rest - bytes < scrap_bytes_min(s)) bytes -= scrap_bytes_min(s);
    add(Scrap::Kind::kScrap, bytes);
    rest -= bytes;
  }
}

std::string held_record(const Stretch& s, const Scrap& scrap) {
  MQ_ASSERT(scrap.queue != nullptr);
  format::Record record = frame(s, scrap.at);
  record.topic = scrap.queue->topic;
  record.queue_id = scrap.queue->id;
  record.queue_offset = QueueOffset(scrap.number);
  if (scrap.bytes - scrap.filling > held_bytes_min(s, record.topic)) {
    record.sys_flag = kEmptyBatch;
    record.body = std::as_bytes(std::span(kNothing));
  }
  // Readers pass over pieces that hold no pair.
  std::string properties(static_cast<std::size_t>(scrap.filling), format::kPairEnd);
  if (s.has_crc_property) properties += crc_pair();
  record.properties = properties;
  std::string out(format::record_bytes(record), '\0');
  MQ_ASSERT(static_cast<std::int64_t>(out.size()) == scrap.bytes);
  format::encode_record(record, std::as_writable_bytes(std::span(out)));
  if (s.has_crc_property) put_crc(out, crc32(as_bytes(out).first(out.size() - kCrcBytes)));
  return out;
}

std::size_t scrap_body_bytes(const Stretch& s, const Scrap& scrap) {
  return static_cast<std::size_t>(scrap.bytes - frame_bytes(s)) - scrap_topic(s, scrap).size();
}

ScrapEnds scrap_ends(const Stretch& s, const Scrap& scrap, Bytes body) {
  MQ_ASSERT(body.size() == scrap_body_bytes(s, scrap));
  format::Record record = frame(s, scrap.at);
  record.topic = scrap_topic(s, scrap);
  record.sys_flag = format::kTransactionRollback;
  record.body = body;
  const std::string properties = s.has_crc_property ? crc_pair() : std::string();
  record.properties = properties;
  ScrapEnds out{.head = std::string(format::record_head_bytes(record), '\0'),
                .tail = std::string(format::record_tail_bytes(record), '\0')};
  format::encode_record_head(record, crc32_masked(body),
                             std::as_writable_bytes(std::span(out.head)));
  format::encode_record_tail(record, std::as_writable_bytes(std::span(out.tail)));
  if (s.has_crc_property) {
    const Bytes tail = as_bytes(out.tail);
    const std::uint32_t crc = crc32(body, crc32(as_bytes(out.head)));
    put_crc(out.tail, crc32(tail.first(tail.size() - kCrcBytes), crc));
  }
  return out;
}

}  // namespace mq::inspect

// The body of R(200151): acknowledgements of several pops, each with a bit set of its messages.
#include <algorithm>

#include "base/base64.h"
#include "wire/body_json.h"
#include "wire/pop.h"

namespace mq::wire {
namespace {

// A pop is of 32 messages, but those of a filtered queue may lie far apart.
constexpr std::size_t kBitsBytesMax = 8 << 10;

// Members have a short and a long name.
const json::value* either(const json::value& object, std::string_view name,
                          std::string_view long_name) noexcept {
  const json::value* const found = member(object, name);
  return found != nullptr ? found : member(object, long_name);
}

PopRetry retry_from(std::string_view text) noexcept {
  if (text == "1") return PopRetry::kV1;
  return text == "2" ? PopRetry::kV2 : PopRetry::kNone;
}

Result<std::vector<std::int64_t>> parse_bits(std::string_view text, std::int64_t start) {
  std::vector<std::int64_t> out;
  auto bytes = decode_base64(text);
  if (!bytes) return Error{Errc::kCorrupt, "bitSet: " + bytes.error().text()};
  if (bytes->size() > kBitsBytesMax) return Error{Errc::kCorrupt, "bitSet: too long"};
  for (std::size_t i = 0; i < bytes->size() * 8; ++i) {
    if (((static_cast<unsigned char>((*bytes)[i / 8]) >> (i % 8)) & 1U) != 0)
      out.push_back(start + static_cast<std::int64_t>(i));
  }
  return out;
}

std::string bits_of(const BatchAck& ack) {
  std::string bytes;
  for (const std::int64_t offset : ack.offsets) {
    const auto bit = static_cast<std::size_t>(offset - ack.start);
    if (bytes.size() <= bit / 8) bytes.resize(bit / 8 + 1);
    bytes[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) | (1U << (bit % 8)));
  }
  std::string out;
  append_base64(out, as_bytes(bytes));
  return out;
}

Result<BatchAck> ack_from(const json::value& object) {
  BatchAck out{
      .group = string_or(either(object, "c", "consumerGroup"), ""),
      .topic = string_or(either(object, "t", "topic"), ""),
      .retry = retry_from(string_or(either(object, "r", "retry"), "0")),
      .start = int_or(either(object, "so", "startOffset"), 0),
      .queue_id = static_cast<std::int32_t>(int_or(either(object, "q", "queueId"), 0)),
      .revive_queue = static_cast<std::int32_t>(int_or(either(object, "rq", "reviveQueueId"), 0)),
      .pop_ms = int_or(either(object, "pt", "popTime"), 0),
      .invisible_ms = int_or(either(object, "it", "invisibleTime"), 0),
      .offsets = {}};
  if (out.start < 0) return Error{Errc::kCorrupt, "startOffset: below 0"};
  MQ_TRY(out.offsets, parse_bits(string_or(either(object, "b", "bitSet"), ""), out.start));
  return out;
}

json::object object_of(const BatchAck& ack) {
  return {{"b", text_value(bits_of(ack))},
          {"c", text_value(ack.group)},
          {"it", ack.invisible_ms},
          {"pt", ack.pop_ms},
          {"q", ack.queue_id},
          {"r", text_value(std::to_string(static_cast<int>(ack.retry)))},
          {"rq", ack.revive_queue},
          {"so", ack.start},
          {"t", text_value(ack.topic)}};
}

}  // namespace

Result<BatchAckRequest> decode_batch_ack_request(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  BatchAckRequest out{.broker = string_member(value, "brokerName"), .acks = {}};
  for (const json::value& one : array_member(value, "acks")) {
    MQ_TRY(BatchAck ack, ack_from(one));
    out.acks.push_back(std::move(ack));
  }
  return out;
}

std::string encode_batch_ack_request(const BatchAckRequest& request) {
  json::array acks;
  for (const BatchAck& ack : request.acks) acks.push_back(object_of(ack));
  return to_json(
      json::object{{"acks", std::move(acks)}, {"brokerName", text_value(request.broker)}});
}

}  // namespace mq::wire

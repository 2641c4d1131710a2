#include "wire/pop.h"

#include <fmt/format.h>

#include "wire/fields.h"

namespace mq::wire {
namespace {

// "0", "1", "2".
std::optional<PopRetry> retry_of(std::string_view text) noexcept {
  if (text == "0") return PopRetry::kNone;
  if (text == "1") return PopRetry::kV1;
  if (text == "2") return PopRetry::kV2;
  return std::nullopt;
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = text.find(by);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string start_info(const PopResponse& response) {
  std::string out;
  for (const PopPart& part : response.parts) {
    fmt::format_to(std::back_inserter(out), "{}{} {} {}", out.empty() ? "" : ";",
                   static_cast<int>(part.retry), part.queue_id, part.start);
  }
  return out;
}

std::string offset_info(const PopResponse& response) {
  std::string out;
  for (const PopPart& part : response.parts) {
    fmt::format_to(std::back_inserter(out), "{}{} {} ", out.empty() ? "" : ";",
                   static_cast<int>(part.retry), part.queue_id);
    bool first = true;
    for (const std::int64_t offset : part.offsets)
      fmt::format_to(std::back_inserter(out), "{}{}", std::exchange(first, false) ? "" : ",",
                     offset);
  }
  return out;
}

// Ordered pops are of the topic itself, so that the first field is always 0.
std::string count_info(const PopResponse& response) {
  std::string out;
  for (const PopCounts& counts : response.counts) {
    for (const auto& [offset, count] : counts.each)
      fmt::format_to(std::back_inserter(out), "{}0 qo{}%{} {}", out.empty() ? "" : ";",
                     counts.queue_id, offset, count);
    fmt::format_to(std::back_inserter(out), "{}0 {} {}", out.empty() ? "" : ";", counts.queue_id,
                   counts.least);
  }
  return out;
}

Result<void> parse_starts(std::string_view text, PopResponse& out) {
  for (const std::string_view item : split(text, ';')) {
    const auto fields = split(item, ' ');
    PopPart part;
    const auto retry = fields.size() == 3 ? retry_of(fields[0]) : std::nullopt;
    if (!retry || !parse_integer(fields[1], part.queue_id) || !parse_integer(fields[2], part.start))
      return Error{Errc::kProtocol, fmt::format("startOffsetInfo: '{}'", item)};
    part.retry = *retry;
    out.parts.push_back(std::move(part));
  }
  return {};
}

Result<void> parse_offsets(std::string_view text, PopResponse& out) {
  for (const std::string_view item : split(text, ';')) {
    const auto fields = split(item, ' ');
    std::int32_t queue = 0;
    const auto retry = fields.size() == 3 ? retry_of(fields[0]) : std::nullopt;
    const auto unfit = [&] {
      return Error{Errc::kProtocol, fmt::format("msgOffsetInfo: '{}'", item)};
    };
    if (!retry || !parse_integer(fields[1], queue)) return unfit();
    for (PopPart& part : out.parts) {
      if (part.retry != *retry || part.queue_id != queue) continue;
      for (const std::string_view number : split(fields[2], ',')) {
        std::int64_t offset = 0;
        if (!parse_integer(number, offset)) return unfit();
        part.offsets.push_back(offset);
      }
    }
  }
  return {};
}

}  // namespace

Result<PopRequest> decode_peek_request(const Command& request) {
  const ExtFields& ext = request.ext;
  PopRequest out;
  MQ_TRY(out.group, text_field(ext, "consumerGroup"));
  MQ_TRY(out.topic, text_field(ext, "topic"));
  MQ_TRY(out.queue_id, int32_field(ext, "queueId"));
  MQ_TRY(out.count_max, int32_field(ext, "maxMsgNums"));
  return out;
}

Result<PopRequest> decode_notification_request(const Command& request) {
  const ExtFields& ext = request.ext;
  PopRequest out;
  MQ_TRY(out.group, text_field(ext, "consumerGroup"));
  MQ_TRY(out.topic, text_field(ext, "topic"));
  MQ_TRY(out.queue_id, int32_field(ext, "queueId"));
  MQ_TRY(out.poll_ms, int64_field(ext, "pollTime"));
  MQ_TRY(out.born_ms, optional_integer<std::int64_t>(ext, "bornTime", 0));
  out.order = bool_or(ext, "order", false);
  out.attempt_id = text_or(ext, "attemptId", "");
  return out;
}

Result<PopRequest> decode_pop_request(const Command& request) {
  const ExtFields& ext = request.ext;
  MQ_TRY(PopRequest out, decode_notification_request(request));
  MQ_TRY(out.count_max, int32_field(ext, "maxMsgNums"));
  MQ_TRY(out.invisible_ms, int64_field(ext, "invisibleTime"));
  MQ_TRY(const std::int32_t init_mode, int32_field(ext, "initMode"));
  out.from_max = init_mode != 0;
  out.expression_type = text_or(ext, "expType", "");
  out.expression = text_or(ext, "exp", "");
  return out;
}

void append_pop_request(std::string& out, const Header& header, const PopRequest& request) {
  std::vector<Field> fields = {Field{"consumerGroup", request.group},
                               Field{"topic", request.topic},
                               Field{"queueId", request.queue_id},
                               Field{"maxMsgNums", request.count_max},
                               Field{"invisibleTime", request.invisible_ms},
                               Field{"pollTime", request.poll_ms},
                               Field{"bornTime", request.born_ms},
                               Field{"initMode", request.from_max ? 1 : 0},
                               Field{"order", request.order}};
  if (!request.expression.empty()) {
    fields.emplace_back("expType", request.expression_type);
    fields.emplace_back("exp", request.expression);
  }
  if (!request.attempt_id.empty()) fields.emplace_back("attemptId", request.attempt_id);
  append_frame(out, header, fields, {});
}

void append_pop_response(std::string& out, const Header& header, const PopResponse& response,
                         std::size_t body_bytes) {
  const std::string starts = start_info(response);
  const std::string offsets = offset_info(response);
  const std::string counts = count_info(response);
  std::vector<Field> fields = {
      Field{"popTime", response.pop_ms},         Field{"invisibleTime", response.invisible_ms},
      Field{"reviveQid", response.revive_queue}, Field{"restNum", response.rest},
      Field{"startOffsetInfo", starts},          Field{"msgOffsetInfo", offsets}};
  if (response.order) fields.emplace_back("orderCountInfo", counts);
  append_frame_head(out, header, fields, body_bytes);
}

Result<PopResponse> decode_pop_response(const Command& response) {
  const ExtFields& ext = response.ext;
  PopResponse out;
  MQ_TRY(out.pop_ms, int64_field(ext, "popTime"));
  MQ_TRY(out.invisible_ms, int64_field(ext, "invisibleTime"));
  MQ_TRY(out.revive_queue, int32_field(ext, "reviveQid"));
  MQ_TRY(out.rest, int64_field(ext, "restNum"));
  MQ_CHECK(parse_starts(text_or(ext, "startOffsetInfo", ""), out));
  MQ_CHECK(parse_offsets(text_or(ext, "msgOffsetInfo", ""), out));
  return out;
}

Result<PopHandle> parse_pop_handle(std::string_view text) {
  const auto fields = split(text, ' ');
  const auto unfit = [&] {
    return Error{Errc::kInvalid, fmt::format("extraInfo: '{}' is no receipt handle", text)};
  };
  PopHandle out;
  if (fields.size() < 7) return unfit();
  const auto retry = retry_of(fields[4]);
  if (!retry || !parse_integer(fields[0], out.start) || !parse_integer(fields[1], out.pop_ms) ||
      !parse_integer(fields[2], out.invisible_ms) || !parse_integer(fields[3], out.revive_queue) ||
      !parse_integer(fields[6], out.queue_id)) {
    return unfit();
  }
  constexpr std::int64_t kLimit = std::int64_t{1} << 62;  // sums and differences stay numbers
  if (out.start < 0 || out.start > kLimit || out.pop_ms < 0 || out.pop_ms > kLimit) return unfit();
  out.retry = *retry;
  out.broker = fields[5];
  if (fields.size() > 7 && !parse_integer(fields[7], out.offset)) return unfit();
  return out;
}

std::string to_string(const PopHandle& handle) {
  return fmt::format("{} {} {} {} {} {} {} {}", handle.start, handle.pop_ms, handle.invisible_ms,
                     handle.revive_queue, static_cast<int>(handle.retry), handle.broker,
                     handle.queue_id, handle.offset);
}

Result<PopAckRequest> decode_ack_request(const Command& request) {
  const ExtFields& ext = request.ext;
  PopAckRequest out;
  MQ_TRY(out.group, text_field(ext, "consumerGroup"));
  MQ_TRY(out.topic, text_field(ext, "topic"));
  MQ_TRY(out.queue_id, int32_field(ext, "queueId"));
  MQ_TRY(out.handle, text_field(ext, "extraInfo"));
  MQ_TRY(out.offset, int64_field(ext, "offset"));
  return out;
}

Result<PopAckRequest> decode_change_invisible_request(const Command& request) {
  MQ_TRY(PopAckRequest out, decode_ack_request(request));
  MQ_TRY(out.invisible_ms, int64_field(request.ext, "invisibleTime"));
  return out;
}

void append_ack_request(std::string& out, const Header& header, const PopAckRequest& request) {
  const std::array<Field, 5> fields = {
      Field{"consumerGroup", request.group}, Field{"topic", request.topic},
      Field{"queueId", request.queue_id}, Field{"extraInfo", request.handle},
      Field{"offset", request.offset}};
  append_frame(out, header, fields, {});
}

void append_change_invisible_request(std::string& out, const Header& header,
                                     const PopAckRequest& request) {
  const std::array<Field, 6> fields = {
      Field{"consumerGroup", request.group}, Field{"topic", request.topic},
      Field{"queueId", request.queue_id},    Field{"extraInfo", request.handle},
      Field{"offset", request.offset},       Field{"invisibleTime", request.invisible_ms}};
  append_frame(out, header, fields, {});
}

}  // namespace mq::wire

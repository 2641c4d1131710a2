#include "wire/recall.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "base/base64.h"
#include "wire/fields.h"

namespace mq::wire {
namespace {

constexpr std::string_view kVersion1 = "v1";

}  // namespace

std::string encode_recall_handle(const RecallHandle& handle) {
  const std::string text = fmt::format("{} {} {} {} {}", kVersion1, handle.topic, handle.broker,
                                       handle.deliver_ms, handle.unique_key);
  std::string out;
  append_base64(out, as_bytes(text));
  std::replace(out.begin(), out.end(), '+', '-');
  std::replace(out.begin(), out.end(), '/', '_');
  return out;
}

Result<RecallHandle> decode_recall_handle(std::string_view text) {
  std::string standard(text);
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  MQ_TRY(const std::string plain, decode_base64(standard));
  std::vector<std::string_view> parts;
  std::string_view rest = plain;
  while (parts.size() < 5) {
    const std::size_t end = rest.find(' ');
    parts.push_back(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  RecallHandle out;
  if (parts.size() != 5 || parts[0] != kVersion1 || parts[4].find(' ') != std::string_view::npos ||
      parts[4].empty() || !parse_integer(parts[3], out.deliver_ms)) {
    return Error{Errc::kInvalid, "not the handle of a message"};
  }
  out.topic = parts[1];
  out.broker = parts[2];
  out.unique_key = parts[4];
  return out;
}

Result<RecallRequest> decode_recall_request(const Command& request) {
  RecallRequest out;
  MQ_TRY(out.topic, text_field(request.ext, "topic"));
  MQ_TRY(out.handle, text_field(request.ext, "recallHandle"));
  out.group = text_or(request.ext, "producerGroup", "");
  out.broker_name = text_or(request.ext, "bname", "");
  return out;
}

void append_recall_request(std::string& out, const Header& header, const RecallRequest& request) {
  const std::array<Field, 4> fields = {
      Field{"producerGroup", request.group}, Field{"topic", request.topic},
      Field{"recallHandle", request.handle}, Field{"bname", request.broker_name}};
  append_frame_head(out, header, fields, 0);
}

}  // namespace mq::wire

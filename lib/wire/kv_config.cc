#include "wire/kv_config.h"

#include "wire/codes.h"
#include "wire/fields.h"

namespace mq::wire {
namespace {

constexpr std::string_view kWipeCount = "wipeTopicCount";
constexpr std::string_view kAddCount = "addTopicCount";

}  // namespace

Result<KvRequest> decode_kv_request(const Command& request) {
  KvRequest out;
  MQ_TRY(out.name_space, text_field(request.ext, "namespace"));
  if (request.code == kGetKvlistByNamespace) return out;
  MQ_TRY(out.key, text_field(request.ext, "key"));
  if (request.code == kPutKvConfig) {
    MQ_TRY(out.value, text_field(request.ext, "value"));
  }
  return out;
}

void append_kv_request(std::string& out, const Header& header, const KvRequest& request) {
  const std::array<Field, 3> fields = {Field{"namespace", request.name_space},
                                       Field{"key", request.key}, Field{"value", request.value}};
  const std::size_t count =
      header.code == kPutKvConfig ? 3 : (header.code == kGetKvlistByNamespace ? 1 : 2);
  append_frame_head(out, header, std::span(fields).first(count), 0);
}

Result<std::string_view> decode_kv_response(const Command& response) {
  return text_field(response.ext, "value");
}
void append_kv_response(std::string& out, const Header& header, std::string_view value) {
  append_frame_head(out, header, std::array{Field{"value", value}}, 0);
}

Result<std::string_view> decode_write_perm_request(const Command& request) {
  return text_field(request.ext, "brokerName");
}
void append_write_perm_request(std::string& out, const Header& header, std::string_view broker) {
  append_frame_head(out, header, std::array{Field{"brokerName", broker}}, 0);
}
void append_write_perm_response(std::string& out, const Header& header, bool wipe,
                                std::int32_t topics) {
  append_frame_head(out, header, std::array{Field{wipe ? kWipeCount : kAddCount, topics}}, 0);
}
Result<std::int32_t> decode_write_perm_response(const Command& response) {
  if (response.ext.find(kWipeCount)) return int32_field(response.ext, kWipeCount);
  return int32_field(response.ext, kAddCount);
}

}  // namespace mq::wire

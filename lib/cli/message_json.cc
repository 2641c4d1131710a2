#include "cli/message_json.h"

#include <fmt/format.h>

#include "base/json.h"
#include "cli/base64.h"
#include "format/message_id.h"
#include "format/properties.h"

namespace mq::cli {
namespace {

void key(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  out += '"';
  out += name;
  out += "\":";
}
void text_field(std::string& out, std::string_view name, std::string_view value) {
  key(out, name);
  append_json_string(out, value);
}
void number_field(std::string& out, std::string_view name, std::int64_t value) {
  key(out, name);
  const fmt::format_int text(value);
  out.append(text.data(), text.size());
}

void null_field(std::string& out, std::string_view name) {
  key(out, name);
  out += "null";
}

void keys_field(std::string& out, std::string_view keys) {
  key(out, "keys");
  out += '[';
  format::for_each_key(keys, [&out](std::string_view each) {
    if (out.back() != '[') out += ',';
    append_json_string(out, each);
  });
  out += ']';
}

void properties_field(std::string& out, std::string_view properties, bool all) {
  key(out, "properties");
  out += '{';
  for (const format::Property& p : format::parse_properties(properties)) {
    if (!all && (p.name == format::kTags || p.name == format::kKeys || p.name == format::kUniqKey))
      continue;
    if (out.back() != '{') out += ',';
    append_json_string(out, p.name);
    out += ':';
    append_json_string(out, p.value);
  }
  out += '}';
}

void body_field(std::string& out, Bytes body) {
  if (is_utf8(as_text(body))) return text_field(out, "body", as_text(body));
  key(out, "body64");
  out += '"';
  append_base64(out, body);
  out += '"';
}

}  // namespace

void append_message_json(std::string& out, const Message& message,
                         const MessageJsonOptions& options) {
  const format::Record& r = *message.record;
  const auto offset_id = [&] {
    key(out, "offsetMsgId");
    out += '"';
    format::append_offset_message_id(out, r.store_host, r.physical_offset);
    out += '"';
  };
  out += '{';
  number_field(out, "v", 1);
  text_field(out, "topic", r.topic);
  if (!message.broker.empty()) text_field(out, "broker", message.broker);
  number_field(out, "queue", r.queue_id);
  number_field(out, "offset", r.queue_offset.value());
  number_field(out, "physicalOffset", r.physical_offset.value());
  number_field(out, "size", r.total_bytes);
  const auto unique = format::find_property(r.properties, format::kUniqKey);
  if (unique) {
    text_field(out, "msgId", *unique);
  } else {
    null_field(out, "msgId");
  }
  offset_id();
  if (const auto tag = format::find_property(r.properties, format::kTags)) {
    text_field(out, "tag", *tag);
  } else {
    null_field(out, "tag");
  }
  keys_field(out, format::find_property(r.properties, format::kKeys).value_or(""));
  properties_field(out, r.properties, options.all_properties);
  if (!options.headers_only) body_field(out, message.body);
  number_field(out, "bornTime", r.born_timestamp_ms);
  number_field(out, "storeTime", r.store_timestamp_ms);
  text_field(out, "bornHost", format::to_string(r.born_host));
  text_field(out, "storeHost", format::to_string(r.store_host));
  number_field(out, "sysFlag", r.sys_flag);
  number_field(out, "flag", r.flag);
  number_field(out, "reconsumeTimes", r.reconsume_times);
  number_field(out, "bodyCrc", r.body_crc);
  text_field(out, "transaction", format::transaction_name(r.transaction_type()));
  out += '}';
}

}  // namespace mq::cli

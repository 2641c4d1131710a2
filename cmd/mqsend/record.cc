#include "record.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/json.h"
#include "cli/base64.h"
#include "format/properties.h"

namespace mq::mqsend {
namespace {

// Every field of the JSON schema; only some are used.
constexpr std::array<std::string_view, 25> kKnownFields = {
    "v",       "topic",  "broker",         "queue",     "offset",      "physicalOffset",
    "size",    "msgId",  "offsetMsgId",    "tag",       "keys",        "properties",
    "body",    "body64", "bornTime",       "storeTime", "bornHost",    "storeHost",
    "sysFlag", "flag",   "reconsumeTimes", "bodyCrc",   "transaction", "delay",
    "number"};

std::string text_of(const json::value& value) { return string_or(&value, ""); }

void add_key(std::string& keys, std::string_view key) {
  if (key.empty()) return;
  if (!keys.empty()) keys += ' ';
  keys += key;
}

Result<std::string> decoded_body(std::string_view name, const json::value& value) {
  if (!value.is_string()) return Error{Errc::kCorrupt, fmt::format("{} is not a string", name)};
  std::string text = text_of(value);
  if (name == "body") return text;
  auto raw = cli::decode_base64(text);
  if (!raw) return Error{Errc::kCorrupt, "body64: " + raw.error().text()};
  return raw;
}

}  // namespace

Result<RecordParser> RecordParser::create(const Options& options) {
  RecordParser parser(options);
  if (!options.format.empty()) {
    const bool delimited = options.split == Split::kDelimiter;
    MQ_TRY(parser.format_,
           FieldFormat::compile(options.format, delimited ? options.delimiter : std::string()));
  }
  if (!options.tag.empty()) format::append_property(parser.fixed_, format::kTags, options.tag);
  for (const auto& [name, value] : options.properties)
    format::append_property(parser.fixed_, name, value);
  const auto add_number = [&](std::string_view name, std::int64_t number) {
    if (number > 0) format::append_property(parser.fixed_, name, std::to_string(number));
  };
  add_number(format::kDelay, options.delay_level);
  add_number(format::kTimerDelayMs, options.delay_ms);
  add_number(format::kTimerDeliverMs, options.deliver_ms);
  if (options.transaction) {
    format::append_property(parser.fixed_, format::kTransaction, "true");
    format::append_property(parser.fixed_, format::kProducerGroup, options.producer_group);
  }
  return parser;
}

Result<void> RecordParser::use_member(std::string_view name, const json::value& value,
                                      bool& has_body) {
  if (name == "body" || name == "body64") {
    MQ_TRY(fields_.body, decoded_body(name, value));
    has_body = true;
  } else if (name == "keys") {
    if (value.is_array()) {
      for (const auto& key : value.get_array()) add_key(fields_.key, text_of(key));
    } else {
      add_key(fields_.key, text_of(value));
    }
  } else if (name == "tag") {
    fields_.properties.emplace_back(format::kTags, text_of(value));
  } else if (name == "topic") {
    fields_.topic = text_of(value);
  } else if (name == "queue") {
    fields_.queue = int_or(&value, -1);
  } else if (name == "properties") {
    if (!value.is_object()) return Error{Errc::kCorrupt, "properties is not an object"};
    for (const auto& [key, text] : value.get_object()) {
      const std::string_view property(key.data(), key.size());
      // Has a field of its own, or is set again on the way.
      if (property == format::kKeys || property == format::kTags || is_set_on_the_way(property))
        continue;
      fields_.properties.emplace_back(property, text_of(text));
    }
  } else if (!options_->lax &&
             std::find(kKnownFields.begin(), kKnownFields.end(), name) == kKnownFields.end()) {
    return Error{Errc::kCorrupt, fmt::format("unknown field '{}' (--lax passes over it)", name)};
  }
  return {};
}

Result<std::string_view> RecordParser::parse_json_record(std::string_view record) {
  auto value = parse_json(record);
  if (!value) return Error{Errc::kCorrupt, "not JSON: " + value.error().text()};
  if (!value->is_object()) return Error{Errc::kCorrupt, "not a JSON object"};
  bool has_body = false;
  for (const auto& [name, field] : value->get_object()) {
    if (field.is_null()) continue;
    MQ_CHECK(use_member(std::string_view(name.data(), name.size()), field, has_body));
  }
  if (!has_body) return Error{Errc::kCorrupt, "neither body nor body64"};
  return std::string_view(fields_.body);
}

// Sets fields_; returns the body.
Result<std::string_view> RecordParser::parse_fields(std::string_view record) {
  if (options_->json) return parse_json_record(record);
  if (format_) {
    MQ_CHECK(format_->parse(record, fields_));
    return std::string_view(fields_.body);
  }
  if (options_->key_delimiter.empty()) return record;
  const std::size_t split = record.find(options_->key_delimiter);
  if (split == std::string_view::npos) return Error{Errc::kCorrupt, "no key delimiter in it"};
  fields_.key = record.substr(0, split);
  return record.substr(split + options_->key_delimiter.size());
}

Result<void> RecordParser::encode_properties(std::int64_t now_ms) {
  const auto append = [this](std::string_view name, std::string_view value) -> Result<void> {
    if (value.empty()) return {};
    if (auto done = format::check_property(name, value); !done)
      return Error{Errc::kCorrupt, done.error().text()};
    format::append_property(properties_, name, value);
    return {};
  };
  properties_.assign(format::kUniqKey);
  properties_ += format::kNameEnd;
  const std::size_t id_at = properties_.size();
  properties_.resize(id_at + 32);
  maker_.make(now_ms, properties_.data() + id_at);
  properties_ += format::kPairEnd;
  MQ_CHECK(append(format::kKeys, fields_.key));
  for (const auto& [name, value] : fields_.properties) MQ_CHECK(append(name, value));
  properties_ += fixed_;
  if (properties_.size() > format::kPropertiesBytesMax) {
    return Error{Errc::kCorrupt, fmt::format("properties of {} bytes, the limit is {}",
                                             properties_.size(), format::kPropertiesBytesMax)};
  }
  return {};
}

Result<Outgoing> RecordParser::parse(std::string_view record, std::int64_t now_ms) {
  fields_.clear();
  MQ_TRY(const std::string_view body, parse_fields(record));
  for (const std::string& key : options_->keys) add_key(fields_.key, key);
  MQ_CHECK(encode_properties(now_ms));
  Outgoing out{.body = body,
               .properties = properties_,
               .id = std::string_view(properties_).substr(format::kUniqKey.size() + 1, 32),
               .alone = is_delayed(*options_) || options_->transaction};
  if (options_->use_topic) {
    if (fields_.topic.empty()) return Error{Errc::kCorrupt, "no topic in it (--use topic)"};
    out.topic = fields_.topic;
  }
  if (options_->use_queue) {
    if (fields_.queue < 0) return Error{Errc::kCorrupt, "no queue in it (--use queue)"};
    out.queue = static_cast<std::int32_t>(fields_.queue);
  }
  if (!options_->shard_by.empty()) {
    const std::string_view name =
        options_->shard_by == "key" ? format::kKeys : std::string_view(options_->shard_by);
    const auto value = format::find_property(properties_, name);
    if (!value) return Error{Errc::kCorrupt, fmt::format("no {} to shard by", name)};
    out.shard_hash = static_cast<std::uint32_t>(java_string_hash(*value));
  }
  return out;
}

}  // namespace mq::mqsend

#include "record.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/json.h"
#include "cli/base64.h"
#include "cli/message_format.h"
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

bool is_broker_property(std::string_view name) {
  return name == "MSG_REGION" || name == "TRACE_ON" || name == "CLUSTER" || name == "WAIT";
}

// A message that was delivered late still says how it was; its copy is not to wait once more.
bool is_delay_property(std::string_view name) {
  return name == format::kDelay || name == format::kRealTopic || name == format::kRealQueueId ||
         name.starts_with("TIMER_");
}

}  // namespace

Result<RecordParser> RecordParser::create(const Options& options) {
  RecordParser parser(options);
  if (!options.format.empty()) MQ_CHECK(parser.compile(options.format));
  if (!options.tag.empty()) format::append_property(parser.fixed_, format::kTags, options.tag);
  for (const auto& [name, value] : options.properties)
    format::append_property(parser.fixed_, name, value);
  if (options.delay_level > 0)
    format::append_property(parser.fixed_, format::kDelay, std::to_string(options.delay_level));
  return parser;
}

Result<void> RecordParser::compile(std::string_view format) {
  std::string* literal = &before_;
  for (std::size_t at = 0; at < format.size();) {
    if (format[at] != '%') {
      const std::size_t next = std::min(format.find('%', at), format.size());
      MQ_TRY(const std::string text, cli::unescape(format.substr(at, next - at)));
      *literal += text;
      at = next;
      continue;
    }
    if (at + 1 >= format.size()) return Error{Errc::kInvalid, "-F: a percent sign at the end"};
    const char letter = format[at + 1];
    at += 2;
    if (letter == '%') {
      *literal += '%';
      continue;
    }
    Field field{letter, {}, {}};
    if (letter == 'H') {
      const std::size_t close = format.find('}', at);
      if (at >= format.size() || format[at] != '{' || close == std::string_view::npos) {
        return Error{Errc::kInvalid, "-F: %H needs {NAME}"};
      }
      field.name = format.substr(at + 1, close - at - 1);
      at = close + 1;
    } else if (letter != 'k' && letter != 'g' && letter != 's') {
      return Error{
          Errc::kInvalid,
          fmt::format("-F: %{} is not a field of an input; known are %k %g %s %H{{NAME}}", letter)};
    }
    if (!fields_.empty() && fields_.back().behind.empty())
      return Error{Errc::kInvalid, "-F: two fields with nothing between"};
    fields_.push_back(std::move(field));
    literal = &fields_.back().behind;
  }
  if (fields_.empty()) return Error{Errc::kInvalid, "-F: no field"};
  // The record's own delimiter has been taken off already.
  std::string& last = fields_.back().behind;
  if (options_->split == Split::kDelimiter && last.ends_with(options_->delimiter)) {
    last.resize(last.size() - options_->delimiter.size());
  }
  return {};
}

Result<std::string_view> RecordParser::parse_fields(std::string_view record) {
  if (!record.starts_with(before_))
    return Error{Errc::kCorrupt, fmt::format("does not begin with '{}'", before_)};
  record.remove_prefix(before_.size());
  std::string_view body;
  for (const Field& field : fields_) {
    std::string_view value = record;
    if (!field.behind.empty()) {
      const std::size_t end = record.find(field.behind);
      if (end == std::string_view::npos)
        return Error{Errc::kCorrupt, fmt::format("no '{}' behind %{}", field.behind, field.letter)};
      value = record.substr(0, end);
      record.remove_prefix(end + field.behind.size());
    }
    if (field.letter == 's') body = value;
    if (field.letter == 'k') key_ = value;
    if (field.letter == 'g' && !value.empty()) named_.emplace_back(format::kTags, value);
    if (field.letter == 'H' && !value.empty()) named_.emplace_back(field.name, value);
  }
  return body;
}

Result<std::string_view> RecordParser::parse_json_record(std::string_view record) {
  auto value = parse_json(record);
  if (!value) return Error{Errc::kCorrupt, "not JSON: " + value.error().text()};
  if (!value->is_object()) return Error{Errc::kCorrupt, "not a JSON object"};
  bool has_body = false;
  for (const auto& [name, field] : value->get_object()) {
    const std::string_view key(name.data(), name.size());
    if (field.is_null()) continue;
    if (key == "body" || key == "body64") {
      if (!field.is_string()) return Error{Errc::kCorrupt, fmt::format("{} is not a string", key)};
      body_ = string_or(&field, "");
      if (key == "body64") {
        auto raw = cli::decode_base64(body_);
        if (!raw) return Error{Errc::kCorrupt, "body64: " + raw.error().text()};
        body_ = std::move(*raw);
      }
      has_body = true;
    } else if (key == "keys") {
      if (field.is_string()) key_ = string_or(&field, "");
      if (field.is_array()) {
        for (const auto& one : field.get_array())
          key_ += (key_.empty() ? "" : " ") + string_or(&one, "");
      }
    } else if (key == "tag") {
      named_.emplace_back(format::kTags, string_or(&field, ""));
    } else if (key == "properties") {
      if (!field.is_object()) return Error{Errc::kCorrupt, "properties is not an object"};
      for (const auto& [property, text] : field.get_object()) {
        const std::string property_name(property.data(), property.size());
        if (property_name == format::kKeys || property_name == format::kTags ||
            property_name == format::kUniqKey || is_broker_property(property_name) ||
            is_delay_property(property_name)) {
          continue;  // has a field of its own, or is set again on the way
        }
        named_.emplace_back(property_name, string_or(&text, ""));
      }
    } else if (!options_->lax &&
               std::find(kKnownFields.begin(), kKnownFields.end(), key) == kKnownFields.end()) {
      return Error{Errc::kCorrupt, fmt::format("unknown field '{}' (--lax passes over it)", key)};
    }
  }
  if (!has_body) return Error{Errc::kCorrupt, "neither body nor body64"};
  return std::string_view(body_);
}

Result<Outgoing> RecordParser::parse(std::string_view record, std::int64_t now_ms) {
  key_.clear();
  named_.clear();
  std::string_view body = record;
  if (options_->json) {
    MQ_TRY(body, parse_json_record(record));
  } else if (!fields_.empty()) {
    MQ_TRY(body, parse_fields(record));
  } else if (!options_->key_delimiter.empty()) {
    const std::size_t split = record.find(options_->key_delimiter);
    if (split == std::string_view::npos) return Error{Errc::kCorrupt, "no key delimiter in it"};
    key_ = record.substr(0, split);
    body = record.substr(split + options_->key_delimiter.size());
  }
  for (const std::string& key : options_->keys) key_ += (key_.empty() ? "" : " ") + key;

  properties_.assign(format::kUniqKey);
  properties_ += format::kNameEnd;
  const std::size_t id_at = properties_.size();
  properties_.resize(id_at + 32);
  maker_.make(now_ms, properties_.data() + id_at);
  properties_ += format::kPairEnd;
  if (!key_.empty()) {
    if (auto done = format::check_property(format::kKeys, key_); !done)
      return Error{Errc::kCorrupt, done.error().text()};
    format::append_property(properties_, format::kKeys, key_);
  }
  for (const auto& [name, value] : named_) {
    if (value.empty()) continue;
    if (auto done = format::check_property(name, value); !done)
      return Error{Errc::kCorrupt, done.error().text()};
    format::append_property(properties_, name, value);
  }
  properties_ += fixed_;
  if (properties_.size() > format::kPropertiesBytesMax) {
    return Error{Errc::kCorrupt, fmt::format("properties of {} bytes, the limit is {}",
                                             properties_.size(), format::kPropertiesBytesMax)};
  }
  Outgoing out{body, properties_, std::string_view(properties_).substr(id_at, 32)};
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

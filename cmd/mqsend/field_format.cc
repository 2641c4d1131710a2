#include "field_format.h"

#include <charconv>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/json.h"
#include "cli/base64.h"
#include "cli/message_format.h"
#include "format/properties.h"

namespace mq::mqsend {
namespace {

constexpr std::string_view kUsed = "kgshHptS";
constexpr std::string_view kPassedOver = "obiIPTBrn";
constexpr std::string_view kNumbers = "SpoPTBrn";

// {text} at `at`, or nothing.
Result<std::string_view> take_braces(std::string_view format, std::size_t& at) {
  if (at >= format.size() || format[at] != '{') return std::string_view();
  const std::size_t close = format.find('}', at);
  if (close == std::string_view::npos)
    return Error{Errc::kInvalid, fmt::format("-F: '{{' at {} is not closed", at)};
  const std::string_view inside = format.substr(at + 1, close - at - 1);
  at = close + 1;
  return inside;
}

// The bytes of the JSON string that `text` begins with, quotes included; 0: there is none.
std::size_t json_string_bytes(std::string_view text) {
  if (!text.starts_with('"')) return 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return 0;
}

Result<std::string> decode_hex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    const char* const end = text.data() + std::min(i + 2, text.size());
    const auto [stop, error] = std::from_chars(text.data() + i, end, value, 16);
    if (i + 2 > text.size() || error != std::errc() || stop != end)
      return Error{Errc::kCorrupt, "not hexadecimal"};
    out += static_cast<char>(value);
  }
  return out;
}

Result<std::int64_t> to_number(char letter, std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end)
    return Error{Errc::kCorrupt, fmt::format("%{}: '{}' is not a number", letter, text)};
  return value;
}

// "a=1,b=2", as %h prints.
Result<void> add_properties(std::string_view text, RecordFields& out) {
  while (!text.empty()) {
    const std::size_t end = text.find(',');
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return Error{Errc::kCorrupt, fmt::format("%h: '{}' is not NAME=VALUE", pair)};
    const std::string_view name = pair.substr(0, equals);
    if (name == format::kKeys) {
      out.key = pair.substr(equals + 1);
    } else if (!is_set_on_the_way(name)) {
      out.properties.emplace_back(name, pair.substr(equals + 1));
    }
  }
  return {};
}

// The copy of a message that was part of a transaction is one of its own, not once more a half one.
bool is_of_a_transaction(std::string_view name) {
  return name == format::kTransaction || name == format::kProducerGroup ||
         name == format::kTransactionId || name == format::kCheckTimes ||
         name == format::kFirstHalfOffset || name == format::kCheckImmunitySec;
}

}  // namespace

bool is_set_on_the_way(std::string_view name) {
  if (name == format::kUniqKey || name == format::kWait || name == "MSG_REGION" ||
      name == "TRACE_ON" || name == "CLUSTER") {
    return true;
  }
  // A message that was delivered late still says how it was; its copy is not to wait once more.
  return name == format::kDelay || name == format::kRealTopic || name == format::kRealQueueId ||
         name.starts_with("TIMER_") || is_of_a_transaction(name);
}

void RecordFields::clear() {
  key.clear();
  body.clear();
  topic.clear();
  queue = -1;
  properties.clear();
}

bool FieldFormat::ends_itself(const Field& field) const {
  return !field.behind.empty() || field.modifier == Modifier::kBe32 ||
         field.modifier == Modifier::kJson ||
         (field.letter == 's' && field.modifier == Modifier::kNone && has_length_);
}

Result<void> FieldFormat::add_field(std::string_view format, std::size_t& at) {
  Field field{.letter = format[at++], .name = {}, .behind = {}};
  if (kUsed.find(field.letter) == std::string_view::npos &&
      kPassedOver.find(field.letter) == std::string_view::npos) {
    return Error{Errc::kInvalid,
                 fmt::format("-F: %{} is not a field; known are %s %S %k %g %h %H{{NAME}} %t %p %o "
                             "%b %i %I %P %T %B %r %n",
                             field.letter)};
  }
  if (field.letter == 'H') {
    MQ_TRY(field.name, take_braces(format, at));
    if (field.name.empty()) return Error{Errc::kInvalid, "-F: %H needs {NAME}"};
  }
  MQ_TRY(const std::string_view modifier, take_braces(format, at));
  if (modifier == "hex") field.modifier = Modifier::kHex;
  if (modifier == "base64") field.modifier = Modifier::kBase64;
  if (modifier == "json") field.modifier = Modifier::kJson;
  if (modifier == "be32" && kNumbers.find(field.letter) != std::string_view::npos)
    field.modifier = Modifier::kBe32;
  if (!modifier.empty() && field.modifier == Modifier::kNone) {
    return Error{Errc::kInvalid,
                 fmt::format("-F: {{{}}} does not fit %{}", modifier, field.letter)};
  }
  if (!fields_.empty() && !ends_itself(fields_.back()))
    return Error{Errc::kInvalid, "-F: two fields with nothing between"};
  has_length_ = has_length_ || field.letter == 'S';
  fields_.push_back(std::move(field));
  return {};
}

Result<FieldFormat> FieldFormat::compile(std::string_view format, std::string_view delimiter) {
  FieldFormat out;
  for (std::size_t at = 0; at < format.size();) {
    std::string& literal = out.fields_.empty() ? out.before_ : out.fields_.back().behind;
    if (format[at] != '%') {
      const std::size_t next = std::min(format.find('%', at), format.size());
      MQ_TRY(const std::string text, cli::unescape(format.substr(at, next - at)));
      literal += text;
      at = next;
    } else if (at + 1 >= format.size()) {
      return Error{Errc::kInvalid, "-F: a percent sign at the end; write %% for one"};
    } else if (format[at + 1] == '%') {
      literal += '%';
      at += 2;
    } else {
      MQ_CHECK(out.add_field(format, ++at));
    }
  }
  if (out.fields_.empty()) return Error{Errc::kInvalid, "-F: no field"};
  std::string& last = out.fields_.back().behind;
  if (!delimiter.empty() && last.ends_with(delimiter)) last.resize(last.size() - delimiter.size());
  out.fields_.back().is_last = true;
  return out;
}

// The raw text of a field, and what ends it, are taken from the front of the record.
Result<std::string_view> FieldFormat::take(const Field& field, std::string_view& record,
                                           std::int64_t length) {
  std::size_t bytes = record.size();
  if (field.modifier == Modifier::kBe32) {
    bytes = 4;
  } else if (field.modifier == Modifier::kJson && record.starts_with('"')) {
    bytes = json_string_bytes(record);
    if (bytes == 0) return Error{Errc::kCorrupt, "a JSON string that does not end"};
  } else if (field.letter == 's' && field.modifier == Modifier::kNone && length >= 0) {
    bytes = static_cast<std::size_t>(length);
  } else if (!field.behind.empty()) {
    bytes = record.find(field.behind);
    if (bytes == std::string_view::npos)
      return Error{Errc::kCorrupt, fmt::format("no '{}' behind %{}", field.behind, field.letter)};
  }
  if (bytes > record.size())
    return Error{Errc::kCorrupt, fmt::format("ends within %{}", field.letter)};
  const std::string_view raw = record.substr(0, bytes);
  record.remove_prefix(bytes);
  if (!record.starts_with(field.behind) || (field.is_last && record.size() > field.behind.size()))
    return Error{Errc::kCorrupt,
                 fmt::format("expected '{}' behind %{}", field.behind, field.letter)};
  record.remove_prefix(field.behind.size());
  return raw;
}

Result<std::string> FieldFormat::decoded(const Field& field, std::string_view raw) {
  switch (field.modifier) {
    case Modifier::kHex:
      return decode_hex(raw);
    case Modifier::kBase64: {
      auto out = cli::decode_base64(raw);
      if (!out) return Error{Errc::kCorrupt, out.error().text()};
      return out;
    }
    case Modifier::kJson: {
      MQ_TRY(const json::value value, parse_json(raw));
      return string_or(&value, "");
    }
    case Modifier::kBe32:
      return std::to_string(load_be<std::int32_t>(as_bytes(raw).data()));
    case Modifier::kNone:
      break;
  }
  return std::string(raw);
}

Result<void> FieldFormat::use(const Field& field, std::string value, RecordFields& out,
                              std::int64_t& length) {
  switch (field.letter) {
    case 's':
      out.body = std::move(value);
      return {};
    case 'k':
      out.key = std::move(value);
      return {};
    case 't':
      out.topic = std::move(value);
      return {};
    case 'g':
      if (!value.empty()) out.properties.emplace_back(format::kTags, std::move(value));
      return {};
    case 'H':
      if (!value.empty()) out.properties.emplace_back(field.name, std::move(value));
      return {};
    case 'h':
      return add_properties(value, out);
    case 'p': {
      MQ_TRY(out.queue, to_number('p', value));
      return {};
    }
    case 'S': {
      MQ_TRY(length, to_number('S', value));
      if (length < 0) return Error{Errc::kCorrupt, "%S: a negative length"};
      return {};
    }
    default:
      return {};  // says where the message once was
  }
}

Result<void> FieldFormat::parse(std::string_view record, RecordFields& out) const {
  if (!record.starts_with(before_))
    return Error{Errc::kCorrupt, fmt::format("does not begin with '{}'", before_)};
  record.remove_prefix(before_.size());
  std::int64_t length = -1;
  for (const Field& field : fields_) {
    MQ_TRY(const std::string_view raw, take(field, record, length));
    MQ_TRY(std::string value, decoded(field, raw));
    MQ_CHECK(use(field, std::move(value), out, length));
  }
  return {};
}

}  // namespace mq::mqsend

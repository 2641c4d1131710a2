#include "cli/message_format.h"

#include <array>
#include <ctime>

#include <fmt/format.h>

#include "base/json.h"
#include "cli/base64.h"
#include "format/message_id.h"
#include "format/properties.h"

namespace mq::cli {
namespace {

constexpr std::string_view kTextLetters = "skghHtbiI";
constexpr std::string_view kNumberLetters = "SpoPTBrn";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// One escape behind the backslash at text[at-1]; advances `at` behind it.
Result<char> take_escape(std::string_view text, std::size_t& at) {
  if (at >= text.size()) return Error{Errc::kInvalid, "a backslash at the end escapes nothing"};
  switch (const char c = text[at++]) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case '0':
      return '\0';
    case '\\':
      return '\\';
    case 'x': {
      if (at + 2 > text.size() || hex_digit(text[at]) < 0 || hex_digit(text[at + 1]) < 0) {
        return Error{Errc::kInvalid,
                     fmt::format("\\x at {}: expected two hexadecimal digits", at - 2)};
      }
      const int value = hex_digit(text[at]) * 16 + hex_digit(text[at + 1]);
      at += 2;
      return static_cast<char>(value);
    }
    default:
      return Error{
          Errc::kInvalid,
          fmt::format("\\{} at {}: expected one of \\n \\t \\r \\0 \\\\ \\xNN", c, at - 2)};
  }
}

// What stands in braces at text[at], if anything does; advances `at` behind it.
Result<std::optional<std::string_view>> take_braces(std::string_view text, std::size_t& at) {
  if (at >= text.size() || text[at] != '{') return std::optional<std::string_view>();
  const std::size_t end = text.find('}', at);
  if (end == std::string_view::npos)
    return Error{Errc::kInvalid, fmt::format("'{{' at {} is not closed", at)};
  const std::string_view inside = text.substr(at + 1, end - at - 1);
  at = end + 1;
  return std::optional<std::string_view>(inside);
}

void append_properties(std::string& out, std::string_view properties) {
  const std::size_t start = out.size();
  for (const format::Property& p : format::parse_properties(properties)) {
    if (out.size() != start) out += ',';
    out.append(p.name).append("=").append(p.value);
  }
}

void append_text(std::string& out, const Message& m, char letter, const std::string& name) {
  const format::Record& r = *m.record;
  const auto property = [&](std::string_view key) {
    out += format::find_property(r.properties, key).value_or("");
  };
  switch (letter) {
    case 's':
      out += as_text(m.body);
      return;
    case 'k':
      return property(format::kKeys);
    case 'g':
      return property(format::kTags);
    case 'h':
      return append_properties(out, r.properties);
    case 'H':
      return property(name);
    case 't':
      out += r.topic;
      return;
    case 'b':
      out += m.broker;
      return;
    case 'i':
      if (const auto unique = format::find_property(r.properties, format::kUniqKey)) {
        out += *unique;
        return;
      }
      [[fallthrough]];
    default:
      format::append_offset_message_id(out, r.store_host, r.physical_offset);
  }
}

std::int64_t number_of(const Message& m, char letter) {
  const format::Record& r = *m.record;
  switch (letter) {
    case 'S':
      return static_cast<std::int64_t>(m.body.size());
    case 'p':
      return r.queue_id;
    case 'o':
      return r.queue_offset.value();
    case 'P':
      return r.physical_offset.value();
    case 'T':
      return r.store_timestamp_ms;
    case 'B':
      return r.born_timestamp_ms;
    case 'r':
      return r.reconsume_times;
    default:
      return m.number;
  }
}

void append_strftime(std::string& out, std::int64_t ms, const std::string& format) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  std::array<char, 256> text{};
  out.append(text.data(), std::strftime(text.data(), text.size(), format.c_str(), &parts));
}

}  // namespace

Result<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      out += text[at++];
      continue;
    }
    MQ_TRY(const char c, take_escape(text, ++at));
    out += c;
  }
  return out;
}

Result<MessageFormat> MessageFormat::compile(std::string_view text) {
  MessageFormat out;
  const auto literal = [&](char c) {
    if (out.parts_.empty() || out.parts_.back().letter != 0) out.parts_.emplace_back();
    out.parts_.back().text += c;
  };
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at++];
    if (c == '\\') {
      MQ_TRY(const char escaped, take_escape(text, at));
      literal(escaped);
      continue;
    }
    if (c != '%') {
      literal(c);
      continue;
    }
    if (at >= text.size())
      return Error{Errc::kInvalid, "a percent sign at the end; write %% for one"};
    Part part;
    part.letter = text[at++];
    if (part.letter == '%') {
      literal('%');
      continue;
    }
    const bool number = kNumberLetters.find(part.letter) != std::string_view::npos;
    if (!number && kTextLetters.find(part.letter) == std::string_view::npos) {
      return Error{
          Errc::kInvalid,
          fmt::format(
              "%{} at {} is not a field; known are %s %S %k %g %h %H{{NAME}} %t %p %o %b %i "
              "%I %P %T %B %r %n",
              part.letter, at - 2)};
    }
    if (part.letter == 'H') {
      MQ_TRY(const auto name, take_braces(text, at));
      if (!name || name->empty())
        return Error{Errc::kInvalid, fmt::format("%H at {}: expected {{NAME}}", at - 2)};
      part.name = *name;
    }
    const std::size_t before = at;
    MQ_TRY(const auto modifier, take_braces(text, at));
    if (modifier) {
      const bool time = part.letter == 'T' || part.letter == 'B';
      if (*modifier == "hex") {
        part.modifier = Modifier::kHex;
      } else if (*modifier == "base64") {
        part.modifier = Modifier::kBase64;
      } else if (*modifier == "json") {
        part.modifier = Modifier::kJson;
      } else if (*modifier == "be32" && number) {
        part.modifier = Modifier::kBe32;
      } else if (modifier->starts_with("strftime:") && time) {
        part.modifier = Modifier::kStrftime;
        part.text = modifier->substr(9);
      } else {
        return Error{Errc::kInvalid,
                     fmt::format("{{{}}} at {} does not fit %{}", *modifier, before, part.letter)};
      }
    }
    out.parts_.push_back(std::move(part));
  }
  return out;
}

void MessageFormat::append(std::string& out, const Message& message) const {
  thread_local std::string scratch;
  for (const Part& part : parts_) {
    if (part.letter == 0) {
      out += part.text;
      continue;
    }
    const bool number = kNumberLetters.find(part.letter) != std::string_view::npos;
    if (number && (part.modifier == Modifier::kNone || part.modifier == Modifier::kJson)) {
      const fmt::format_int digits(number_of(message, part.letter));
      out.append(digits.data(), digits.size());
      continue;
    }
    if (part.modifier == Modifier::kBe32) {
      std::array<std::byte, 4> raw{};
      store_be(raw.data(), static_cast<std::int32_t>(number_of(message, part.letter)));
      out += as_text(raw);
      continue;
    }
    if (part.modifier == Modifier::kStrftime) {
      append_strftime(out, number_of(message, part.letter), part.text);
      continue;
    }
    if (part.modifier == Modifier::kNone) {
      append_text(out, message, part.letter, part.name);
      continue;
    }
    scratch.clear();
    if (number) {
      scratch = std::to_string(number_of(message, part.letter));
    } else {
      append_text(scratch, message, part.letter, part.name);
    }
    if (part.modifier == Modifier::kJson) append_json_string(out, scratch);
    if (part.modifier == Modifier::kBase64) append_base64(out, as_bytes(scratch));
    if (part.modifier == Modifier::kHex) {
      for (const char c : scratch)
        fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
    }
  }
}

}  // namespace mq::cli

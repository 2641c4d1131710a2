// Text on its way into JSON: the part of base/json.h that needs no values.
#include "base/json.h"
#include "base/utf8.h"

namespace mq {
namespace {

constexpr std::string_view kReplacementUtf8 = "\xEF\xBF\xBD";

[[nodiscard]] bool is_plain(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\';
}

void append_escape(std::string& out, char c) {
  constexpr char kHex[] = "0123456789ABCDEF";
  switch (c) {
    case '"':
    case '\\':
      out += '\\';
      out += c;
      return;
    case '\b':
      out += "\\b";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 0x0F];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t start = at;
    while (at < text.size() && is_plain(text[at])) ++at;
    out.append(text.data() + start, at - start);
    if (at == text.size()) break;
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      append_escape(out, text[at++]);
      continue;
    }
    const std::size_t sequence = at;
    if (next_code_point(text, at) == kReplacementPoint)
      out += kReplacementUtf8;
    else
      out.append(text.data() + sequence, at - sequence);
  }
  out += '"';
}

bool is_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t start = at;
    if (next_code_point(text, at) == kReplacementPoint &&
        text.substr(start, at - start) != kReplacementUtf8)
      return false;
  }
  return true;
}

}  // namespace mq

#include "hex_sheet.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json.h"

namespace mq::mqdump {
namespace {

using inspect::Field;

constexpr std::size_t kBytesALine = 16;
constexpr std::size_t kBodyShown = 256;

std::string hex(Bytes bytes, std::string_view between) {
  std::string out;
  for (const std::byte b : bytes)
    fmt::format_to(std::back_inserter(out), "{:02x}{}", std::to_integer<unsigned>(b), between);
  return out;
}

std::string printable(Bytes bytes) {
  std::string out;
  for (const std::byte b : bytes) {
    const char c = static_cast<char>(b);
    out += c >= 0x20 && c < 0x7F ? c : '.';
  }
  return out;
}

void append_field(std::string& out, const Field& field, Bytes bytes, bool colour,
                  std::string_view indent) {
  const auto paint = [&](std::string_view code, std::string_view text) {
    return colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  };
  const std::size_t shown =
      field.name == "body" ? std::min(bytes.size(), kBodyShown) : bytes.size();
  for (std::size_t i = 0; i == 0 || i < shown; i += kBytesALine) {
    const Bytes line = bytes.subspan(i, std::min(kBytesALine, shown - i));
    std::string text = fmt::format(
        "{:06x}  {}", static_cast<std::size_t>(field.at) + i,
        paint(field.wrong.empty() ? "36" : "31", fmt::format("{:<48}", hex(line, " "))));
    if (i > 0) {
      text += "  " + printable(line);
    } else {
      text += "  " + paint("1", field.name);
      if (!field.value.empty()) text += " = " + field.value;
      if (!field.meaning.empty()) text += "  " + paint("2", "(" + field.meaning + ")");
      if (!field.wrong.empty()) text += "  " + paint("31;1", "WRONG: " + field.wrong);
    }
    while (text.ends_with(' ')) text.pop_back();
    out.append(indent).append(text) += '\n';
  }
  if (shown < bytes.size())
    fmt::format_to(std::back_inserter(out), "        ... {} bytes more\n", bytes.size() - shown);
}

Bytes bytes_of(const Field& field, Bytes all) {
  return all.subspan(static_cast<std::size_t>(field.at), static_cast<std::size_t>(field.bytes));
}

}  // namespace

void append_sheet(std::string& out, const inspect::Annotation& annotation, Bytes bytes, bool colour,
                  std::string_view indent) {
  for (const Field& field : annotation.fields)
    append_field(out, field, bytes_of(field, bytes), colour, indent);
}

void append_sheet_json(std::string& out, const inspect::Annotation& annotation, Bytes bytes,
                       const std::string& of, const std::string& where) {
  for (const Field& field : annotation.fields) {
    const auto text = [&](std::string_view name, std::string_view value) {
      fmt::format_to(std::back_inserter(out), "\"{}\":", name);
      append_json_string(out, value);
      out += ',';
    };
    out += '{';
    text("of", of);
    text("where", where);
    fmt::format_to(std::back_inserter(out), "\"at\":{},\"size\":{},", field.at, field.bytes);
    text("bytes", hex(bytes_of(field, bytes), ""));
    text("name", field.name);
    text("value", field.value);
    text("meaning", field.meaning);
    text("wrong", field.wrong);
    out.back() = '}';
    out += '\n';
  }
}

}  // namespace mq::mqdump

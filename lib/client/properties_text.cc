#include "client/properties_text.h"

namespace mq::client {
namespace {

std::string_view without_blanks(std::string_view text) noexcept {
  while (!text.empty() && (text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  return text;
}

// Java's Properties: `\` hides what follows it, unless that is the letter of a line end.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hides = text[i] == '\\' && i + 1 < text.size();
    if (hides) ++i;
    out += hides && text[i] == 'n' ? '\n' : hides && text[i] == 'r' ? '\r' : text[i];
  }
  return out;
}

// What Java would take for something else.
void append_escaped(std::string& out, std::string_view text, std::string_view special) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n' || c == '\r') {
      out += c == '\n' ? "\\n" : "\\r";
      continue;
    }
    const bool leads = i == 0 && c == ' ';
    if (c == '\\' || leads || special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
}

}  // namespace

wire::KvTable parse_properties(std::string_view text) {
  wire::KvTable table;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = without_blanks(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const std::size_t equals = line.find('=');
    if (line.empty() || line[0] == '#' || equals == std::string_view::npos) continue;
    table[unescape(line.substr(0, equals))] = unescape(line.substr(equals + 1));
  }
  return table;
}

std::string properties_text(const wire::KvTable& table) {
  std::string out;
  for (const auto& [key, value] : table) {
    append_escaped(out, key, "=:#! ");
    out += '=';
    append_escaped(out, value, {});
    out += '\n';
  }
  return out;
}

}  // namespace mq::client

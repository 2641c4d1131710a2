#include "line_format.h"

#include <fmt/format.h>

#include "cli/message_format.h"

namespace mq::mqdump {

Result<LineFormat> LineFormat::compile(std::string_view text, std::string_view letters) {
  LineFormat out;
  std::string literal;
  const auto end_literal = [&]() -> Result<void> {
    if (literal.empty()) return {};
    MQ_TRY(std::string plain, cli::unescape(literal));
    out.parts_.push_back({0, std::move(plain)});
    literal.clear();
    return {};
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      literal += text[at];
      continue;
    }
    const char letter = at + 1 < text.size() ? text[++at] : '\0';
    if (letter == '%') {
      literal += '%';
    } else if (letter != '\0' && letters.find(letter) != std::string_view::npos) {
      MQ_CHECK(end_literal());
      out.parts_.push_back({letter, {}});
    } else {
      std::string known;
      for (const char c : letters) known += fmt::format(" %{}", c);
      return Error{Errc::kInvalid,
                   fmt::format("-F: %{} is no field here; known are{}",
                               letter == '\0' ? "" : std::string(1, letter), known)};
    }
  }
  MQ_CHECK(end_literal());
  return out;
}

}  // namespace mq::mqdump

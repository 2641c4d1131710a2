#include "terminal.h"

#include <charconv>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/output.h"

namespace mq::mqdump {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

bool wants_colour() {
  return isatty(1) != 0 && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
}

bool wants_blocks() {
  if (isatty(1) == 0) return false;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = environment(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string_view::npos ||
           value.find("utf8") != std::string_view::npos;
  }
  return false;
}

int terminal_columns(int otherwise) {
  int columns = 0;
  const std::string_view told = environment("COLUMNS");
  std::from_chars(told.data(), told.data() + told.size(), columns);
  if (columns > 0) return columns;
  winsize size{};
  return ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : otherwise;
}

std::string safe(std::string_view text) {
  static const bool terminal = isatty(1) != 0;
  if (!terminal) return std::string(text);
  std::string out;
  cli::append_harmless(out, text);
  return out;
}

}  // namespace mq::mqdump

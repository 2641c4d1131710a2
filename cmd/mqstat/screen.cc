#include "screen.h"

#include <utility>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/output.h"

namespace mq::mqstat {
namespace {

Result<void> put(std::string_view text) {
  cli::Output out(1);
  out.buffer() += text;
  return out.flush();
}

}  // namespace

Result<Screen> Screen::open() {
  if (isatty(1) == 0) return Error{Errc::kInvalid, "--top needs a terminal"};
  Screen out;
  MQ_CHECK(put("\x1b[?1049h\x1b[?25l"));
  out.open_ = true;
  if (isatty(0) != 0 && tcgetattr(0, &out.before_) == 0) {
    termios keys = out.before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    out.raw_ = tcsetattr(0, TCSANOW, &keys) == 0;
  }
  return out;
}

Screen::Screen(Screen&& other) noexcept
    : open_(std::exchange(other.open_, false)),
      raw_(std::exchange(other.raw_, false)),
      before_(other.before_) {}

Screen::~Screen() {
  if (raw_) tcsetattr(0, TCSANOW, &before_);
  if (open_) (void)put("\x1b[?25h\x1b[?1049l");
}

Result<void> Screen::draw(std::string_view heading, std::string_view text) {
  winsize size{};
  const bool known = ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0;
  const std::size_t rows = known ? size.ws_row : 24;
  const std::size_t columns = known ? size.ws_col : 80;
  std::string out = "\x1b[H";
  const auto line = [&](std::string_view one) {
    out += one.substr(0, columns);
    out += "\x1b[K";
  };
  line(heading);
  for (std::size_t row = 1; row < rows && !text.empty(); ++row) {
    const std::size_t end = text.find('\n');
    out += "\r\n";
    line(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  out += "\x1b[J";
  return put(out);
}

bool Screen::wait_for_quit(std::int64_t timeout_ms) {
  pollfd key{.fd = raw_ ? 0 : -1, .events = POLLIN, .revents = 0};
  if (poll(&key, 1, static_cast<int>(timeout_ms)) <= 0) return false;
  char c = 0;
  return read(0, &c, 1) != 1 || c == 'q' || c == 'Q';
}

}  // namespace mq::mqstat

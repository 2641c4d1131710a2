// --top: the terminal's second screen, drawn anew with each look; gone when it is destroyed.
#pragma once

#include <string>
#include <string_view>

#include <termios.h>

#include "base/result.h"

namespace mq::mqstat {

class Screen {
 public:
  // Errors: kInvalid when standard output is no terminal.
  static Result<Screen> open();
  Screen(Screen&& other) noexcept;
  Screen& operator=(Screen&&) = delete;
  ~Screen();

  // A heading line and as much of `text` as fits.
  Result<void> draw(std::string_view heading, std::string_view text);
  // Waits that long; true at once when q was pressed.
  bool wait_for_quit(std::int64_t timeout_ms);

 private:
  Screen() = default;
  bool open_ = false;
  bool raw_ = false;  // keys come one by one
  termios before_{};
};

}  // namespace mq::mqstat

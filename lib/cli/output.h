// Standard output that notices: every write and the close are checked, a closed pipe ends the
// process quietly.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mq::cli {

class Output {
 public:
  explicit Output(int descriptor = 1) : fd_(descriptor) {}
  // Append here, then call settle().
  [[nodiscard]] std::string& buffer() noexcept { return buffer_; }
  // Writes the buffer out if it has grown large. Errors: kIo, kNoSpace; kClosed when nobody reads
  // any more.
  Result<void> settle() { return buffer_.size() >= kLarge ? flush() : Result<void>(); }
  Result<void> flush();
  // From now on flush() calls `hook` again and again while nothing can be written, and gives up
  // with kTimeout a while after a signal. An empty one: flush() just waits.
  void while_blocked(std::function<void()> hook) { hook_ = std::move(hook); }
  // flush, and close: some file systems tell only then. Call once, at the end.
  Result<void> close();

 private:
  static constexpr std::size_t kLarge = 256 << 10;
  Result<void> wait_until_writable();

  int fd_;
  std::string buffer_;
  std::function<void()> hook_;
};

// Appends `text` for a terminal: bytes that it could take for a command become \xNN.
void append_harmless(std::string& out, std::string_view text);

// SIGINT and SIGTERM set a flag the first time and end the process the second; SIGUSR1 sets
// another. poll() calls are interrupted by them.
void catch_signals() noexcept;
[[nodiscard]] int stop_signal() noexcept;  // 0: none yet
[[nodiscard]] bool take_usr1() noexcept;   // true once per signal
// Ends the process by the signal that asked for it, so that the caller's shell sees why.
[[noreturn]] void die_of(int signal) noexcept;

}  // namespace mq::cli

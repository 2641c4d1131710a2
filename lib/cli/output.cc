#include "cli/output.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace mq::cli {
namespace {

volatile std::sig_atomic_t stop = 0;
volatile std::sig_atomic_t usr1 = 0;

void on_stop(int signal) {
  if (stop != 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  stop = signal;
}
void on_usr1(int) { usr1 = 1; }

}  // namespace

void append_harmless(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
}

Result<void> Output::flush() {
  std::size_t done = 0;
  while (done < buffer_.size()) {
    std::size_t bytes = buffer_.size() - done;
    if (hook_) {
      MQ_CHECK(wait_until_writable());
      // No more than a pipe that can be written takes at once.
      bytes = std::min<std::size_t>(bytes, PIPE_BUF);
    }
    const ssize_t n = ::write(fd_, buffer_.data() + done, bytes);
    if (n >= 0) {
      done += static_cast<std::size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    const int failed = errno;
    buffer_.erase(0, done);
    if (failed == EPIPE) return Error{Errc::kClosed, "standard output: nobody reads any more"};
    return Error{Errc::kIo, Error::from_errno(failed, "standard output").text()};
  }
  buffer_.clear();
  return {};
}

Result<void> Output::wait_until_writable() {
  constexpr int kPeriodMs = 200;
  constexpr int kPatience = 25;  // periods after a signal
  for (int after_signal = 0; after_signal < kPatience; after_signal += stop != 0 ? 1 : 0) {
    pollfd fd{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (poll(&fd, 1, kPeriodMs) > 0) return {};
    hook_();
  }
  return Error{Errc::kTimeout, "standard output takes nothing"};
}

Result<void> Output::close() {
  MQ_CHECK(flush());
  if (::close(fd_) != 0 && errno != EINTR)
    return Error{Errc::kIo, Error::from_errno(errno, "standard output").text()};
  return {};
}

void catch_signals() noexcept {
  struct sigaction action {};
  action.sa_handler = on_stop;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = on_usr1;
  sigaction(SIGUSR1, &action, nullptr);
}
int stop_signal() noexcept { return stop; }
bool take_usr1() noexcept {
  if (usr1 == 0) return false;
  usr1 = 0;
  return true;
}
void die_of(int signal) noexcept {
  std::signal(signal, SIG_DFL);
  std::raise(signal);
  _exit(128 + signal);
}

}  // namespace mq::cli

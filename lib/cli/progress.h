// How far a transfer is, on stderr: four times a second on a terminal or when asked for, and one
// line whenever SIGUSR1 comes.
#pragma once

#include <cstdint>
#include <string>

namespace mq::cli {

class Progress {
 public:
  struct Figures {
    std::int64_t messages = 0;
    std::int64_t bytes = 0;
    std::int64_t retries = 0;
    double done = -1;           // of all that there is, 0 to 1; negative: the end is not known
    const char* unit = "msgs";  // of `messages`; empty: bytes alone are shown
  };
  // Live, which is one line that is written again and again: not when `quiet`; when `asked`, or on
  // a terminal.
  Progress(bool quiet, bool asked);
  // Cheap when it is not time yet.
  void show(const Figures& figures);
  // The last state of a line that was begun or asked for.
  void end(const Figures& figures);
  [[nodiscard]] bool is_live() const noexcept { return live_; }

 private:
  [[nodiscard]] std::string line(const Figures& figures, std::int64_t now_us) const;

  const bool asked_;
  const bool live_;
  const std::int64_t begin_us_;
  std::int64_t shown_us_ = 0;
};

}  // namespace mq::cli

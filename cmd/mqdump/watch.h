// How far a long run is, told by a thread of its own, so that the counts may be added to from
// anywhere.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "cli/progress.h"

namespace mq::mqdump {

class Watch {
 public:
  struct Options {
    bool asked = false;  // although stderr is no terminal
    bool quiet = false;
    std::int64_t bytes_total = 0;  // 0: not known, no estimate of the end
    const char* unit = "msgs";     // of `count`; empty: bytes alone are shown
  };
  // Also catches SIGINT, SIGTERM and SIGUSR1.
  explicit Watch(const Options& options);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  std::atomic<std::int64_t> bytes{0};
  std::atomic<std::int64_t> count{0};
  std::atomic<std::int64_t> total;  // bytes_total, for who learns it later

  // `bytes` is now `done`. Ends the process if a signal has asked for it: for work that may be
  // left at any moment, and does not look for signals itself.
  void reach(std::int64_t done);

 private:
  [[nodiscard]] cli::Progress::Figures figures() const;
  void run(const std::stop_token& stop);

  Options options_;
  cli::Progress progress_;
  std::jthread thread_;
};

}  // namespace mq::mqdump

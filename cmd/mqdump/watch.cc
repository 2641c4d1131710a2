#include "watch.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include <unistd.h>

#include "base/thread.h"
#include "cli/output.h"

namespace mq::mqdump {
namespace {

constexpr auto kLook = std::chrono::milliseconds(50);

}  // namespace

// On a terminal that shows the data as well, the two would be mixed.
Watch::Watch(const Options& options)
    : total(options.bytes_total),
      options_(options),
      progress_(options.quiet || (!options.asked && isatty(1) != 0), options.asked) {
  cli::catch_signals();
  thread_ = start_thread("progress", [this](const std::stop_token& stop) { run(stop); });
}

Watch::~Watch() {
  thread_.request_stop();
  thread_ = {};
  progress_.end(figures());
}

void Watch::reach(std::int64_t done) {
  bytes = done;
  if (const int signal = cli::stop_signal()) cli::die_of(signal);
}

cli::Progress::Figures Watch::figures() const {
  cli::Progress::Figures out{.messages = count, .bytes = bytes, .unit = options_.unit};
  if (total > 0) out.done = static_cast<double>(out.bytes) / static_cast<double>(total);
  return out;
}

void Watch::run(const std::stop_token& stop) {
  std::mutex mu;
  std::condition_variable_any never;  // wakes up for the end alone
  std::unique_lock lock(mu);
  while (!never.wait_for(lock, stop, kLook, [&] { return stop.stop_requested(); }))
    progress_.show(figures());
}

}  // namespace mq::mqdump

#include "cli/progress.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/exit.h"
#include "cli/output.h"
#include "cli/units.h"

namespace mq::cli {
namespace {

constexpr std::int64_t kPeriodUs = 250'000;

}  // namespace

Progress::Progress(bool quiet, bool asked)
    : asked_(asked && !quiet),
      live_(asked_ || (!quiet && isatty(2) != 0)),
      begin_us_(system_clock().monotonic_us()) {}

std::string Progress::line(const Figures& f, std::int64_t now_us) const {
  const double seconds = std::max(1e-6, static_cast<double>(now_us - begin_us_) / 1e6);
  const std::string bytes = human_bytes(static_cast<double>(f.bytes));
  const std::string byte_rate = human_bytes(static_cast<double>(f.bytes) / seconds);
  std::string out =
      *f.unit == '\0'
          ? fmt::format("{}  {}/s", bytes, byte_rate)
          : fmt::format("{} {}  {}  {}/s  {}/s", f.messages, f.unit, bytes,
                        human_count(static_cast<double>(f.messages) / seconds), byte_rate);
  if (f.retries > 0) fmt::format_to(std::back_inserter(out), "  {} retries", f.retries);
  if (f.done > 0 && f.done < 1) {
    const double left_ms = seconds * 1000 * (1 - f.done) / f.done;
    fmt::format_to(std::back_inserter(out), "  {:.0f}%  ETA {}", f.done * 100,
                   format_duration_ms(static_cast<std::int64_t>(left_ms / 1000 + 1) * 1000));
  }
  return out;
}

void Progress::show(const Figures& figures) {
  if (take_usr1()) {
    to_stderr(fmt::format("{}{}: {}\n", live_ && shown_us_ > 0 ? "\n" : "", tool_name(),
                          line(figures, system_clock().monotonic_us())));
  }
  if (!live_) return;
  const std::int64_t now = system_clock().monotonic_us();
  if (now - std::max(shown_us_, begin_us_) < kPeriodUs) return;
  shown_us_ = now;
  to_stderr(fmt::format("\r{}\x1b[K", line(figures, now)));
}

void Progress::end(const Figures& figures) {
  if (shown_us_ == 0 && !asked_) return;
  to_stderr(fmt::format("\r{}\x1b[K\n", line(figures, system_clock().monotonic_us())));
}

}  // namespace mq::cli

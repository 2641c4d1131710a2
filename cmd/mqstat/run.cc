#include "run.h"

#include <algorithm>
#include <array>
#include <csignal>

#include <fmt/format.h>
#include <poll.h>

#include "base/clock.h"
#include "cli/exit.h"
#include "cli/output.h"
#include "cli/units.h"
#include "cli/where.h"
#include "measure.h"
#include "screen.h"
#include "views.h"

namespace mq::mqstat {
namespace {

constexpr std::int64_t kAnswerMs = 15'000;

Result<std::unique_ptr<View>> make_view(client::Cluster& cluster, const Options& o) {
  for (const auto make :
       {make_broker_view, make_topic_view, make_group_view, make_cluster_view, make_timer_view}) {
    if (auto view = make(cluster, o)) return view;
  }
  return Error{Errc::kInvalid, fmt::format("no view '{}'", o.view)};
}

// In steps, so that a signal ends it at once.
void pause(std::int64_t ms) {
  const std::int64_t until = system_clock().monotonic_us() + ms * 1000;
  while (cli::stop_signal() == 0) {
    const std::int64_t left = (until - system_clock().monotonic_us()) / 1000;
    if (left <= 0) return;
    (void)poll(nullptr, 0, static_cast<int>(std::min<std::int64_t>(left, 100)));
  }
}

Result<int> show_lines(View& view, const Options& o, cli::Output& out) {
  Table table(o.form);
  for (std::int64_t i = 0; o.count < 0 || i < o.count; ++i) {
    if (i > 0) pause(o.interval_ms);
    if (cli::stop_signal() != 0) break;
    MQ_TRY(const auto rows, view.look());
    table.print(rows, out.buffer());
    MQ_CHECK(out.flush());
  }
  return cli::kExitOk;
}

Result<int> show_screen(View& view, const Options& o) {
  MQ_TRY(Screen screen, Screen::open());
  for (std::int64_t i = 0; o.count < 0 || i < o.count; ++i) {
    if (cli::stop_signal() != 0) break;
    MQ_TRY(const auto rows, view.look());
    std::string text;
    Table(Form::kColumns).print(rows, text);
    MQ_CHECK(screen.draw(fmt::format("mqstat {} {}  every {}, q ends", o.view,
                                     cli::format_time_ms(system_clock().now_ms()),
                                     cli::format_duration_ms(o.interval_ms)),
                         text));
    if (screen.wait_for_quit(o.interval_ms)) break;
  }
  return cli::kExitOk;
}

// One line, `OK - lag=3 | lag=3;10;100`; 0 fine, 1 above --warn, 2 above --crit, 3 not known.
int check(const Options& o, cli::Output& out) {
  auto cluster = cli::open_cluster(o.common);
  auto measured =
      cluster ? measure(*cluster, o, o.check) : Result<std::optional<double>>(cluster.error());
  constexpr std::array kWords = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
  const auto answer = [&](std::size_t code, const std::string& text) {
    out.buffer() += fmt::format("{} - {}\n", kWords[code], text);
    return static_cast<int>(code);
  };
  if (!measured) {
    // A service that cannot be reached is not fine; a question that makes no sense is another
    // thing.
    return answer(measured.error().code() == Errc::kInvalid ? 3 : 2, measured.error().text());
  }
  if (!*measured) return answer(3, fmt::format("group {} is unknown", o.group));
  const double value = **measured;
  return answer(value > o.critical ? 2
                : value > o.warn   ? 1
                                   : 0,
                fmt::format("{0}={1} | {0}={1};{2};{3}", o.check, value, o.warn, o.critical));
}

Result<int> wait(const Options& o) {
  constexpr std::int64_t kAgainMs = 200;
  MQ_TRY(const Condition condition, parse_condition(o.wait));
  MQ_TRY(auto cluster, cli::open_cluster(o.common, kAnswerMs));
  const std::int64_t begin_us = system_clock().monotonic_us();
  while (cli::stop_signal() == 0) {
    MQ_TRY(const auto measured, measure(cluster, o, condition.name));
    if (measured && condition.holds(*measured)) return cli::kExitOk;
    const std::int64_t waited_ms = (system_clock().monotonic_us() - begin_us) / 1000;
    if (o.wait_ms >= 0 && waited_ms >= o.wait_ms) {
      if (!o.common.quiet) {
        cli::say(measured ? fmt::format("{} is {} after {}", condition.name, *measured,
                                        cli::format_duration_ms(o.wait_ms))
                          : fmt::format("group {} is unknown", o.group));
      }
      return cli::kExitNo;
    }
    pause(kAgainMs);
  }
  return cli::kExitOk;
}

Result<int> work(const Options& o, cli::Output& out) {
  if (!o.check.empty()) return check(o, out);
  if (!o.wait.empty()) return wait(o);
  MQ_TRY(auto cluster, cli::open_cluster(o.common));
  if (o.view == "message") return show_message(cluster, o, out);
  MQ_TRY(const auto view, make_view(cluster, o));
  return o.top ? show_screen(*view, o) : show_lines(*view, o, out);
}

}  // namespace

int run(const Options& o) {
  cli::catch_signals();
  cli::Output out;
  auto status = work(o, out);
  if (status) {
    if (auto closed = out.close(); !closed) status = std::move(closed).error();
  }
  if (!status && status.error().code() == Errc::kClosed) cli::die_of(SIGPIPE);
  if (!status) return cli::fail(status.error());
  if (cli::stop_signal() != 0) cli::die_of(cli::stop_signal());
  return *status;
}

}  // namespace mq::mqstat

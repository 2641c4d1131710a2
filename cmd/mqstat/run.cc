#include "run.h"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>
#include <poll.h>

#include "base/clock.h"
#include "cli/output.h"
#include "cli/units.h"
#include "cli/where.h"
#include "screen.h"
#include "views.h"

namespace mq::mqstat {
namespace {

Result<std::unique_ptr<View>> make_view(client::Cluster& cluster, const Options& o) {
  for (const auto make : {make_broker_view, make_topic_view})
    if (auto view = make(cluster, o)) return view;
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

Result<int> work(const Options& o, cli::Output& out) {
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
  Result<void> closed;
  if (status) {
    closed = out.close();
  } else if (status.error().code() != Errc::kClosed) {
    return cli::fail(status.error());
  } else {
    closed = std::move(status).error();
  }
  if (!closed && closed.error().code() == Errc::kClosed) cli::die_of(SIGPIPE);
  if (!closed) return cli::fail(closed.error());
  if (cli::stop_signal() != 0) cli::die_of(cli::stop_signal());
  return *status;
}

}  // namespace mq::mqstat

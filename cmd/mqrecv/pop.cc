#include "pop.h"

#include <algorithm>

#include "base/clock.h"
#include "broker/sql_expression.h"
#include "cli/exit.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/where.h"
#include "client/popper.h"
#include "format/record.h"

namespace mq::mqrecv {
namespace {

constexpr std::int64_t kStepMs = 250;
constexpr std::int64_t kAnswerMs = 15'000;
constexpr std::int32_t kAtATime = 32;

std::int64_t now_us() { return system_clock().monotonic_us(); }

client::PopperOptions popper_options(const Options& o) {
  client::PopperOptions out;
  out.group = o.group;
  out.topics = o.topics;
  if (!o.sql.empty()) {
    out.expression = o.sql;
    out.expression_type = broker::kSqlType;
  } else if (!o.tags.empty()) {
    out.expression = o.tags;
  }
  out.from_last = o.range.begin.kind == Bound::Kind::kLast;
  out.invisible_ms = o.invisible_ms;
  out.say = [](std::string_view text) { cli::say(text); };
  return out;
}

// Prints what is wanted of it; returns how many messages were looked at.
Result<std::size_t> print(const client::Popped& popped, Printer& printer) {
  std::size_t count = 0;
  Bytes rest = popped.records;
  while (!rest.empty() && !printer.is_done()) {
    const auto record = format::decode_record(rest, format::CheckBody::kNo);
    if (!record) return Error{Errc::kProtocol, popped.broker + ": " + record.error().to_string()};
    MQ_CHECK(printer.print_one(*record, popped.broker));
    rest = rest.subspan(static_cast<std::size_t>(record->total_bytes));
    ++count;
  }
  return count;
}

}  // namespace

Result<void> pop(const Options& o, Printer& printer) {
  MQ_TRY(auto cluster, cli::open_cluster(o.common, kAnswerMs));
  MQ_TRY(const auto popper, client::Popper::start(cluster, popper_options(o)));
  cli::Progress progress(o.common.quiet, o.common.progress);
  const auto figures = [&] {
    return cli::Progress::Figures{.messages = printer.printed(), .bytes = printer.bytes()};
  };
  const std::int64_t begin_us = now_us();
  std::int64_t quiet_us = begin_us;
  const auto is_over = [&] {
    const std::int64_t now = now_us();
    return cli::stop_signal() != 0 ||
           (o.timeout_ms >= 0 && now - begin_us >= o.timeout_ms * 1000) ||
           (o.idle_ms >= 0 && now - quiet_us >= o.idle_ms * 1000);
  };
  Result<void> done;
  while (done && !is_over() && !printer.is_done()) {
    const std::int64_t left = o.count < 0 ? kAtATime : o.count - printer.printed();
    done = popper->step(kStepMs, static_cast<std::int32_t>(std::min<std::int64_t>(left, kAtATime)));
    while (done && !printer.is_done()) {
      const auto popped = popper->take();
      if (!popped) break;
      quiet_us = now_us();
      const auto count = print(*popped, printer);
      // Only what is written is dealt with.
      done = count ? printer.settle_all() : Result<void>(count.error());
      if (done) popper->finish(*popped, *count);
    }
    progress.show(figures());
  }
  auto left = popper->leave(o.common.drain_ms());
  progress.end(figures());
  return done ? std::move(left) : std::move(done);
}

}  // namespace mq::mqrecv

#include "group.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/clock.h"
#include "broker/sql_expression.h"
#include "cli/exit.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/where.h"
#include "client/member.h"
#include "cursor.h"
#include "exec.h"

namespace mq::mqrecv {
namespace {

constexpr std::int64_t kStepMs = 250;
constexpr std::int64_t kSyncUs = 200'000;
constexpr std::int64_t kSaveUs = 1'000'000;
constexpr std::int32_t kPrintedAtATime = 1024;  // of one pull
constexpr std::int32_t kRunAtATime = 32;

std::int64_t now_us() { return system_clock().monotonic_us(); }

class Consumer {
 public:
  Consumer(const Options& options, Printer& printer)
      : o_(options),
        printer_(printer),
        progress_(options.common.quiet, options.common.progress),
        begin_us_(now_us()),
        quiet_us_(begin_us_) {}

  Result<void> run() {
    if (!o_.cursor_file.empty()) {
      MQ_TRY(cursor_, Cursor::open(o_.cursor_file));
    }
    MQ_TRY(auto cluster, cli::open_cluster(o_.common, kAnswerMs));
    cluster_.emplace(std::move(cluster));
    MQ_TRY(member_, client::Member::join(*cluster_, member_options()));
    if (o_.common.verbose) cli::say(fmt::format("joined {} as {}", o_.group, member_->client_id()));
    // A reader that is slow to read must not look dead to the group.
    printer_.while_blocked([this] { (void)member_->step(0); });
    auto done = o_.exec.empty() ? print_all() : run_all();
    printer_.while_blocked({});
    auto left = member_->leave(o_.common.drain_ms());
    progress_.end(figures());
    return done ? std::move(left) : std::move(done);
  }

 private:
  static constexpr std::int64_t kAnswerMs = 15'000;

  client::MemberOptions member_options() {
    using From = client::MemberOptions::From;
    client::MemberOptions out;
    out.group = o_.group;
    out.topics = o_.topics;
    if (!o_.sql.empty()) {
      out.expression = o_.sql;
      out.expression_type = broker::kSqlType;
    } else if (!o_.tags.empty()) {
      out.expression = o_.tags;
    }
    out.broadcast = o_.broadcast;
    out.orderly = o_.orderly;
    if (o_.range.begin.kind == Bound::Kind::kLast) out.from = From::kLast;
    if (o_.range.begin.kind == Bound::Kind::kTime || o_.since_ms) {
      out.from = From::kTime;
      out.from_time_ms = o_.since_ms.value_or(o_.range.begin.value);
    }
    if (cursor_) {
      out.stored = [this](const wire::MessageQueue& queue) {
        return cursor_->next(queue.topic, queue.broker_name, queue.queue_id);
      };
    }
    out.count_max = o_.exec.empty() ? kPrintedAtATime : kRunAtATime;
    out.say = [](std::string_view text) { cli::say(text); };
    return out;
  }

  [[nodiscard]] bool is_over() const {
    if (cli::stop_signal() != 0) return true;
    const std::int64_t now = now_us();
    if (o_.timeout_ms >= 0 && now - begin_us_ >= o_.timeout_ms * 1000) return true;
    return o_.idle_ms >= 0 && now - quiet_us_ >= o_.idle_ms * 1000;
  }
  [[nodiscard]] cli::Progress::Figures figures() const {
    return {.messages = printer_.printed(), .bytes = printer_.bytes()};
  }

  // --- printing ---

  Result<void> print_all() {
    while (!is_over() && !printer_.is_done()) {
      MQ_CHECK(member_->step(kStepMs));
      while (auto delivery = member_->take()) {
        quiet_us_ = now_us();
        MQ_CHECK(print(*delivery));
        if (printer_.is_done()) break;
      }
      MQ_CHECK(settle(false));
      progress_.show(figures());
    }
    return settle(true);
  }

  Result<void> print(const client::Delivery& delivery) {
    MQ_TRY(const auto stopped,
           printer_.print(delivery.records, INT64_MAX, delivery.queue.broker_name));
    printed_.push_back({delivery, stopped.value_or(INT64_MAX)});
    return {};
  }

  // Only what is written is dealt with; on disk, if that is asked for, which is not done for each.
  Result<void> settle(bool last) {
    const bool on_disk = o_.sync || !o_.directory.empty();
    const std::int64_t now = now_us();
    if (!printed_.empty() && (last || !on_disk || now - synced_us_ >= kSyncUs)) {
      MQ_CHECK(printer_.settle_all());
      synced_us_ = now_us();
      for (const Printed& one : printed_) finish(one);
      printed_.clear();
    }
    return save(last);
  }

  struct Printed {
    client::Delivery delivery;
    std::int64_t end;  // queue offset behind the last that was printed
  };
  void finish(const Printed& one) {
    if (one.end == INT64_MAX) return member_->finish_all(one.delivery);
    Bytes rest = one.delivery.records;
    while (!rest.empty()) {
      const auto record = format::decode_record(rest, format::CheckBody::kNo);
      if (!record || record->queue_offset.value() >= one.end) return;
      member_->finish(one.delivery.ticket, record->queue_offset.value());
      rest = rest.subspan(static_cast<std::size_t>(record->total_bytes));
    }
  }

  Result<void> save(bool last) {
    const std::int64_t now = now_us();
    if (!cursor_ || (!last && now - saved_us_ < kSaveUs)) return {};
    saved_us_ = now;
    for (const auto& [queue, position] : member_->positions())
      cursor_->set(queue.topic, queue.broker_name, queue.queue_id, position);
    return cursor_->save();
  }

  // --- running a command ---

  Result<void> run_all() {
    Exec exec(o_, *member_, printer_);
    while (!is_over() && !exec.is_done()) {
      MQ_CHECK(exec.step(kStepMs));
      if (exec.is_busy()) quiet_us_ = now_us();
      MQ_CHECK(save(false));
      progress_.show(figures());
    }
    exec.drain(o_.common.drain_ms());
    MQ_CHECK(save(true));
    return summary(exec.tally());
  }

  // How many came to what, when that is not all the same. A signal is a reason to leave some.
  Result<void> summary(const Exec::Tally& tally) {
    if (!o_.common.quiet && (tally.failed() > 0 || o_.common.verbose)) {
      const auto part = [](std::int64_t n, const char* what) {
        return n == 0 ? std::string() : fmt::format(", {} {}", n, what);
      };
      cli::say(fmt::format("{} acknowledged{}{}{}{}", tally.acknowledged,
                           part(tally.sent_back, "sent back"), part(tally.dead, "dead-lettered"),
                           part(tally.passed_over, "failed and passed over"),
                           part(tally.undone, "left undone")));
    }
    if (tally.undone == 0 || cli::stop_signal() != 0) return {};
    return Error{Errc::kBusy,
                 fmt::format("{} messages were left undone and come again", tally.undone)};
  }

  const Options& o_;
  Printer& printer_;
  cli::Progress progress_;
  std::optional<Cursor> cursor_;
  std::optional<client::Cluster> cluster_;
  std::unique_ptr<client::Member> member_;
  std::vector<Printed> printed_;  // and not settled
  std::int64_t begin_us_, quiet_us_;
  std::int64_t synced_us_ = 0, saved_us_ = 0;
};

}  // namespace

Result<void> consume(const Options& options, Printer& printer) {
  return Consumer(options, printer).run();
}

}  // namespace mq::mqrecv

#include "ledger.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/exit.h"
#include "cli/units.h"
#include "wire/codes.h"

namespace mq::mqsend {
namespace {

constexpr int kReportsMax = 10;  // lines about single records; the rest is counted

// Refused for good, or for now, or nobody knows.
int status_of(const Outcome& outcome) {
  switch (outcome.code) {
    case 0:
    case wire::kSystemError:
    case wire::kSystemBusy:
    case wire::kServiceNotAvailable:
      return cli::kExitTemporary;
    case wire::kNoPermission:
      return cli::kExitDenied;
    case wire::kTopicNotExist:
      return cli::kExitNoInput;
    default:
      return cli::kExitData;
  }
}

}  // namespace

void Ledger::raise(int status) { status_ = std::max(status_, status); }

void Ledger::take(std::int64_t body_bytes) {
  ++taken_;
  bytes_ += body_bytes;
}

void Ledger::reject(const ItemInfo& info, const std::string& why, bool skip) {
  if (rejected_ + skipped_large_ < kReportsMax) {
    cli::say(fmt::format("record {} at byte {}: {}{}", info.number, info.offset, why,
                         skip ? "; skipped" : ""));
  }
  if (skip) {
    ++skipped_large_;
  } else {
    ++rejected_;
    raise(cli::kExitData);
  }
}

void Ledger::note_undelivered(const Outcome& outcome) {
  undelivered_ += static_cast<std::int64_t>(outcome.items->size());
  const ItemInfo& first = outcome.items->front();
  const ItemInfo& last = outcome.items->back();
  if (reports_++ < kReportsMax) {
    cli::say(fmt::format("records {} to {} (bytes {} to {}) not delivered: {}", first.number,
                         last.number, first.offset, last.end, outcome.reason));
  }
  raise(status_of(outcome));
}

void Ledger::note(const Outcome& outcome) {
  if (!outcome.delivered) return note_undelivered(outcome);
  acknowledged_ += static_cast<std::int64_t>(outcome.items->size());
  latencies_.add(outcome.latency_us);
  if (outcome.code == 0) return;
  // Stored, but not yet on disk or at the replica.
  if (o_.sync) raise(cli::kExitTemporary);
  if (reports_++ < kReportsMax) cli::say(outcome.reason);
}

void Ledger::summary(bool given_up, std::int64_t duration_us) {
  if (undelivered_ > 0 || given_up) {
    cli::say(fmt::format("{} records acknowledged, {} not delivered{}", acknowledged_, undelivered_,
                         given_up ? "; the rest of the input was not read" : ""));
  }
  if (skipped_empty_ > 0) cli::say(fmt::format("{} empty records skipped", skipped_empty_));
  if (skipped_large_ > 0) cli::say(fmt::format("{} records skipped as too large", skipped_large_));
  if (rejected_ > kReportsMax) cli::say(fmt::format("{} records were bad in all", rejected_));
  if (o_.dry_run) cli::say(fmt::format("{} messages, {} bytes; nothing was sent", taken_, bytes_));
  if (o_.stats && latencies_.count() > 0) statistics(duration_us);
}

void Ledger::statistics(std::int64_t duration_us) const {
  const double seconds = std::max(1e-6, static_cast<double>(duration_us) / 1e6);
  cli::say(fmt::format(
      "{} messages, {} in {:.3f} s: {}/s; requests {}, latency p50 {} us, p99 {} us, max {} us",
      acknowledged_, cli::human_bytes(static_cast<double>(bytes_)), seconds,
      cli::human_count(static_cast<double>(acknowledged_) / seconds), latencies_.count(),
      latencies_.quantile(0.5), latencies_.quantile(0.99), latencies_.max()));
}

}  // namespace mq::mqsend

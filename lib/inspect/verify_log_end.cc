// What is told of the commit log once all of the store has been looked at.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "inspect/verify_log.h"

namespace mq::inspect {

void VerifyLog::finish(PhysicalOffset dispatched, std::int64_t flushed_ms) {
  tell_bad_bodies(dispatched, flushed_ms);
  tell_what_is_behind(flushed_ms);
  tell_tail(flushed_ms);
  tell_stretches();
}

// Neighbours together. Those at the very end of a log that was not closed are a torn tail.
void VerifyLog::tell_bad_bodies(PhysicalOffset dispatched, std::int64_t flushed_ms) {
  for (std::size_t i = 0; i < bad_bodies_.size();) {
    std::size_t next = i + 1;
    while (next < bad_bodies_.size() && bad_bodies_[next].at == bad_bodies_[next - 1].end) ++next;
    const BodyChecker::Bad& first = bad_bodies_[i];
    std::string what = "body CRC";
    if (next - i > 1) what += fmt::format(", and of the {} records behind it", next - i - 1);
    const std::string expected = fmt::format("{:08X}", static_cast<std::uint32_t>(first.expected));
    const std::string found = fmt::format("{:08X}", static_cast<std::uint32_t>(first.found));
    const bool is_tail = bad_bodies_[next - 1].end == facts_.end && facts_.is_unsettled() &&
                         first.at >= dispatched && flushed_ms < facts_.newest_store_ms;
    if (is_tail) {
      add(Severity::kNormal, first.at,
          facts_.live ? "being written: " + what
                      : "torn tail of a log that was not closed: " + what,
          expected, found, report_.repair());
    } else {
      damage(first.at, what, expected, found);
    }
    i = next;
  }
}

// Messages that queues have and the log has not, from its very end on.
void VerifyLog::tell_what_is_behind(std::int64_t flushed_ms) {
  if (facts_.lost_behind == 0) return;
  const bool is_normal = facts_.crashed && flushed_ms <= facts_.newest_store_ms;
  std::string what = fmt::format(
      "the log ends here, and queues go on with {}: {}{}",
      count_of(facts_.lost_behind, "more message"), fmt::join(facts_.lost_names, ", "),
      facts_.lost_behind > static_cast<std::int64_t>(facts_.lost_names.size()) ? ", ..." : "");
  if (is_normal) what += "; as after a power cut";
  add(is_normal ? Severity::kNormal : Severity::kDamage, facts_.append_at, std::move(what), {}, {},
      report_.repair());
}

void VerifyLog::tell_tail(std::int64_t flushed_ms) {
  if (!tail_) return;
  const Tail& tail = *tail_;
  for (const LogFile& file : log_.files()) {
    if (file.start <= tail.at || !facts_.is_store || facts_.live) continue;
    add(facts_.crashed ? Severity::kNormal : Severity::kNote, file.start,
        "spare file, made ahead of need and not used yet", {}, {}, {});
  }
  if (tail.to == tail.at) return;
  // The file was cut: told already.
  if (log_.files().back().bytes < length_) return;
  const std::string bytes = fmt::format("{} bytes", tail.to - tail.at);
  if (tail.is_whole && !(tail.has_no_head && facts_.is_unsettled())) {
    damage(tail.at,
           fmt::format("a whole record of another position behind the end of the log, which a "
                       "broker's recovery would take for a message: {}",
                       tail.what));
  } else if (tail.begins && facts_.is_unsettled() && flushed_ms <= facts_.newest_store_ms) {
    add(Severity::kNormal, tail.at,
        fmt::format("{}: {} without a whole record: {}",
                    facts_.live ? "end of the log, being written"
                                : "torn tail of a log that was not closed",
                    bytes, tail.what),
        {}, {}, facts_.live ? std::string() : report_.repair());
  } else if (tail.begins) {
    damage(tail.at,
           fmt::format("{} behind the last record, and none can be read: {}", bytes, tail.what));
  } else {
    add(Severity::kNote, tail.at,
        fmt::format("zeros behind the last record, then bytes of something else up to {}",
                    tail.to.value()),
        {}, {}, report_.repair());
  }
}

void VerifyLog::tell_stretches() {
  for (DeadStretch& stretch : facts_.stretches) {
    if (stretch.lost > 0) {
      stretch.finding.what +=
          fmt::format("; {} of the queues in it: {}", count_of(stretch.lost, "message"),
                      fmt::join(stretch.names, ", "));
      if (stretch.lost > static_cast<std::int64_t>(stretch.names.size()))
        stretch.finding.what += ", ...";
    }
    if (!stretch.finding.file.empty()) {
      report_.add(Part::kLog, stretch.finding);
    } else {
      VerifyFinding& f = stretch.finding;
      add(f.severity, stretch.from, std::move(f.what), std::move(f.expected), std::move(f.found),
          std::move(f.mend));
    }
  }
}

}  // namespace mq::inspect

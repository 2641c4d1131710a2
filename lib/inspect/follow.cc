#include "inspect/follow.h"

namespace mq::inspect {

Result<bool> LogFollower::advance(const LogReader::Visit& visit) {
  MQ_TRY(const Bytes bytes, log_.bytes_from(at_));
  if (bytes.empty()) {
    // In a hole, or at the end of all files: a file may begin behind.
    for (const LogFile& file : log_.files()) {
      if (file.start > at_) return at_ = file.start, true;
    }
    return false;
  }
  if (format::record_kind(bytes) == format::RecordKind::kBlank) {
    at_ += static_cast<std::int64_t>(bytes.size());
    return true;
  }
  const auto record = good_record(bytes, at_);
  if (!record) return false;
  at_ += record->total_bytes;
  stop_ = !visit(*record, bytes.first(static_cast<std::size_t>(record->total_bytes)));
  return true;
}

Result<bool> LogFollower::goes_on_behind() {
  for (const LogFile& file : std::vector<LogFile>(log_.files())) {
    if (file.start <= at_) continue;
    MQ_TRY(const Bytes bytes, log_.bytes_from(file.start));
    if (good_record(bytes, file.start)) return true;
  }
  return false;
}

Result<bool> LogFollower::step(std::int64_t now_ms, const LogReader::Visit& visit,
                               const LogReader::Note& note) {
  MQ_CHECK(log_.refresh());
  const PhysicalOffset before = at_;
  bool moved = true;
  while (moved && !stop_) {
    MQ_TRY(moved, advance(visit));
  }
  if (at_ != before || stop_) {
    stuck_since_ms_ = -1;
    return true;
  }
  if (stuck_since_ms_ < 0) stuck_since_ms_ = now_ms;
  if (now_ms - stuck_since_ms_ < kPatienceMs) return false;
  stuck_since_ms_ = now_ms;
  MQ_TRY(const bool behind, goes_on_behind());
  if (!behind) return false;
  MQ_TRY(at_, log_.walk(at_, log_.end_of_files(), visit, note));
  return true;
}

}  // namespace mq::inspect

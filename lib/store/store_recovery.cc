#include "store/store_recovery.h"

#include <algorithm>

#include <fmt/format.h>

namespace mq::store {
namespace {

// The checkpoint's stamps may be up to that much ahead of the files (9.3).
constexpr std::int64_t kCheckpointSlackMs = 3000;

// Store time of the record at the start of a file; -1 when none stands there.
std::int64_t first_store_time(const CommitLog& log, PhysicalOffset start) {
  const Stretch stretch = log.view_from(start);
  const auto record = format::decode_record(stretch.view.bytes, format::CheckBody::kNo);
  if (!record || record->physical_offset != start) return -1;
  return record->store_timestamp_ms;
}

}  // namespace

PhysicalOffset scan_start(const CommitLog& log, bool clean_exit, PhysicalOffset queue_max,
                          const format::Checkpoint& checkpoint) {
  const std::vector<SegmentInfo> files = log.segments();
  if (files.empty()) return log.begin();
  const std::int64_t vouched = std::max<std::int64_t>(
      0, std::min(checkpoint.physic_timestamp_ms, checkpoint.logics_timestamp_ms) -
             kCheckpointSlackMs);
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (clean_exit) {
      // One file earlier than the position says if the end stands on a border: the last record is
      // then in it.
      if (file->start < queue_max) return file->start;
      continue;
    }
    const std::int64_t time = first_store_time(log, file->start);
    if (time > 0 && time <= vouched) return file->start;
  }
  return files.front().start;
}

Result<LogEnd> settle_end(CommitLog& log, PhysicalOffset from, bool clean_exit, bool check_body,
                          RecoveryReport& report) {
  LogEnd end{from, scan(log, from, log.written(), {.check_body = check_body}, {})};
  for (const DamagedRange& damage : end.scan.damaged) {
    report.notes.push_back(
        fmt::format("commit log {} to {} is damaged ({}); what follows it is served",
                    damage.begin.value(), damage.end.value(), damage.why));
  }
  report.records_scanned += end.scan.records;
  MQ_TRY(report.bytes_truncated,
         log.truncate(end.scan.end, end.scan.last_store_time_ms, !clean_exit));
  if (report.bytes_truncated > 0) {
    report.notes.push_back(
        fmt::format("commit log ends at {}: {} bytes behind it were no records and are cut",
                    end.scan.end.value(), report.bytes_truncated));
  }
  return end;
}

}  // namespace mq::store

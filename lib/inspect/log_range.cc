#include "inspect/log_range.h"

namespace mq::inspect {
namespace {

// Store time of the record that begins a file; nothing where none does.
Result<std::optional<std::int64_t>> time_at(LogReader& log, PhysicalOffset at) {
  MQ_TRY(const Bytes bytes, log.bytes_from(at));
  const auto record = good_record(bytes, at);
  return record ? std::optional(record->store_timestamp_ms) : std::nullopt;
}

Result<std::int64_t> count_in(LogReader& log, const LogFile& file) {
  std::int64_t count = 0;
  MQ_CHECK(log.walk(file.start, file.start + file.bytes,
                    [&](const format::Record&, Bytes) { return ++count, true; }));
  return count;
}

Result<PhysicalOffset> position_of(LogReader& log, PhysicalOffset from, std::int64_t count) {
  PhysicalOffset at = log.end_of_files();
  MQ_CHECK(log.walk(from, log.end_of_files(), [&](const format::Record& record, Bytes) {
    if (count-- > 0) return true;
    at = record.physical_offset;
    return false;
  }));
  return at;
}

}  // namespace

Result<PhysicalOffset> first_file_at(LogReader& log, std::int64_t ms) {
  PhysicalOffset out = log.begin();
  for (const LogFile& file : std::vector<LogFile>(log.files())) {
    MQ_TRY(const auto time, time_at(log, file.start));
    if (!time) continue;
    if (*time > ms - kClockSlackMs) break;
    out = file.start;
  }
  return out;
}

Result<PhysicalOffset> first_file_behind(LogReader& log, std::int64_t ms) {
  for (const LogFile& file : std::vector<LogFile>(log.files())) {
    MQ_TRY(const auto time, time_at(log, file.start));
    if (time && *time > ms && *time - ms > kClockSlackMs) return file.start;
  }
  return log.end_of_files();
}

Result<PhysicalOffset> record_from_front(LogReader& log, std::int64_t count) {
  return position_of(log, log.begin(), count);
}

Result<PhysicalOffset> record_from_end(LogReader& log, std::int64_t count) {
  if (count <= 0) return log.end_of_files();
  for (std::size_t f = log.files().size(); f-- > 0;) {
    const LogFile file = log.files()[f];
    MQ_TRY(const std::int64_t here, count_in(log, file));
    if (here >= count) return position_of(log, file.start, here - count);
    count -= here;
  }
  return log.begin();
}

}  // namespace mq::inspect

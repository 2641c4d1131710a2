#include "inspect/repair_log.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "format/properties.h"
#include "inspect/repair_salvage.h"

namespace mq::inspect {
namespace {

constexpr std::int64_t kProgressBytes = 16 << 20;
constexpr std::string_view kCrcName = "__CRC32#\x01";
constexpr std::size_t kCrcBytes = 20;
constexpr std::int64_t kYearsMs = 10LL * 365 * 86'400'000;

bool has_crc_property(const format::Record& record) {
  return record.properties.size() >= kCrcBytes &&
         record.properties.substr(record.properties.size() - kCrcBytes).starts_with(kCrcName);
}

}  // namespace

Result<std::unique_ptr<LogMend>> LogMend::open(fs::Fs& fs, const std::string& store,
                                               const Options& options) {
  MQ_TRY(auto log, LogReader::open(fs, store, LogReader::Cache::kDrop));
  return std::unique_ptr<LogMend>(new LogMend(fs, std::move(log), options));
}

const LogFile* LogMend::file_starting(PhysicalOffset start) const {
  for (const LogFile& file : log_->files())
    if (file.start == start) return &file;
  return nullptr;
}

const Stretch* LogMend::stretch_at(PhysicalOffset at) const {
  auto found = std::upper_bound(stretches_.begin(), stretches_.end(), at,
                                [](PhysicalOffset p, const Stretch& s) { return p < s.begin; });
  if (found == stretches_.begin()) return nullptr;
  --found;
  return at < found->end ? &*found : nullptr;
}

// --- the first pass

Result<void> LogMend::survey(const Visit& visit, const IsNext& is_next, const Progress& progress) {
  expected_ = log_->begin();
  PhysicalOffset told = expected_;
  Result<void> done;
  const auto take = [&](const format::Record& record) -> Result<void> {
    const PhysicalOffset at = record.physical_offset;
    if (behind_ > 0 || at + record.total_bytes > options_.to ||
        record.store_timestamp_ms > options_.to_ms) {
      ++behind_;
      return {};
    }
    // The reference reads no further than a number it cannot parse, and nothing fits into less than
    // a record: then this one goes, too.
    if (options_.rules->of(record).is_refused) {
      why_.try_emplace(at, "a number among its properties that is none");
      return {};
    }
    const std::int64_t gap = at - expected_;
    if (gap > 0 && gap < kStretchBytesMin && file_start(at) == file_start(expected_)) return {};
    const Seen seen{at, record.store_timestamp_ms, record.store_host, has_crc_property(record)};
    if (gap != 0) MQ_CHECK(pass_gap(at, seen, visit, is_next));
    if (const auto odd = times_.take(at, record.store_timestamp_ms)) MQ_CHECK(retime(*odd));
    MQ_CHECK(visit(record));
    last_ = seen;
    expected_ = at + record.total_bytes;
    if (progress && at - told > kProgressBytes) progress(told = at);
    return {};
  };
  auto walked = log_->walk(
      log_->begin(), log_->end_of_files(),
      [&](const format::Record& record, Bytes) {
        done = take(record);
        return done.has_value();
      },
      [&](const Finding& finding) {
        if (finding.damage) why_.try_emplace(finding.at, finding.what);
      });
  if (!done) return done;
  if (!walked) return std::move(walked).error();
  if (progress) progress(log_->end_of_files());
  return settle_end(expected_);
}

// Where the log's last record ends, or behind the blank that follows it.
Result<void> LogMend::settle_end(PhysicalOffset last_good) {
  end_ = last_good;
  if (const auto odd = times_.finish(options_.now_ms)) MQ_CHECK(retime(*odd));
  const std::int64_t rest = file_start(last_good) + options_.file_bytes - last_good;
  if (rest == options_.file_bytes ||
      file_starting(file_start(last_good) + options_.file_bytes) == nullptr) {
    return {};
  }
  MQ_TRY(const bool blank, is_blank(last_good, rest));
  if (blank) end_ = last_good + rest;
  return {};
}

Result<bool> LogMend::is_blank(PhysicalOffset at, std::int64_t bytes) {
  MQ_TRY(const Bytes in, log_->bytes_from(at));
  return format::record_kind(in) == format::RecordKind::kBlank &&
         load_be<std::int32_t>(in.data()) == bytes;
}

Result<void> LogMend::pass_gap(PhysicalOffset to, const Seen& next, const Visit& visit,
                               const IsNext& is_next) {
  while (expected_ < to) {
    const PhysicalOffset file_end = file_start(expected_) + options_.file_bytes;
    MQ_TRY(expected_, pass_gap_in_file(expected_, std::min(to, file_end), next, visit, is_next));
  }
  why_.erase(why_.begin(), why_.lower_bound(to));
  return {};
}

// [from, to) holds no good record. What is left of it behind those that can be saved becomes a
// stretch, unless it is the blank that ends a file.
Result<PhysicalOffset> LogMend::pass_gap_in_file(PhysicalOffset from, PhysicalOffset to,
                                                 const Seen& next, const Visit& visit,
                                                 const IsNext& is_next) {
  const bool is_missing = file_starting(file_start(from)) == nullptr;
  const bool to_file_end = (to.value() % options_.file_bytes) == 0;
  while (from < to) {
    if (to_file_end) {
      MQ_TRY(const bool blank, is_blank(from, to - from));
      if (blank) return to;
    }
    MQ_TRY(const std::string saved, salvage(from, to, next, is_next));
    if (!saved.empty()) {
      MQ_TRY(const format::Record record,
             format::decode_record(as_bytes(saved), format::CheckBody::kNo));
      MQ_CHECK(visit(record));
      last_ = Seen{from, record.store_timestamp_ms, record.store_host, has_crc_property(record)};
      from += record.total_bytes;
      continue;
    }
    // If the record's size is right, the next one may be saved.
    MQ_TRY(const Bytes in, log_->bytes_from(from));
    PhysicalOffset behind = to;
    if (in.size() >= format::kBlankHeadBytes) {
      const auto bytes = load_be<std::int32_t>(in.data());
      if (bytes >= kStretchBytesMin && bytes <= to - from - kStretchBytesMin) {
        MQ_TRY(const std::string second, salvage(from + bytes, to, next, is_next));
        if (!second.empty()) behind = from + bytes;
      }
    }
    add_stretch(from, behind, is_missing, next);
    from = behind;
  }
  return to;
}

void LogMend::add_stretch(PhysicalOffset from, PhysicalOffset to, bool is_missing,
                          const Seen& next) {
  const Seen& around = last_ ? *last_ : next;
  const auto why = why_.lower_bound(from);
  Stretch stretch{.begin = from,
                  .end = to,
                  .at_file_start = from == file_start(from),
                  .to_file_end = to.value() % options_.file_bytes == 0,
                  .is_missing = is_missing,
                  .what = why != why_.end() && why->first < to ? why->second : std::string(),
                  .store_timestamp_ms = around.store_timestamp_ms,
                  .store_host = around.store_host,
                  .has_crc_property = around.has_crc_property};
  if (is_missing) stretch.what = "the file is missing";
  if (stretch.what.empty()) stretch.what = "no record";
  stretches_.push_back(std::move(stretch));
}

// A record at `at` with one bit wrong; "" if there is none.
Result<std::string> LogMend::salvage(PhysicalOffset at, PhysicalOffset to, const Seen& next,
                                     const IsNext& is_next) {
  MQ_TRY(const Bytes in, log_->bytes_from(at));
  const auto room = static_cast<std::size_t>(to - at);
  if (in.size() < format::kRecordBytesMin || room < format::kRecordBytesMin) return std::string();
  const std::int64_t around_ms = (last_ ? *last_ : next).store_timestamp_ms;
  const bool knows_time = around_ms > kYearsMs && around_ms <= options_.now_ms;
  const auto accept = [&](const format::Record& record, std::size_t byte) {
    if (options_.rules->of(record).is_refused) return false;
    // The two hosts may change places with each other: then the time between them is none.
    const std::int64_t ms = record.store_timestamp_ms;
    if (knows_time && (ms < around_ms - kYearsMs || ms > around_ms + kYearsMs)) return false;
    // One that says it stands elsewhere may have come from there, with a file or block that was
    // used again. Then its number is an old one.
    if (byte >= kPhysicalOffsetAt && byte < kPhysicalOffsetAt + 8)
      return record.total_bytes == to - at && is_next(record);
    return true;
  };
  Salvaged saved = salvage_record(in.first(std::min(in.size(), room)), at, accept);
  if (saved.bytes.empty()) return std::string();
  const auto why = why_.find(at);
  fix(at, saved.bytes,
      fmt::format("one bit of byte {} is wrong ({})", saved.byte,
                  why == why_.end() ? "it is no record" : why->second));
  return std::move(saved.bytes);
}

Result<void> LogMend::retime(const TimeOrder::Odd& odd) {
  MQ_TRY(const std::string bytes, record_at(odd.at));
  MQ_TRY(const format::Record record,
         format::decode_record(as_bytes(bytes), format::CheckBody::kNo));
  fix(odd.at, retimed_record(as_bytes(bytes), record, odd.better_ms),
      fmt::format("store time {} is {}", odd.ms, odd.better_ms));
  return {};
}

// --- what is asked and told between the passes

std::optional<PhysicalOffset> LogMend::hold_between(const QueueKey& queue, std::int64_t number,
                                                    PhysicalOffset from, PhysicalOffset to) {
  auto stretch = std::lower_bound(stretches_.begin(), stretches_.end(), from,
                                  [](const Stretch& s, PhysicalOffset p) { return s.begin < p; });
  for (; stretch != stretches_.end() && stretch->end <= to; ++stretch) {
    if (stretch->room_for(queue.topic) == 0) continue;
    stretch->hold(queue, number);
    return stretch->begin;
  }
  return std::nullopt;
}

void LogMend::fix(PhysicalOffset at, std::string bytes, std::string what) {
  auto& fixed = fixed_[at];
  fixed.bytes = std::move(bytes);
  fixed.what = fixed.what.empty() ? std::move(what) : fixed.what + "; " + what;
}

Result<std::string> LogMend::record_at(PhysicalOffset at) {
  const auto fixed = fixed_.find(at);
  if (fixed != fixed_.end()) return fixed->second.bytes;
  MQ_TRY(const format::Record record, log_->record_at(at));
  MQ_TRY(const Bytes bytes, log_->bytes_from(at));
  return std::string(as_text(bytes.first(static_cast<std::size_t>(record.total_bytes))));
}

// --- every further pass

Result<void> LogMend::replay(const Visit& visit, const Progress& progress) {
  auto stretch = stretches_.begin();
  auto fixed = fixed_.begin();
  Result<void> done;
  // Everything that is not a good record as it stands, before `to`.
  const auto visit_until = [&](PhysicalOffset to) {
    while (done) {
      const PhysicalOffset next_stretch =
          stretch == stretches_.end() ? PhysicalOffset(INT64_MAX) : stretch->begin;
      const PhysicalOffset next_fixed =
          fixed == fixed_.end() ? PhysicalOffset(INT64_MAX) : fixed->first;
      if (std::min(next_stretch, next_fixed) >= to) return;
      if (next_fixed < next_stretch) {
        const auto record =
            format::decode_record(as_bytes(fixed->second.bytes), format::CheckBody::kNo);
        done = record ? visit(*record) : Result<void>(record.error());
        ++fixed;
        continue;
      }
      lay_out(*stretch, [&](const Scrap& scrap) {
        if (!done || scrap.kind != Scrap::Kind::kHeld) return;
        const std::string bytes = held_record(*stretch, scrap);
        done = visit(*format::decode_record(as_bytes(bytes), format::CheckBody::kNo));
      });
      ++stretch;
    }
  };
  PhysicalOffset told = begin();
  auto walked = log_->walk(begin(), end_, [&](const format::Record& record, Bytes) {
    const PhysicalOffset at = record.physical_offset;
    if (at + record.total_bytes > end_) return false;
    visit_until(at);
    if (done && stretch_at(at) == nullptr) {
      if (fixed != fixed_.end() && fixed->first == at) {
        visit_until(at + 1);
      } else {
        done = visit(record);
      }
    }
    if (progress && at - told > kProgressBytes) progress(told = at);
    return done.has_value();
  });
  if (!done) return done;
  if (!walked) return std::move(walked).error();
  visit_until(end_);
  if (progress) progress(log_->end_of_files());
  return done;
}

}  // namespace mq::inspect

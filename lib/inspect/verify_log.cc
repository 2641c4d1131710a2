#include "inspect/verify_log.h"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "base/hash.h"
#include "format/names.h"
#include "format/properties.h"

namespace mq::inspect {
namespace {

using format::Record;
using format::RecordKind;

constexpr std::string_view kCrcName = "__CRC32#";
constexpr std::size_t kCrcBlockBytes = 20;
constexpr std::int64_t kProgressBytes = 32 << 20;
constexpr std::int64_t kReleaseBytes = LogReader::kResidentBytes;

// Behind the last byte that is not zero; 0 if all are.
std::size_t end_of_data(Bytes in) {
  constexpr std::size_t kStep = 4096;
  while (!in.empty()) {
    const std::size_t step = std::min(kStep, in.size());
    if (!is_zero(in.last(step))) break;
    in = in.first(in.size() - step);
  }
  while (!in.empty() && in.back() == std::byte{0}) in = in.first(in.size() - 1);
  return in.size();
}

bool is_number(std::string_view text) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

VerifyLog::VerifyLog(LogReader& log, VerifyFacts& facts, VerifyReport& report, Options options)
    : log_(log),
      facts_(facts),
      report_(report),
      options_(std::move(options)),
      bodies_(options_.jobs) {}

void VerifyLog::add(Severity severity, PhysicalOffset at, std::string what, std::string expected,
                    std::string found, std::string mend) {
  VerifyFinding finding{
      .severity = severity, .file = facts_.file_at(at), .at = facts_.place_at(at)};
  finding.what = std::move(what);
  finding.expected = std::move(expected);
  finding.found = std::move(found);
  finding.mend = std::move(mend);
  report_.add(Part::kLog, std::move(finding));
}

void VerifyLog::damage(PhysicalOffset at, std::string what, std::string expected,
                       std::string found) {
  add(Severity::kDamage, at, std::move(what), std::move(expected), std::move(found),
      facts_.is_store ? report_.repair() : std::string());
}

// The length that most have, and that names agree with: files are made with their full length.
std::int64_t VerifyLog::common_length() const {
  const auto& files = log_.files();
  std::map<std::int64_t, std::size_t> votes;
  for (const LogFile& file : files) ++votes[file.bytes];
  for (std::size_t i = 1; i < files.size(); ++i) {
    const auto found = votes.find(files[i].start - files[i - 1].start);
    if (found != votes.end()) ++found->second;
  }
  std::pair<std::int64_t, std::size_t> best{0, 0};
  for (const auto& vote : votes)
    if (vote.second >= best.second) best = vote;
  return best.first;
}

void VerifyLog::check_files() {
  length_ = common_length();
  if (!facts_.is_store) return;
  const auto& files = log_.files();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const LogFile& file = files[i];
    // What a short one lacks in the middle of the log is told where it is missed.
    const bool is_gap = file.bytes < length_ && i + 1 < files.size();
    if (file.bytes != length_ && !is_gap) {
      report_.add(Part::kLog,
                  {.severity = Severity::kDamage,
                   .file = file.path,
                   .at = std::min(file.bytes, length_),
                   .what = "the file has another length than the others; brokers refuse to start",
                   .expected = fmt::format("{} bytes", length_),
                   .found = fmt::format("{} bytes", file.bytes),
                   .mend = report_.repair()});
    }
    if (length_ > 0 && file.start.value() % length_ != 0) {
      report_.add(Part::kLog, {.severity = Severity::kDamage,
                               .file = file.path,
                               .what = "its name is not a multiple of the files' length",
                               .expected = fmt::format("a multiple of {}", length_),
                               .found = fmt::format("{}", file.start.value())});
    }
  }
}

void VerifyLog::note_gap(const LogFile& before, const LogFile& file) {
  const PhysicalOffset from = before.start + before.bytes;
  DeadStretch gap{from, file.start, {.severity = Severity::kDamage, .mend = report_.repair()}};
  if (before.bytes < length_) {
    gap.finding.file = before.path;
    gap.finding.at = before.bytes;
    gap.finding.what = "the file is cut short; brokers refuse to start";
    gap.finding.expected = fmt::format("{} bytes", length_);
    gap.finding.found = fmt::format("{} bytes", before.bytes);
    // A record may have been cut in two.
    if (!facts_.stretches.empty() && facts_.stretches.back().to == from) {
      gap.from = facts_.stretches.back().from;
      facts_.stretches.pop_back();
    }
  } else {
    gap.finding.file = file.path;
    gap.finding.at = 0;
    gap.finding.what =
        fmt::format("the file before it is missing: {} bytes of the log", file.start - from);
  }
  facts_.stretches.push_back(std::move(gap));
}

Result<void> VerifyLog::walk(const Visit& visit) {
  const auto& files = log_.files();
  facts_.begin = facts_.end = facts_.append_at = log_.begin();
  facts_.end_of_files = log_.end_of_files();
  for (const LogFile& file : files) facts_.files.push_back({file.path, file.start});
  check_files();
  for (const LogFile& file : files) total_bytes_ += file.bytes;
  for (std::size_t f = 0; f < files.size() && !tail_; ++f) {
    if (f > 0 && files[f - 1].start + files[f - 1].bytes < files[f].start)
      note_gap(files[f - 1], files[f]);
    auto walked = walk_file(f, visit);
    if (!walked) {
      // Retention takes a broker's oldest files while we look.
      if (facts_.live && walked.error().code() == Errc::kNotFound) continue;
      return std::move(walked).error();
    }
  }
  if (tail_) facts_.append_at = tail_->at;
  if (options_.progress) options_.progress(total_bytes_, total_bytes_);
  return {};
}

Result<void> VerifyLog::walk_file(std::size_t number, const Visit& visit) {
  const LogFile& file = log_.files()[number];
  const std::int64_t bytes = bytes_of(file);
  MQ_TRY(Bytes in, log_.bytes_from(file.start));
  if (in.empty()) return Error{Errc::kNotFound, file.path};
  in = in.first(static_cast<std::size_t>(bytes));
  std::int64_t released = 0;
  std::int64_t reported = 0;
  for (std::int64_t at = 0; at < bytes;) {
    if (at - released >= kReleaseBytes) {
      MQ_CHECK(log_.bytes_from(file.start + at));
      released = at;
    }
    if (at - reported >= kProgressBytes && options_.progress) {
      options_.progress(file.start - log_.begin() + at, total_bytes_);
      reported = at;
    }
    const Bytes rest = in.subspan(static_cast<std::size_t>(at));
    const PhysicalOffset position = file.start + at;
    auto record = format::decode_record(rest, format::CheckBody::kNo);
    if (!record || (record->physical_offset != position &&
                    !is_in_chain(in, at, *record, file.start))) [[unlikely]] {
      MQ_TRY(at, pass_over(number, in, at));
      if (tail_) break;
      continue;
    }
    if (record->physical_offset != position) [[unlikely]] {
      damage(position, "the record's own physicalOffset", fmt::format("{}", position.value()),
             fmt::format("{}", record->physical_offset.value()));
      record->physical_offset = position;
    }
    ++records_;
    at += record->total_bytes;
    facts_.end = position + record->total_bytes;
    check_record(*record, position, rest.first(static_cast<std::size_t>(record->total_bytes)));
    visit(*record);
    // Every record leaves room for a blank. A short file is told for itself.
    if (at == bytes && file.bytes >= length_)
      damage(facts_.end, "the file ends right behind a record, without a blank: it was cut");
  }
  facts_.append_at = file.start + bytes;
  collect_bad_bodies();
  if (back_count_ > 0) {
    add(Severity::kNote, back_at_,
        fmt::format("the store time goes back by {} ms{}", back_ms_,
                    back_count_ > 1
                        ? fmt::format(", and {} times more in this file", back_count_ - 1)
                        : std::string()),
        {}, {}, {});
    back_count_ = 0;
  }
  // A page that could not be read looks like zeros: then nothing above is to be believed.
  if (log_.faulted()) return Error{Errc::kIo, file.path + ": the device failed while it was read"};
  return {};
}

bool VerifyLog::is_in_chain(Bytes in, std::int64_t at, const Record& record,
                            PhysicalOffset start) const {
  const std::int64_t next = at + record.total_bytes;
  const Bytes rest = in.subspan(static_cast<std::size_t>(next));
  if (format::record_kind(rest) == RecordKind::kBlank)
    return load_be<std::int32_t>(rest.data()) == static_cast<std::int64_t>(rest.size());
  const auto follower = format::decode_record(rest, format::CheckBody::kNo);
  return follower && follower->physical_offset == start + next;
}

Result<std::int64_t> VerifyLog::pass_over(std::size_t number, Bytes in, std::int64_t at) {
  const LogFile& file = log_.files()[number];
  const auto bytes = static_cast<std::int64_t>(in.size());
  const Bytes rest = in.subspan(static_cast<std::size_t>(at));
  const PhysicalOffset position = file.start + at;
  const bool is_blank = format::record_kind(rest) == RecordKind::kBlank;
  const auto blank_bytes = is_blank ? load_be<std::int32_t>(rest.data()) : 0;
  if (is_blank && blank_bytes == bytes - at) return bytes;
  // Zeros where a short file ends are the rest of what was told of it.
  const auto refused = good_record(rest, position);
  const std::string why = refused ? std::string() : refused.error().text();
  const bool is_zeros = is_zero(rest.first(std::min<std::size_t>(rest.size(), 8)));
  MQ_TRY(const PhysicalOffset next, log_.next_good(position));
  const std::int64_t next_at = std::min(next - file.start, bytes);
  if (facts_.live && good_record(rest, position)) {
    // Written since we came by: this is how far the log goes for us.
    tail_ = Tail{.at = position, .to = position, .what = {}};
    return bytes;
  }
  if (next_at == bytes && is_blank) {
    damage(position, "blank at the end of the file", fmt::format("{} bytes", rest.size()),
           fmt::format("{} bytes", blank_bytes));
    return bytes;
  }
  if (next_at == bytes) {
    MQ_TRY(const bool more, has_records_behind(number + 1));
    if (!more) {
      MQ_CHECK(note_tail(number, at));
      tail_->what = why;
      return bytes;
    }
  }
  facts_.stretches.push_back(
      {position,
       file.start + next_at,
       {.severity = Severity::kDamage,
        .what = fmt::format(
            "{} ({}); {}",
            is_zeros ? "zeros where a record should be" : "no record can be read here", why,
            next_at == bytes ? std::string("nothing that can be read follows in this file")
                             : fmt::format("the next good record is {} bytes further, at {}",
                                           next_at - at, next_at)),
        .mend = facts_.is_store ? report_.repair() : std::string()}});
  return next_at;
}

Result<bool> VerifyLog::has_records_behind(std::size_t number) {
  collect_bad_bodies();  // before their file is closed
  for (; number < log_.files().size(); ++number) {
    const LogFile& file = log_.files()[number];
    MQ_TRY(const PhysicalOffset found, log_.next_good(file.start));
    if (found < file.start + file.bytes) return true;
  }
  return false;
}

// Behind the last byte in [from, to) that is not zero; `from` if all are. Holes are not touched.
Result<PhysicalOffset> VerifyLog::end_of_bytes(PhysicalOffset from, PhysicalOffset to) {
  constexpr std::int64_t kStep = 1 << 20;
  PhysicalOffset end = from;
  for (PhysicalOffset at = from; at < to; at += kStep) {
    MQ_TRY(at, log_.next_data(at));
    if (at >= to) break;
    MQ_TRY(const Bytes rest, log_.bytes_from(at));
    const auto step = static_cast<std::size_t>(std::min(kStep, to - at));
    const std::size_t used = end_of_data(rest.first(step));
    if (used > 0) end = at + static_cast<std::int64_t>(used);
  }
  return end;
}

// Only zeros should follow: what else there is, and whether it could be taken for a record.
Result<void> VerifyLog::note_tail(std::size_t number, std::int64_t at) {
  const LogFile& file = log_.files()[number];
  Tail tail;
  tail.at = tail.to = file.start + at;
  MQ_TRY(const Bytes rest, log_.bytes_from(tail.at));
  tail.begins = !is_zero(rest.first(std::min(rest.size(), format::kBlankHeadBytes)));
  const auto record = format::decode_record(rest, format::CheckBody::kCrc);
  tail.is_whole = record && record->physical_offset != tail.at;
  tail.has_no_head = tail.is_whole && record->physical_offset == PhysicalOffset(0);
  tail_ = tail;
  if (facts_.live && record && !tail.is_whole) return {};  // written since
  MQ_TRY(tail.to, end_of_bytes(tail.at, file.start + bytes_of(file)));
  tail_ = std::move(tail);
  return {};
}

void VerifyLog::check_record(const Record& record, PhysicalOffset at, Bytes bytes) {
  const PhysicalOffset end = at + record.total_bytes;
  if (record.body.empty()) {
    if (record.body_crc != 0) [[unlikely]]
      damage(at, "CRC of a body of no bytes", "0", fmt::format("{:08X}", record.body_crc));
  } else {
    bodies_.check(at, end, record.body, record.body_crc);
  }
  check_times(record, at);
  if (record.queue_id < 0) [[unlikely]]
    damage(at, "queueId", "0 or more", fmt::format("{}", record.queue_id));
  if (record.queue_offset < QueueOffset(0)) [[unlikely]]
    damage(at, "queueOffset", "0 or more", fmt::format("{}", record.queue_offset.value()));
  if (record.topic.empty()) [[unlikely]]
    damage(at, "topic", "1 byte or more", "none");
  check_properties(record, at, bytes);
  if (options_.check_body) {
    if (auto done = options_.check_body(record); !done)
      damage(at, "the body does not inflate: " + done.error().text());
  }
}

void VerifyLog::check_times(const Record& record, PhysicalOffset at) {
  const std::int64_t now_ms = record.store_timestamp_ms;
  if (now_ms < last_store_ms_) [[unlikely]] {
    if (back_count_++ == 0) {
      back_at_ = at;
      back_ms_ = last_store_ms_ - now_ms;
    }
  }
  if (records_ == 1) facts_.oldest_store_ms = now_ms;
  last_store_ms_ = now_ms;
  facts_.newest_store_ms = std::max(facts_.newest_store_ms, now_ms);
}

// Numbers that a broker refuses a record for, and the CRC of the whole record where it has one.
void VerifyLog::check_properties(const Record& record, PhysicalOffset at, Bytes bytes) {
  const std::string_view text = record.properties;
  if (text.size() >= kCrcBlockBytes) [[likely]] {
    const std::string_view block = text.substr(text.size() - kCrcBlockBytes);
    if (block.starts_with(kCrcName)) [[unlikely]] {
      std::string digits(block.substr(kCrcName.size() + 1, 10));
      std::reverse(digits.begin(), digits.end());
      const std::string found =
          fmt::format("{:010}", crc32_masked(bytes.first(bytes.size() - kCrcBlockBytes)));
      if (found != digits) damage(at, "CRC of the whole record (__CRC32#)", digits, found);
    }
  }
  const bool is_delayed = record.topic == format::kScheduleTopic;
  const bool is_batch = (record.sys_flag & format::kFlagInnerBatch) != 0;
  if (!is_delayed && !is_batch) [[likely]]
    return;
  for (const std::string_view name : {format::kDelay, format::kInnerNum, format::kInnerBase}) {
    if ((name == format::kDelay) != is_delayed) continue;
    const auto value = format::find_property(text, name);
    if (value && !is_number(*value) && !(name == format::kInnerBase && value->size() > 9))
      damage(at, fmt::format("property {}", name), "a number", std::string(*value));
  }
}

void VerifyLog::collect_bad_bodies() {
  for (const BodyChecker::Bad& bad : bodies_.settle()) {
    if (bad_bodies_.size() < BodyChecker::kBadMax) bad_bodies_.push_back(bad);
  }
}

}  // namespace mq::inspect

// What is told of an index file when its entries have gone by, and of the index when the log has.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "inspect/verify_index.h"

namespace mq::inspect {

void VerifyIndex::bad_entry(std::string what, std::string expected, std::string found) {
  const std::int32_t number = now_->next;
  ++now_->bad_entries;
  const bool goes_on = bad_.count > 0 && bad_.file == now_->info->path &&
                       (number == bad_.last || number == bad_.last + 1);
  if (!goes_on) {
    flush_bad();
    bad_.file = now_->info->path;
    bad_.at = now_->info->shape.entry_at(number);
    bad_.what = fmt::format("entry {}: {}", number, what);
    bad_.expected = std::move(expected);
    bad_.found = std::move(found);
    bad_.count = 1;
  } else if (number != bad_.last) {
    ++bad_.count;
  }
  bad_.last = number;
}

void VerifyIndex::flush_bad() {
  Run run = std::exchange(bad_, {});
  if (run.count == 0) return;
  if (run.count > 1) run.what += fmt::format("; so are the {} behind it", run.count - 1);
  report_.add(Part::kIndex, {.severity = Severity::kDamage,
                             .file = std::move(run.file),
                             .at = run.at,
                             .what = std::move(run.what),
                             .expected = std::move(run.expected),
                             .found = std::move(run.found),
                             .mend = report_.rebuild("index")});
}

void VerifyIndex::miss(PhysicalOffset at, std::size_t keys) {
  if (missing_.records++ == 0) missing_.at = at;
  missing_.keys += static_cast<std::int64_t>(keys);
}

void VerifyIndex::flush_missing(bool at_end) {
  const Missing missing = std::exchange(missing_, {});
  if (missing.records == 0) return;
  const bool is_normal = at_end && facts_.is_unsettled() && has_matched_;
  std::string what =
      fmt::format("{} of {} from here on not in the index", count_of(missing.keys, "key"),
                  count_of(missing.records, "message"));
  if (is_normal) what += facts_.live ? "; the broker is at it" : "; the next start adds them";
  report_.add(Part::kIndex, {.severity = is_normal ? Severity::kNormal : Severity::kDamage,
                             .file = facts_.file_at(missing.at),
                             .at = facts_.place_at(missing.at),
                             .what = std::move(what),
                             .mend = is_normal ? std::string() : report_.rebuild("index")});
}

void VerifyIndex::end_file() {
  flush_bad();
  Current& now = *now_;
  // An entry that is damaged as a whole takes its chain along, and has been told of.
  if (now.bad_chains > 0 && now.bad_entries == 0) tell_chains();
  if (!(facts_.live && is_newest())) {
    check_header();
    if (now.bad_chains == 0) check_slots();
  }
  previous_end_ms_ = now.info->header.end_timestamp_ms;
  now.cache.drop(*now.file, 0, now.info->bytes);
  now_.reset();
}

void VerifyIndex::tell_chains() {
  const Current& now = *now_;
  std::string what = fmt::format("entry {} names the one before it in its slot", now.bad_chain_at);
  if (now.bad_chain_found >= now.bad_chain_at) what += ": the chain has a cycle";
  if (now.bad_chains > 1) what += fmt::format("; so do {} others", now.bad_chains - 1);
  file_damage(*now.info, now.info->shape.entry_at(now.bad_chain_at) + 16, std::move(what),
              fmt::format("{}", now.bad_chain_expected), fmt::format("{}", now.bad_chain_found));
}

void VerifyIndex::check_header() {
  const Current& now = *now_;
  const format::IndexHeader& header = now.info->header;
  if (now.count <= 1 || (is_cut() && header.index_count <= 1)) return;
  const auto differs = [&](std::int64_t at, const char* what, std::int64_t expected,
                           std::int64_t found) {
    if (expected != found)
      file_damage(*now.info, at, what, fmt::format("{}", expected), fmt::format("{}", found));
  };
  if (now.first_stored_ms >= 0)
    differs(0, "beginTimestamp, of the first key's record", now.first_stored_ms,
            header.begin_timestamp_ms);
  if (now.first_offset)
    differs(16, "beginPhyOffset, of the first key's record", now.first_offset->value(),
            header.begin_offset.value());
  if (is_cut() && header.end_offset < now.last.offset) {
    report_.add(Part::kIndex, {.severity = Severity::kNormal,
                               .file = now.info->path,
                               .at = 24,
                               .what = fmt::format(
                                   "its header lags behind the last of its entries, {} against {}; "
                                   "the next start puts it right",
                                   header.end_offset.value(), now.last.offset.value())});
  }
  if (now.bad_entries > 0) return;
  // The count may be wrong itself, which has been told of.
  const Current::State expected = is_cut() ? now.counted.value_or(now.last) : now.last;
  const bool is_one_behind = is_cut() && header.end_offset == now.before_counted.offset;
  if (!is_one_behind) {
    if (expected.stored_ms >= 0)
      differs(8, "endTimestamp, of the last key's record", expected.stored_ms,
              header.end_timestamp_ms);
    differs(24, "endPhyOffset, of the last key's record", expected.offset.value(),
            header.end_offset.value());
  }
  const bool is_one_off = is_cut() && std::abs(header.slot_count - expected.used_slots) <= 1;
  if (now.bad_chains == 0 && !is_one_off)
    differs(32, "hashSlotCount, the slots that are used", expected.used_slots, header.slot_count);
}

// Each slot must name the newest of its entries. Neighbours that do not are told as one.
void VerifyIndex::check_slots() {
  Current& now = *now_;
  constexpr std::size_t kStep = 64 << 10;
  std::vector<std::byte> raw(kStep);
  const std::int64_t end = now.info->shape.slot_at(now.info->shape.slots);
  std::int64_t first_bad = -1;
  std::int64_t bad = 0;
  std::string expected;
  std::string found;
  for (std::int64_t at = now.info->shape.slot_at(0); at < end;) {
    const auto step = static_cast<std::size_t>(std::min<std::int64_t>(kStep, end - at));
    const auto got = now.file->read_at(at, MutableBytes(raw).first(step));
    if (!got || *got < step) break;
    for (std::size_t i = 0; i < step; i += 4) {
      const auto slot = static_cast<std::size_t>((at - now.info->shape.slot_at(0)) / 4) + i / 4;
      const auto value = load_be<std::int32_t>(raw.data() + i);
      if (value == now.newest[slot]) [[likely]]
        continue;
      // Of an entry that a crash has not let be counted.
      if (is_cut() && (value >= said() || now.newest[slot] >= said() - 1)) continue;
      if (bad++ > 0) continue;
      first_bad = at + static_cast<std::int64_t>(i);
      expected = fmt::format("{}", now.newest[slot]);
      found = fmt::format("{}", value);
    }
    at += static_cast<std::int64_t>(step);
  }
  if (bad == 0) return;
  file_damage(*now.info, first_bad,
              fmt::format("slot {} does not name its newest entry{}",
                          (first_bad - now.info->shape.slot_at(0)) / 4,
                          bad > 1 ? fmt::format("; nor do {} others", bad - 1) : std::string()),
              std::move(expected), std::move(found));
}

void VerifyIndex::finish(std::int64_t indexed_ms) {
  pass_to(facts_.append_at);
  while (const format::IndexEntry* entry = peek()) {
    if (ahead_.count++ == 0) {
      ahead_.file = now_->info->path;
      ahead_.at = now_->info->shape.entry_at(now_->next);
      ahead_.first = entry->commitlog_offset;
    }
    pop(-1);
  }
  // What the log has lost of its end is told there.
  if (ahead_.count > 0 && !facts_.live && facts_.lost_behind == 0) {
    report_.add(Part::kIndex,
                {.severity = facts_.crashed ? Severity::kNormal : Severity::kDamage,
                 .file = ahead_.file,
                 .at = ahead_.at,
                 .what = fmt::format("{} entries from here on point behind the end of the log",
                                     ahead_.count),
                 .expected = fmt::format("less than {}", facts_.append_at.value()),
                 .found = fmt::format("{}", ahead_.first.value()),
                 .mend = report_.rebuild("index")});
  }
  if (!files_.empty()) return flush_missing(true);
  missing_ = {};
  if (keyed_records_ == 0) return;
  const bool had_one = indexed_ms > 0;
  report_.add(
      Part::kIndex,
      {.severity = had_one ? Severity::kDamage : Severity::kNote,
       .file = facts_.root + "/index",
       .what = fmt::format("there is no index: {} messages cannot be found by their keys{}",
                           keyed_records_, had_one ? ", and the checkpoint speaks of one" : ""),
       .mend = report_.rebuild("index")});
}

}  // namespace mq::inspect

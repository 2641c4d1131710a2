#include "inspect/verify_state.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "format/names.h"
#include "format/state_files.h"
#include "inspect/store_files.h"

namespace mq::inspect {
namespace {

constexpr std::int64_t kSettledMs = 60'000;

}  // namespace

void VerifyState::add(Severity severity, std::string file, std::int64_t at, std::string what,
                      std::string expected, std::string found, std::string mend) {
  report_.add(Part::kState, {.severity = severity,
                             .file = facts_.root + "/" + std::move(file),
                             .at = at,
                             .what = std::move(what),
                             .expected = std::move(expected),
                             .found = std::move(found),
                             .mend = std::move(mend)});
}

void VerifyState::read() {
  if (const auto raw = fs::read_file(fs_, facts_.root + "/checkpoint", 1 << 20)) {
    checkpoint_bytes_ = static_cast<std::int64_t>(raw->size());
    if (const auto read = format::decode_checkpoint(as_bytes(*raw))) {
      checkpoint_ = *read;
    } else {
      checkpoint_problem_ = read.error().text();
    }
  } else if (raw.error().code() != Errc::kNotFound) {
    checkpoint_bytes_ = 0;
    checkpoint_problem_ = raw.error().text();
  }
  for (const char* const suffix : {"", ".bak"}) {
    const auto text = fs::read_file(fs_, facts_.root + "/config/topics.json" + suffix);
    if (!text || text->empty()) continue;
    const auto table = format::parse_topics_json(*text);
    if (!table) continue;
    topics_.emplace();
    for (const auto& [name, config] : table->topics) topics_->insert(name);
    return;
  }
}

bool VerifyState::is_topic(std::string_view topic) const {
  return !topics_ || topics_->contains(topic) || is_system_topic(topic);
}

void VerifyState::finish(const QueueEnd& queue_end, bool sealed_index, std::int64_t records) {
  if (facts_.crashed) {
    add(Severity::kNormal, "abort", -1,
        "it is there: the store was not closed, and the next start recovers it");
  }
  check_names();
  check_checkpoint(sealed_index, records);
  check_config(records > 0);
  check_offsets(queue_end);
  check_delays(queue_end);
}

// A broker takes every file in these directories for one of its own, and does not start.
void VerifyState::check_names() {
  check_names_in(facts_.root + "/commitlog", Part::kLog);
  for (const char* const root : {"/consumequeue", "/batchconsumequeue"}) {
    const auto topics = fs_.list(facts_.root + root);
    if (!topics) continue;
    for (const std::string& topic : *topics) {
      const auto queues = fs_.list(facts_.root + root + "/" + topic);
      if (!queues) continue;
      for (const std::string& queue : *queues)
        check_names_in(facts_.root + root + "/" + topic + "/" + queue, Part::kQueues);
    }
  }
}

void VerifyState::check_names_in(const std::string& directory, Part part) {
  const auto names = fs_.list(directory);
  if (!names) return;
  for (const std::string& name : *names) {
    const std::string path = directory + "/" + name;
    const auto stat = fs_.stat(path);
    if (!stat || stat->is_directory) continue;
    if (!format::parse_stream_file_name(name)) {
      report_.add(part, {.severity = Severity::kDamage,
                         .file = path,
                         .what = "a file that does not belong here; brokers refuse to start",
                         .expected = "20 digits"});
    } else if (stat->bytes == 0 && part == Part::kLog && !facts_.live) {
      const bool is_last = name == names->back();
      report_.add(part, {.severity = !is_last         ? Severity::kDamage
                                     : facts_.crashed ? Severity::kNormal
                                                      : Severity::kNote,
                         .file = path,
                         .at = 0,
                         .what = is_last ? "empty last file; the next start removes it"
                                         : "empty file; brokers refuse to start",
                         .mend = is_last ? std::string() : report_.repair()});
    }
  }
}

void VerifyState::check_checkpoint(bool sealed_index, std::int64_t records) {
  constexpr std::int64_t kBytes = format::Checkpoint::kEncodedBytes;
  const std::int64_t newest_ms = facts_.newest_store_ms;
  // A store that is a minute old has had its checkpoint written, many times.
  const bool is_young = facts_.crashed && !sealed_index &&
                        facts_.newest_store_ms - facts_.oldest_store_ms < kSettledMs;
  const Severity without = is_young ? Severity::kNormal : Severity::kDamage;
  if (checkpoint_bytes_ < 0) {
    if (records > 0 && !facts_.live) {
      add(without, "checkpoint", -1, "missing; after a crash all of the log is gone through again",
          {}, {}, is_young ? std::string() : report_.repair());
    }
    return;
  }
  if (checkpoint_bytes_ != kBytes) {
    add(Severity::kDamage, "checkpoint", std::min(checkpoint_bytes_, kBytes),
        "length of the checkpoint" +
            (checkpoint_problem_.empty() ? std::string() : ": " + checkpoint_problem_),
        fmt::format("{} bytes", kBytes), fmt::format("{} bytes", checkpoint_bytes_),
        report_.repair());
    if (!checkpoint_problem_.empty()) return;
  }
  struct Stamp {
    const char* name;
    std::int64_t at;
    std::int64_t ms;
  };
  const std::array<Stamp, 3> stamps{{{"physicMsgTimestamp", 0, checkpoint_.physic_timestamp_ms},
                                     {"logicsMsgTimestamp", 8, checkpoint_.logics_timestamp_ms},
                                     {"indexMsgTimestamp", 16, checkpoint_.index_timestamp_ms}}};
  bool is_zero = true;
  for (const Stamp& stamp : stamps) {
    is_zero = is_zero && stamp.ms == 0;
    if (stamp.ms >= 0 && (stamp.ms <= newest_ms || facts_.live)) continue;
    // It knows of what the log has lost; that is told there.
    if (stamp.ms >= 0 && facts_.lost_behind > 0) continue;
    // Only the log is synced before the checkpoint speaks of it.
    const bool is_normal = stamp.ms > 0 && stamp.at > 0 && facts_.crashed;
    add(is_normal ? Severity::kNormal : Severity::kDamage, "checkpoint", stamp.at,
        fmt::format("{}, which cannot be ahead of the newest message", stamp.name),
        fmt::format("at most {}", newest_ms), fmt::format("{}", stamp.ms), report_.repair());
  }
  if (!is_zero || records == 0 || facts_.live) return;
  add(without, "checkpoint", 0, "all zeros; after a crash all of the log is gone through again", {},
      {}, is_young ? std::string() : report_.repair());
}

std::optional<std::string> VerifyState::usable(const std::string& name) {
  const std::string path = "config/" + name;
  const auto main = fs::read_file(fs_, facts_.root + "/" + path);
  const auto backup = fs::read_file(fs_, facts_.root + "/" + path + ".bak");
  const bool has_backup = backup && !backup->empty() && parse_json(*backup);
  if (backup && !backup->empty() && !has_backup)
    add(Severity::kNote, path + ".bak", -1, "no JSON: " + parse_json(*backup).error().text());
  const std::string mend =
      has_backup ? fmt::format("cp '{0}/{1}.bak' '{0}/{1}'", facts_.root, path) : std::string();
  if (!main) {
    if (main.error().code() != Errc::kNotFound) {
      add(Severity::kDamage, path, -1, "cannot be read: " + main.error().text(), {}, {}, mend);
    } else if (has_backup) {
      add(facts_.is_unsettled() ? Severity::kNormal : Severity::kDamage, path, -1,
          "missing; brokers take its .bak", {}, {}, mend);
    }
    return has_backup ? std::optional(*backup) : std::nullopt;
  }
  if (const auto value = parse_json(*main); value && !main->empty()) return *main;
  add(Severity::kDamage, path, -1,
      main->empty() ? "empty" : "no JSON: " + parse_json(*main).error().text(), "JSON",
      has_backup ? "brokers take its .bak" : "and there is no .bak to take", mend);
  return has_backup ? std::optional(*backup) : std::nullopt;
}

void VerifyState::check_config(bool has_topics) {
  constexpr std::array<std::string_view, 2> kCounters = {"timermetrics", "transactionMetrics"};
  const auto names = fs_.list(facts_.root + "/config");
  std::set<std::string> states;
  if (names) {
    for (const std::string& name : *names) {
      const std::string plain = name.ends_with(".bak") ? name.substr(0, name.size() - 4) : name;
      if (plain.ends_with(".json")) states.insert(plain);
      if (std::find(kCounters.begin(), kCounters.end(), name) == kCounters.end()) continue;
      const auto text = fs::read_file(fs_, facts_.root + "/config/" + name);
      if (text && !parse_json(*text))
        add(Severity::kNote, "config/" + name, -1, "no JSON; it holds counters only");
    }
  }
  if (has_topics && !states.contains("topics.json"))
    add(Severity::kDamage, "config/topics.json", -1, "missing, and so is its .bak");
  for (const std::string& name : states) {
    const auto text = usable(name);
    if (!text) continue;
    std::string problem;
    const auto read = [&problem](const auto& result) {
      if (!result) problem = result.error().text();
    };
    if (name == "topics.json") read(format::parse_topics_json(*text));
    if (name == "subscriptionGroup.json") read(format::parse_subscription_group_json(*text));
    if (format::is_consumer_offset_file(name)) read(format::parse_consumer_offset_json(*text));
    if (name == "delayOffset.json") read(format::parse_delay_offset_json(*text));
    if (!problem.empty()) add(Severity::kDamage, "config/" + name, -1, problem);
  }
}

void VerifyState::check_offset(const std::string& file, const std::string& who, std::int64_t offset,
                               std::optional<std::int64_t> end, bool is_known) {
  const std::int64_t most = end.value_or(0);
  if (offset >= 0 && (offset <= most || facts_.live)) return;
  if (!is_known && !end) {
    if (offset > 0)
      add(Severity::kNote, "config/" + file, -1, fmt::format("offset of {}, which is gone", who));
    return;
  }
  // Messages that a crash took may have been consumed before.
  const bool is_normal = offset > 0 && facts_.crashed;
  add(is_normal ? Severity::kNormal : Severity::kDamage, "config/" + file, -1,
      fmt::format("offset of {}", who), fmt::format("0 to {}", most), fmt::format("{}", offset),
      report_.repair());
}

void VerifyState::check_offsets(const QueueEnd& queue_end) {
  for (const std::string_view name : format::kConsumerOffsetFiles) {
    const std::string file(name);
    const auto text = fs::read_file(fs_, facts_.root + "/config/" + file);
    if (!text) continue;
    const auto table = format::parse_consumer_offset_json(*text);
    if (!table) continue;
    for (const auto& [key, queues] : table->offsets) {
      const std::string topic = key.substr(0, key.find('@'));
      for (const auto& [queue, offset] : queues) {
        check_offset(file, fmt::format("{} queue {}", key, queue), offset, queue_end(topic, queue),
                     topics_ && topics_->contains(topic));
      }
    }
  }
}

// Level n waits in queue n-1.
void VerifyState::check_delays(const QueueEnd& queue_end) {
  const auto text = fs::read_file(fs_, facts_.root + "/config/delayOffset.json");
  if (!text) return;
  const auto table = format::parse_delay_offset_json(*text);
  if (!table) return;
  for (const auto& [level, offset] : table->offsets) {
    check_offset("delayOffset.json", fmt::format("delay level {}", level), offset,
                 queue_end(format::kScheduleTopic, level - 1), true);
  }
}

}  // namespace mq::inspect

#include "inspect/copy_store.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <thread>

#include "base/json.h"
#include "format/batch_queue_entry.h"
#include "format/names.h"
#include "inspect/copy_files.h"
#include "inspect/log_reader.h"
#include "inspect/store_files.h"
#include "inspect/store_info.h"

namespace mq::inspect {
namespace {

constexpr std::string_view kTimerCheck = "timercheck";
// How far consumers, delays and timers are: never further than what the copy holds.
constexpr std::array<std::string_view, 5> kPositions = {
    "consumerOffset.json", "lmqConsumerOffset.json", "delayOffset.json", "consumerOrderInfo.json",
    kTimerCheck};

// Not a part of what a store holds.
bool is_mark(std::string_view name) {
  return name == "lock" || name == "abort" || name == "abort.bak";
}

class LiveCopy {
 public:
  LiveCopy(CopyRun& run, std::string from, std::string to)
      : run_(run), from_(std::move(from)), to_(std::move(to)) {}

  Result<CopyResult> make() {
    MQ_CHECK(copy_positions());
    MQ_TRY(end_, find_cut(run_, from_));
    MQ_CHECK(copy_log());
    MQ_CHECK(copy_queues("consumequeue", format::ConsumeQueueEntry::kEncodedBytes));
    MQ_CHECK(copy_queues("batchconsumequeue", format::BatchQueueEntry::kEncodedBytes));
    MQ_CHECK(copy_index_files());
    MQ_CHECK(copy_rest());
    MQ_CHECK(copy_config());
    MQ_CHECK(write_checkpoint());
    return CopyResult{
        .live = true, .begin = begin_, .end = end_, .files = run_.files, .bytes = run_.bytes};
  }

 private:
  [[nodiscard]] std::string source(std::string_view name) const {
    return from_ + "/" + std::string(name);
  }
  [[nodiscard]] std::string target(std::string_view name) const {
    return to_ + "/" + std::string(name);
  }

  // The timer's log behind its wheel: recovery reads what the wheel does not know yet.
  Result<void> copy_positions() {
    MQ_CHECK(run_.fs.make_directory(target("config")));
    for (const std::string_view name : kPositions) MQ_CHECK(copy_state(name));
    MQ_CHECK(run_.copy_file(source("timerwheel"), target("timerwheel")));
    return run_.copy_tree(source("timerlog"), target("timerlog"));
  }

  // A stock broker overwrites state files in place: half of one is not taken.
  Result<void> copy_state(std::string_view name) {
    for (const std::string suffix : {"", ".bak"}) {
      const std::string file = "config/" + std::string(name) + suffix;
      if (name == kTimerCheck || !file.ends_with(".json")) {
        MQ_CHECK(run_.copy_file(source(file), target(file)));
        continue;
      }
      std::string text;
      const auto stat = run_.fs.stat(source(file));
      if (!stat) continue;
      for (int attempt = 0; attempt < 20; ++attempt) {
        auto now = fs::read_file(run_.fs, source(file));
        if (!now && now.error().code() != Errc::kNotFound) return std::move(now).error();
        text = now ? *now : std::string();
        if (parse_json(text)) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      if (!parse_json(text)) run_.note(source(file) + ": not readable, copied as it is");
      MQ_CHECK(run_.write_file(target(file), text, stat->mtime_ms));
    }
    return {};
  }

  Result<void> copy_log() {
    MQ_TRY(const auto log, LogReader::open(run_.fs, from_, LogReader::Cache::kDrop));
    const std::string directory = target("commitlog");
    MQ_CHECK(run_.fs.make_directory(directory));
    bool first = true;
    for (const LogFile& file : std::vector<LogFile>(log->files())) {
      if (file.start >= end_) break;
      const std::string name = file.path.substr(file.path.rfind('/'));
      MQ_TRY(const bool there, run_.copy_file(file.path, directory + name, end_ - file.start));
      if (there && first) begin_ = file.start;
      if (there) first = false;
      // Retention takes the oldest first; one that is gone in the middle was gone before.
      if (!there) run_.note(file.path + " was deleted meanwhile");
    }
    return {};
  }

  Result<void> copy_queues(const std::string& kind, std::int64_t entry_bytes) {
    const auto topics = run_.fs.list(source(kind));
    if (!topics) return {};
    MQ_CHECK(run_.fs.make_directory(target(kind)));
    for (const std::string& topic : *topics) {
      const auto queues = run_.fs.list(source(kind + "/" + topic));
      if (!queues) continue;
      MQ_CHECK(run_.fs.make_directory(target(kind + "/" + topic)));
      for (const std::string& queue : *queues) {
        const std::string path = kind + "/" + topic + "/" + queue;
        const auto stat = run_.fs.stat(source(path));
        if (!stat || !stat->is_directory) continue;
        MQ_CHECK(copy_queue(run_, source(path), target(path), entry_bytes, end_));
      }
    }
    return {};
  }

  Result<void> copy_index_files() {
    const auto names = run_.fs.list(source("index"));
    if (!names) return {};
    MQ_CHECK(run_.fs.make_directory(target("index")));
    for (const std::string& name : *names)
      MQ_CHECK(copy_index(run_, from_, source("index/" + name), target("index/" + name), end_));
    return {};
  }

  // What this build knows nothing of is copied as it is.
  Result<void> copy_rest() {
    static const std::set<std::string, std::less<>> done = {
        "commitlog", "consumequeue", "batchconsumequeue", "index",
        "config",    "checkpoint",   "timerwheel",        "timerlog"};
    MQ_TRY(const auto names, run_.fs.list(from_));
    for (const std::string& name : names) {
      if (is_mark(name) || done.contains(name)) continue;
      const auto stat = run_.fs.stat(source(name));
      if (!stat) continue;
      if (stat->is_directory) {
        MQ_CHECK(run_.copy_tree(source(name), target(name)));
      } else {
        MQ_CHECK(run_.copy_file(source(name), target(name)));
      }
    }
    return {};
  }

  Result<void> copy_config() {
    const auto names = run_.fs.list(source("config"));
    if (!names) return {};
    for (const std::string& name : *names) {
      std::string_view base = name;
      if (base.ends_with(".bak")) base.remove_suffix(4);
      if (base.ends_with(".tmp") ||
          std::find(kPositions.begin(), kPositions.end(), base) != kPositions.end())
        continue;
      const auto stat = run_.fs.stat(source("config/" + name));
      if (!stat) continue;
      if (stat->is_directory) {
        MQ_CHECK(run_.copy_tree(source("config/" + name), target("config/" + name)));
      } else if (base == name) {
        MQ_CHECK(copy_state(name));
      }
    }
    return {};
  }

  // As a broker that closed behind the last record would have written it.
  Result<void> write_checkpoint() {
    format::Checkpoint c;
    if (const auto old = read_checkpoint(run_.fs, from_)) c = *old;
    MQ_TRY(const auto log, LogReader::open(run_.fs, to_));
    if (!log->files().empty()) {
      const LogFile newest = log->files().back();
      MQ_CHECK(log->walk(newest.start, end_, [&](const format::Record& record, Bytes) {
        c.physic_timestamp_ms = c.logics_timestamp_ms = record.store_timestamp_ms;
        c.confirm_offset = record.physical_offset;
        return true;
      }));
    }
    c.index_timestamp_ms = std::min(c.index_timestamp_ms, c.physic_timestamp_ms);
    std::array<std::byte, format::Checkpoint::kEncodedBytes> raw{};
    format::encode(c, raw);
    return run_.write_file(target("checkpoint"), as_text(raw), c.physic_timestamp_ms);
  }

  CopyRun& run_;
  std::string from_;
  std::string to_;
  PhysicalOffset begin_{};
  PhysicalOffset end_{};
};

Result<CopyResult> copy_at_rest(CopyRun& run, const std::string& from, const std::string& to) {
  MQ_TRY(const auto names, run.fs.list(from));
  for (const std::string& name : names) {
    if (name == "lock") continue;
    const auto stat = run.fs.stat(from + "/" + name);
    if (!stat) continue;
    if (stat->is_directory) {
      MQ_CHECK(run.copy_tree(from + "/" + name, to + "/" + name));
    } else {
      MQ_CHECK(run.copy_file(from + "/" + name, to + "/" + name));
    }
  }
  MQ_TRY(const auto log, LogReader::open(run.fs, from));
  return CopyResult{.live = false,
                    .begin = log->begin(),
                    .end = log->end_of_files(),
                    .files = run.files,
                    .bytes = run.bytes};
}

Result<void> check_target(fs::Fs& fs, const std::string& to) {
  const auto there = fs.list(to);
  if (there ? !there->empty() : there.error().code() != Errc::kNotFound)
    return Error{Errc::kExists, to + ": there is something already"};
  if (fs.exists(to + ".part"))
    return Error{Errc::kExists, to + ".part: left by a copy that was cut short; remove it first"};
  return {};
}

Result<CopyResult> copy_into(CopyRun& run, const std::string& from, const std::string& part) {
  MQ_CHECK(run.fs.make_directories(part));
  const bool live = is_held(run.fs, from + "/lock");
  auto out = live ? LiveCopy(run, from, part).make() : copy_at_rest(run, from, part);
  if (!out) return out;
  const bool is_live = is_held(run.fs, from + "/lock");
  if (!live && is_live)
    return Error{Errc::kBusy, from + ": a broker opened it while it was copied; try again"};
  // One sync for all: before the copy has its name nobody takes it for one.
  MQ_CHECK(run.fs.sync_all(part));
  return out;
}

}  // namespace

Result<CopyResult> copy_store(fs::Fs& fs, const std::string& from, const std::string& to,
                              const CopyOptions& options) {
  if (!fs.exists(from + "/commitlog"))
    return Error{Errc::kNotFound, from + ": no store: there is no commitlog directory in it"};
  if (read_state(fs, from).rocksdb)
    return Error{Errc::kUnsupported, from + ": its queues are in RocksDB, which is not read here"};
  std::string target = to;
  while (target.size() > 1 && target.ends_with('/')) target.pop_back();
  MQ_CHECK(check_target(fs, target));
  const std::string part = target + ".part";
  CopyRun run(fs, options);
  auto out = copy_into(run, from, part);
  if (!out) {
    (void)fs::remove_tree(fs, part);
    return out;
  }
  MQ_CHECK(fs.rename(part, target));
  const std::size_t slash = target.rfind('/');
  MQ_CHECK(fs.sync_directory(slash == std::string::npos ? "."
                             : slash == 0               ? "/"
                                                        : target.substr(0, slash)));
  return out;
}

}  // namespace mq::inspect

#include "inspect/verify.h"

#include <array>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "base/bytes.h"
#include "inspect/verify_batch.h"
#include "inspect/verify_facts.h"
#include "inspect/verify_index.h"
#include "inspect/verify_links.h"
#include "inspect/verify_log.h"
#include "inspect/verify_queues.h"
#include "inspect/verify_report.h"
#include "inspect/verify_state.h"
#include "inspect/verify_timer.h"

namespace mq::inspect {
namespace {

constexpr std::string_view kTimerTopic = "rmq_sys_wheel_timer";

// Looks at a record's head beside the walk, which goes on where it is.
class LogPeek {
 public:
  LogPeek(fs::Fs& fs, const LogReader& log) : fs_(fs), log_(log) {}

  std::optional<VerifyQueues::Peeked> at(PhysicalOffset at) {
    std::array<std::byte, 36> head{};
    for (const LogFile& file : log_.files()) {
      if (at < file.start || at >= file.start + file.bytes) continue;
      if (path_ != file.path) {
        auto opened = fs_.open(file.path, fs::OpenMode::kRead);
        if (!opened) return std::nullopt;
        file_ = *std::move(opened);
        path_ = file.path;
      }
      const auto got = file_->read_at(at - file.start, head);
      if (!got || *got < head.size()) return std::nullopt;
      if (format::record_kind(head) != format::RecordKind::kMessage) return std::nullopt;
      if (load_be<std::int64_t>(head.data() + 28) != at.value()) return std::nullopt;
      return VerifyQueues::Peeked{.bytes = load_be<std::int32_t>(head.data()),
                                  .queue = load_be<std::int32_t>(head.data() + 12),
                                  .number = load_be<std::int64_t>(head.data() + 20)};
    }
    return std::nullopt;
  }

 private:
  fs::Fs& fs_;
  const LogReader& log_;
  std::string path_;
  std::unique_ptr<fs::File> file_;
};

class Verifier {
 public:
  Verifier(fs::Fs& fs, const std::string& path, const VerifyOptions& options, LogReader& log)
      : fs_(fs), options_(options), log_reader_(log), report_(path) {
    facts_.root = path;
    while (facts_.root.size() > 1 && facts_.root.back() == '/') facts_.root.pop_back();
  }

  Result<VerifySummary> run() {
    MQ_CHECK(look_around());
    VerifyLog log(
        log_reader_, facts_, report_,
        {.jobs = options_.jobs, .check_body = options_.check_body, .progress = options_.progress});
    if (!facts_.is_store) {
      MQ_CHECK(log.walk([](const format::Record&) {}));
      log.finish(facts_.begin, 0);
    } else {
      MQ_CHECK(run_store(log));
    }
    summary_.log_files = static_cast<std::int64_t>(log_reader_.files().size());
    summary_.records = log.records();
    summary_.log_bytes = facts_.end - facts_.begin;
    summary_.damage = report_.count(Severity::kDamage);
    summary_.normal = report_.count(Severity::kNormal);
    summary_.notes = report_.count(Severity::kNote);
    summary_.crashed = facts_.crashed;
    summary_.live = facts_.live;
    return summary_;
  }
  void tell(const std::function<void(const VerifyFinding&)>& tell) { report_.tell(tell); }

 private:
  Result<void> look_around() {
    facts_.is_store = fs_.exists(facts_.root + "/commitlog");
    if (!facts_.is_store) return {};
    if (fs_.exists(facts_.root + "/consumequeue/CURRENT")) {
      return Error{Errc::kUnsupported,
                   facts_.root + ": a store with RocksDB queues, which this does not read"};
    }
    // A lock that cannot be asked for is on a copy.
    const auto holder = fs_.lock_holder(facts_.root + "/lock");
    facts_.live = holder && holder->has_value();
    facts_.crashed = !facts_.live && fs_.exists(facts_.root + "/abort");
    if (facts_.live) {
      report_.add(Part::kState,
                  {.severity = Severity::kNote,
                   .file = facts_.root + "/lock",
                   .what = fmt::format("process {} has the store open: what it wrote since is not "
                                       "looked at",
                                       **holder)});
    }
    return {};
  }

  Result<void> run_store(VerifyLog& log) {
    VerifyState state(fs_, facts_, report_);
    state.read();
    facts_.queues_kept_ms = state.checkpoint().logics_timestamp_ms;
    LogPeek peek(fs_, log_reader_);
    VerifyQueues queues(
        fs_, facts_, report_,
        {.peek = [&peek](PhysicalOffset at) { return peek.at(at); },
         .is_topic = [&state](std::string_view topic) { return state.is_topic(topic); }});
    MQ_CHECK(queues.open());
    VerifyIndex index(fs_, facts_, report_);
    MQ_CHECK(index.open());
    VerifyBatch batches(fs_, facts_, report_);
    MQ_CHECK(batches.open());
    VerifyLinks links(queues, batches, index);
    MQ_CHECK(log.walk([&links](const format::Record& record) { links.record(record); }));
    queues.finish();
    batches.finish();
    index.finish(state.checkpoint().index_timestamp_ms);
    log.finish(queues.dispatched(), state.checkpoint().physic_timestamp_ms);
    const auto queue_end = [&queues](std::string_view topic,
                                     QueueId id) -> std::optional<std::int64_t> {
      const VerifyQueue* const queue = queues.find_existing(topic, id);
      if (queue == nullptr) return std::nullopt;
      return std::max(queue->next, queue->record_next);
    };
    state.finish(queue_end, index.count() > 1, log.records());
    VerifyTimer timer(fs_, facts_, report_, [&peek](PhysicalOffset at) {
      const auto there = peek.at(at);
      return there ? std::optional(there->bytes) : std::nullopt;
    });
    timer.run(queue_end(kTimerTopic, 0).value_or(0));
    summary_.queues = queues.count() + batches.count();
    summary_.queue_entries = queues.entries() + batches.entries();
    summary_.index_files = index.count();
    summary_.index_entries = index.entries();
    return {};
  }

  fs::Fs& fs_;
  const VerifyOptions& options_;
  LogReader& log_reader_;
  VerifyFacts facts_;
  VerifyReport report_;
  VerifySummary summary_;
};

}  // namespace

Result<VerifySummary> verify(fs::Fs& fs, const std::string& path, const VerifyOptions& options,
                             const std::function<void(const VerifyFinding&)>& tell) {
  MQ_TRY(const auto log, LogReader::open(fs, path, LogReader::Cache::kDrop));
  Verifier verifier(fs, path, options, *log);
  auto summary = verifier.run();
  verifier.tell(tell);
  return summary;
}

}  // namespace mq::inspect

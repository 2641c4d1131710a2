// Where a live log may be cut.
#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <thread>

#include <fmt/format.h>

#include "inspect/copy_files.h"
#include "inspect/log_reader.h"
#include "inspect/reach.h"

namespace mq::inspect {
namespace {

// Dispatch goes in order of the log but for a group of records at a time: what lies further back
// than this from the last record that is in a queue is in its own.
constexpr std::int64_t kUnorderedBytes = 64 << 20;
constexpr std::int64_t kPatienceMs = 5000;
// A record of which it is not known yet whether it is in its queue.
struct Waiting {
  PhysicalOffset at{};
  std::string topic;
  std::int32_t queue = 0;
  std::int64_t offset = 0;
};

class Cutter {
 public:
  Cutter(CopyRun& run, const std::string& store) : run_(run), store_(store) {}

  Result<PhysicalOffset> find() {
    MQ_TRY(const Reach reach, Reach::read(run_.fs, store_));
    dispatched_ = reach.dispatched();
    MQ_TRY(const auto log, LogReader::open(run_.fs, store_, LogReader::Cache::kDrop));
    MQ_TRY(const PhysicalOffset end, end_of(*log));
    const PhysicalOffset from = std::max(log->begin(), dispatched_ - kUnorderedBytes);
    MQ_CHECK(note_records(*log, from, end));
    MQ_CHECK(wait());
    const PhysicalOffset cut = waiting_.empty() ? end : waiting_.front().at;
    MQ_CHECK(sync(*log, cut));
    return cut;
  }

 private:
  // Behind the last whole record, looking at the newest file that has one.
  Result<PhysicalOffset> end_of(LogReader& log) {
    for (std::size_t i = log.files().size(); i-- > 0;) {
      const LogFile file = log.files()[i];
      bool any = false;
      MQ_TRY(const PhysicalOffset end,
             log.walk(file.start, file.start + file.bytes,
                      [&](const format::Record&, Bytes) { return any = true; }));
      if (any) return end;
    }
    return log.begin();
  }

  Result<void> note_records(LogReader& log, PhysicalOffset from, PhysicalOffset end) {
    MQ_CHECK(log.walk(from, end, [&](const format::Record& r, Bytes) {
      if (!format::has_queue_entry(r.transaction_type())) return true;
      Waiting one{.at = r.physical_offset,
                  .topic = std::string(r.topic),
                  .queue = r.queue_id,
                  .offset = r.queue_offset.value()};
      if (!is_queued(one)) waiting_.push_back(std::move(one));
      return true;
    }));
    return {};
  }

  // Queues fill from the front: one look at the end of each answers for all of its records.
  bool is_queued(const Waiting& one) {
    const auto key = std::make_pair(one.topic, one.queue);
    auto& max = max_[key];
    if (one.offset < max) return true;
    if (run_.fs.exists(store_ + "/batchconsumequeue/" + one.topic)) return true;
    const auto queue = list_queue(run_.fs, store_, "consumequeue", one.topic, one.queue);
    if (!queue) return false;
    const auto bounds = queue_bounds(run_.fs, *queue);
    if (bounds) max = std::max(max, bounds->max);
    return one.offset < max;
  }

  Result<void> wait() {
    const std::int64_t begin_us = run_.options.clock.monotonic_us();
    while (!waiting_.empty()) {
      MQ_CHECK(run_.check());
      std::erase_if(waiting_, [&](const Waiting& one) { return is_queued(one); });
      if (waiting_.empty()) break;
      const bool patient = run_.options.clock.monotonic_us() - begin_us < kPatienceMs * 1000;
      if (patient) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        continue;
      }
      forget_deleted();
      break;
    }
    return {};
  }
  // Those at the front that will not get an entry, as their topic was deleted: others behind them
  // had theirs when we began, and they do not come next in their queue.
  void forget_deleted() {
    std::int64_t forgotten = 0;
    while (!waiting_.empty() && waiting_.front().at < dispatched_ && !is_next(waiting_.front())) {
      waiting_.pop_front();
      ++forgotten;
    }
    if (forgotten > 0)
      run_.note(fmt::format("{} records are in no queue, as of a deleted topic", forgotten));
  }
  bool is_next(const Waiting& one) const {
    const auto max = max_.find({one.topic, one.queue});
    return max != max_.end() && max->second > 0 && max->second == one.offset;
  }

  Result<void> sync(const LogReader& log, PhysicalOffset end) {
    std::size_t synced = 0;
    for (std::size_t i = log.files().size(); i-- > 0 && synced < 2;) {
      if (log.files()[i].start >= end) continue;
      const auto file = run_.fs.open(log.files()[i].path, fs::OpenMode::kRead);
      if (!file && file.error().code() == Errc::kNotFound) continue;
      if (!file) return Error(file.error());
      MQ_CHECK((*file)->sync());
      ++synced;
    }
    return {};
  }

  CopyRun& run_;
  const std::string& store_;
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> max_;
  std::deque<Waiting> waiting_;
  PhysicalOffset dispatched_{};  // when we began
};

}  // namespace

Result<PhysicalOffset> find_cut(CopyRun& run, const std::string& store) {
  return Cutter(run, store).find();
}

}  // namespace mq::inspect

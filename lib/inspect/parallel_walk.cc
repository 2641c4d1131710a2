#include "inspect/parallel_walk.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "base/mutex.h"
#include "base/thread.h"

namespace mq::inspect {
namespace {

// What the threads of one walk share.
struct Shared {
  fs::Fs& fs;
  const std::string& path;
  const WalkOptions& options;
  const LogReader::Note& note;
  std::vector<LogFile> files;  // those with something in the range
  std::atomic<std::size_t> next_file{0};
  std::atomic<bool> stop{false};
  Mutex mu{};
  std::optional<Error> error MQ_GUARDED_BY(mu){};
  PhysicalOffset last MQ_GUARDED_BY(mu){};

  void fail(Error failed) MQ_EXCLUDES(mu) {
    stop = true;
    const MutexLock lock(mu);
    if (!error) error = std::move(failed);
  }
};

// Counted in steps: an atomic addition for each record would be felt.
class Count {
 public:
  explicit Count(const WalkOptions& options) : options_(options) {}
  ~Count() { settle(); }
  Count(const Count&) = delete;
  Count& operator=(const Count&) = delete;
  void add(std::int64_t bytes) {
    bytes_ += bytes;
    ++records_;
    if (bytes_ >= (1 << 20)) settle();
  }

 private:
  void settle() {
    if (options_.bytes_done != nullptr) options_.bytes_done->fetch_add(bytes_);
    if (options_.records_done != nullptr) options_.records_done->fetch_add(records_);
    bytes_ = records_ = 0;
  }
  const WalkOptions& options_;
  std::int64_t bytes_ = 0;
  std::int64_t records_ = 0;
};

Result<void> walk_one(Shared& shared, LogReader& log, std::size_t number,
                      const LogReader::Visit& visit) {
  const LogFile& file = shared.files[number];
  Count count(shared.options);
  const auto end = log.walk(
      std::max(shared.options.from, file.start),
      std::min(shared.options.to, file.start + file.bytes),
      [&](const format::Record& record, Bytes bytes) {
        count.add(record.total_bytes);
        if (!visit(record, bytes)) shared.stop = true;
        return !shared.stop.load(std::memory_order_relaxed);
      },
      [&](const Finding& finding) {
        if (!shared.note) return;
        const MutexLock lock(shared.mu);
        shared.note(finding);
      });
  if (!end) return Error(end.error());
  const MutexLock lock(shared.mu);
  // A file without a record says its beginning, which is no end of the log.
  if (*end > file.start) shared.last = std::max(shared.last, *end);
  return {};
}

// Takes files until there are none; `visit` is told which. `done(number)` after each.
void work(Shared& shared,
          const std::function<bool(std::size_t, const format::Record&, Bytes)>& visit,
          const std::function<void(std::size_t)>& done) {
  auto log = LogReader::open(shared.fs, shared.path, shared.options.cache);
  if (!log) return shared.fail(std::move(log).error());
  while (!shared.stop) {
    const std::size_t number = shared.next_file.fetch_add(1);
    if (number >= shared.files.size()) return;
    const auto walked = walk_one(
        shared, **log, number,
        [&](const format::Record& record, Bytes bytes) { return visit(number, record, bytes); });
    if (!walked) shared.fail(walked.error());
    if (done) done(number);
  }
}

std::vector<LogFile> files_within(const LogReader& log, const WalkOptions& options) {
  std::vector<LogFile> out;
  for (const LogFile& file : log.files()) {
    if (file.start + file.bytes > options.from && file.start < options.to) out.push_back(file);
  }
  return out;
}

// Positions that one file's searcher has found and the caller has not yet taken.
struct Found {
  std::deque<PhysicalOffset> positions;
  bool done = false;
};
constexpr std::size_t kFoundMax = 1 << 16;  // of a file, before its searcher waits

// Hands what the searchers found to the caller, file by file.
class InOrder {
 public:
  InOrder(Shared& shared, std::size_t files) : shared_(shared), found_(files) {}

  // False when the search is to end.
  bool put(std::size_t file, PhysicalOffset at) MQ_EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    while (found_[file].positions.size() >= kFoundMax && !shared_.stop) changed_.wait(mu_);
    found_[file].positions.push_back(at);
    changed_.notify_all();
    return !shared_.stop;
  }
  void finish(std::size_t file) MQ_EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    found_[file].done = true;
    changed_.notify_all();
  }
  // No searcher is left: nothing more will come.
  void finish_all() MQ_EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    for (Found& found : found_) found.done = true;
    changed_.notify_all();
  }
  // The next ones of that file; empty when there are no more.
  std::deque<PhysicalOffset> take(std::size_t file) MQ_EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    Found& found = found_[file];
    while (found.positions.empty() && !found.done && !shared_.stop) changed_.wait(mu_);
    std::deque<PhysicalOffset> out;
    out.swap(found.positions);
    changed_.notify_all();
    return out;
  }
  void wake() MQ_EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    changed_.notify_all();
  }

 private:
  Shared& shared_;
  Mutex mu_;
  CondVar changed_;
  std::vector<Found> found_ MQ_GUARDED_BY(mu_);
};

}  // namespace

Result<PhysicalOffset> walk_parallel(fs::Fs& fs, const std::string& path,
                                     const WalkOptions& options, const ParallelVisit& visit,
                                     const LogReader::Note& note) {
  MQ_TRY(const auto log, LogReader::open(fs, path, options.cache));
  Shared shared{.fs = fs,
                .path = path,
                .options = options,
                .note = note,
                .files = files_within(*log, options)};
  const auto jobs = std::clamp<std::size_t>(static_cast<std::size_t>(std::max(1, options.jobs)), 1,
                                            std::max<std::size_t>(1, shared.files.size()));
  const auto run = [&](std::size_t worker) {
    work(shared,
         [&](std::size_t, const format::Record& record, Bytes bytes) {
           return visit(worker, record, bytes);
         },
         {});
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < jobs; ++i)
      threads.push_back(start_thread("walk", [&, i](const std::stop_token&) { run(i); }));
    run(0);
  }
  const MutexLock lock(shared.mu);
  if (shared.error) return *shared.error;
  return std::max(shared.last, std::max(options.from, log->begin()));
}

Result<void> search_parallel(fs::Fs& fs, const std::string& path, const WalkOptions& options,
                             const Wants& wants, const LogReader::Visit& found,
                             const LogReader::Note& note) {
  if (options.jobs <= 1) {
    MQ_CHECK(walk_parallel(
        fs, path, options,
        [&](std::size_t worker, const format::Record& record, Bytes bytes) {
          return !wants(worker, record) || found(record, bytes);
        },
        note));
    return {};
  }
  MQ_TRY(const auto log, LogReader::open(fs, path, options.cache));
  Shared shared{.fs = fs,
                .path = path,
                .options = options,
                .note = note,
                .files = files_within(*log, options)};
  InOrder order(shared, shared.files.size());
  std::atomic<int> working = options.jobs;
  std::vector<std::jthread> threads;
  threads.reserve(static_cast<std::size_t>(options.jobs));
  for (int i = 0; i < options.jobs; ++i) {
    threads.push_back(start_thread("search", [&, i](const std::stop_token&) {
      work(
          shared,
          [&](std::size_t file, const format::Record& record, Bytes) {
            return !wants(static_cast<std::size_t>(i), record) ||
                   order.put(file, record.physical_offset);
          },
          [&](std::size_t file) { order.finish(file); });
      if (working.fetch_sub(1) == 1) order.finish_all();
    }));
  }
  for (std::size_t file = 0; file < shared.files.size() && !shared.stop; ++file) {
    for (auto positions = order.take(file); !positions.empty() && !shared.stop;
         positions = order.take(file)) {
      for (const PhysicalOffset at : positions) {
        const auto bytes = log->bytes_from(at);
        const auto record = bytes ? good_record(*bytes, at) : Result<format::Record>(bytes.error());
        // A file may be gone since its record was found.
        if (!record) continue;
        if (!found(*record, bytes->first(static_cast<std::size_t>(record->total_bytes)))) {
          shared.stop = true;
          break;
        }
      }
    }
  }
  order.wake();
  threads.clear();
  const MutexLock lock(shared.mu);
  if (shared.error) return *shared.error;
  return {};
}

}  // namespace mq::inspect

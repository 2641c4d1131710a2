#include "inspect/repair.h"

#include <algorithm>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "format/names.h"
#include "inspect/rebuild.h"
#include "inspect/repair_change.h"
#include "inspect/repair_compare.h"
#include "inspect/repair_compare_index.h"
#include "inspect/repair_leftover.h"
#include "inspect/repair_log.h"
#include "inspect/repair_numbers.h"
#include "inspect/repair_state.h"
#include "inspect/repair_write.h"

namespace mq::inspect {
namespace {

using Kind = RepairNote::Kind;

// Lets through what belongs to some queues.
class SomeQueues final : public QueueSink {
 public:
  SomeQueues(QueueSink& to, const std::set<QueueKey>& queues) : to_(to), queues_(queues) {}
  Result<void> start(const QueueKey& queue, std::int64_t number) override {
    return queues_.contains(queue) ? to_.start(queue, number) : Result<void>();
  }
  Result<void> write(const QueueKey& queue, std::int64_t number, Bytes entries) override {
    return queues_.contains(queue) ? to_.write(queue, number, entries) : Result<void>();
  }
  Result<void> finish() override { return to_.finish(); }

 private:
  QueueSink& to_;
  const std::set<QueueKey>& queues_;
};

class Repair {
 public:
  Repair(fs::Fs& fs, const std::string& store, const RepairOptions& options)
      : fs_(fs), store_(store), options_(options), rules_(options.delay_levels) {}

  Result<RepairReport> run() {
    MQ_TRY(const bool go_on, finish_interrupted());
    if (!go_on) return std::move(report_);
    MQ_TRY(report_.shape, find_shape(fs_, store_, options_.shape));
    crashed_ = fs_.exists(store_ + "/abort");
    MQ_CHECK(survey());
    MQ_CHECK(find_replayed());
    MQ_CHECK(compare());
    MQ_CHECK(look_at_log_files());
    MQ_CHECK(look_at_queues());
    look_at_index();
    MQ_CHECK(look_at_state());
    report_.is_damaged =
        std::any_of(report_.notes.begin(), report_.notes.end(), [](const RepairNote& note) {
          return note.kind == Kind::kDamage || note.kind == Kind::kLoss;
        });
    report_.needs_change = is_changed();
    if (options_.write && report_.needs_change) MQ_CHECK(write());
    return std::move(report_);
  }

 private:
  void note(Kind kind, std::string file, std::string what, std::string action) {
    report_.notes.push_back({kind, std::move(file), std::move(what), std::move(action)});
  }
  [[nodiscard]] std::string path(std::string_view below) const {
    return store_ + "/" + std::string(below);
  }
  [[nodiscard]] std::string below(const std::string& path) const {
    return path.starts_with(store_ + "/") ? path.substr(store_.size() + 1) : path;
  }
  // "STORE/file at 20: what" in its two parts.
  void note_at(Kind kind, const std::string& where_and_what, std::string action) {
    const std::string text = below(where_and_what);
    const std::size_t split = std::min(text.find(": "), text.size());
    note(kind, text.substr(0, split), split < text.size() ? text.substr(split + 2) : std::string(),
         std::move(action));
  }
  // "commitlog/00000000000000000000 at 88", also where there is no such file.
  [[nodiscard]] std::string log_place(PhysicalOffset at) const {
    const std::int64_t start = at.value() / mend_->file_bytes() * mend_->file_bytes();
    return fmt::format("commitlog/{} at {}", format::stream_file_name(start), at.value() - start);
  }
  [[nodiscard]] LogMend::Progress progress(std::string_view what) const {
    if (!options_.progress) return {};
    return [this, what](PhysicalOffset at) { options_.progress(what, at); };
  }

  Result<bool> finish_interrupted() {
    if (!options_.write) {
      if (!StoreChange::is_unfinished(fs_, store_)) return true;
      note(Kind::kDamage, std::string(StoreChange::kJournal),
           "an earlier change was interrupted; no broker starts before it is completed",
           "complete it, then look again");
      report_.is_damaged = report_.needs_change = true;
      return false;
    }
    MQ_TRY(report_.was_unfinished, StoreChange::finish(fs_, store_));
    return true;
  }

  // Collects queues and keys of every record, for comparison or to be written.
  struct Pass {
    std::unique_ptr<QueueBuilder> queues;
    std::unique_ptr<LogDispatch> dispatch;
  };
  Pass make_pass(QueueSink& sink, KeySink& keys, QueueBuilder::Hooks hooks) {
    Pass pass;
    pass.queues = std::make_unique<QueueBuilder>(
        sink, QueueBuilder::Options{.log_begins_at_zero = mend_->begin().value() == 0},
        std::move(hooks));
    pass.dispatch = std::make_unique<LogDispatch>(
        LogDispatch::Parts{.rules = &rules_,
                           .queues = pass.queues.get(),
                           .keys = &keys,
                           .batch_topics = batch_topics(fs_, store_)});
    return pass;
  }
  void make_compare() {
    queue_compare_ = std::make_unique<QueueCompare>(fs_, store_, *there_,
                                                    report_.shape.queue_file_bytes, mend_->begin());
    index_compare_ =
        std::make_unique<IndexCompare>(fs_, store_, report_.shape.index, mend_->begin());
  }

  // The first pass. What it compares counts if nothing turns out to be damaged.
  Result<void> survey() {
    MQ_TRY(mend_, LogMend::open(fs_, store_,
                                {.file_bytes = report_.shape.log_file_bytes,
                                 .to = options_.to,
                                 .to_ms = options_.to_ms,
                                 .now_ms = options_.now_ms,
                                 .rules = &rules_}));
    MQ_TRY(auto there, QueuesThere::open(fs_, store_, report_.shape.queue_file_bytes));
    there_ = std::make_unique<QueuesThere>(std::move(there));
    make_compare();
    numbers_ = std::make_unique<NumberMend>(*mend_, *there_);
    Pass pass = make_pass(*queue_compare_, *index_compare_, numbers_->hooks());
    MQ_CHECK(
        mend_->survey([&](const format::Record& r) { return pass.dispatch->take(r); },
                      [&](const format::Record& r) { return numbers_->is_next(*pass.queues, r); },
                      progress("looking at the log")));
    MQ_CHECK(pass.dispatch->finish());
    MQ_CHECK(numbers_->settle(pass.queues->ranges()));
    note_pass(pass);
    return {};
  }

  void note_pass(const Pass& pass) {
    report_.records = pass.dispatch->records();
    report_.begin = mend_->begin();
    report_.end = mend_->end();
    vouched_.end = mend_->end();
    vouched_.last_record = pass.dispatch->last_record();
    vouched_.last_store_timestamp_ms = pass.dispatch->last_store_timestamp_ms();
    ranges_.clear();
    for (const QueueBuilder::Range& range : pass.queues->ranges())
      ranges_[range.queue] = {range.first, range.end};
  }

  // The second pass, over the log as it will be.
  Result<void> compare() {
    if (!mend_->is_changed()) return {};
    make_compare();
    gaps_.clear();
    Pass pass =
        make_pass(*queue_compare_, *index_compare_, {.note = [this](const QueueBuilder::Odd& odd) {
          if (gaps_.size() < kNotesMax) gaps_.push_back(describe(odd));
        }});
    MQ_CHECK(mend_->replay([&](const format::Record& r) { return pass.dispatch->take(r); },
                           progress("holding queues against the log")));
    MQ_CHECK(pass.dispatch->finish());
    note_pass(pass);
    return {};
  }

  Result<void> look_at_log_files();
  Result<void> look_at_queues();
  Result<void> look_at_leftover(const QueueKey& queue, const QueueDirectory& directory);
  bool keep_committed(const QueueKey& queue, const std::string& what);
  Result<void> look_at_strays();
  void note_numbers();
  void look_at_index();
  Result<void> look_at_state();
  Result<void> find_replayed();
  [[nodiscard]] bool is_changed() const {
    return mend_->is_changed() || !log_work_.empty() || !build_.empty() || !keep_.empty() ||
           !put_aside_.empty() || build_index_ || !state_.empty();
  }
  Result<void> write();
  Result<void> build(StoreChange& change);

  static constexpr std::size_t kNotesMax = 1000;

  fs::Fs& fs_;
  const std::string& store_;
  const RepairOptions& options_;
  const DispatchRules rules_;
  RepairReport report_;
  bool crashed_ = false;
  // What a broker dispatches again by itself, after a crash, begins here.
  PhysicalOffset replayed_from_{INT64_MAX};
  std::unique_ptr<LogMend> mend_;
  std::unique_ptr<QueuesThere> there_;
  std::unique_ptr<NumberMend> numbers_;
  std::unique_ptr<QueueCompare> queue_compare_;
  std::unique_ptr<IndexCompare> index_compare_;
  std::vector<std::string> gaps_;
  Vouched vouched_;
  QueueRanges ranges_;
  std::vector<LogFileWork> log_work_;
  std::set<QueueKey> build_;     // queues to be built anew
  std::vector<LastEntry> keep_;  // queues that have nothing but their numbering
  std::map<QueueKey, std::int64_t> committed_;
  std::vector<std::string> put_aside_;  // paths
  bool build_index_ = false;
  std::vector<StateWork> state_;
};

// --- what is to be done

// The newest file whose first record is old enough for the checkpoint (9.3); the oldest if none is.
Result<void> Repair::find_replayed() {
  if (!crashed_) return {};
  constexpr std::int64_t kSlackMs = 3000;
  std::int64_t vouched = 0;
  if (const auto c = read_checkpoint(fs_, store_))
    vouched = std::min(c->physic_timestamp_ms, c->logics_timestamp_ms) - kSlackMs;
  replayed_from_ = mend_->begin();
  for (const LogFile& file : mend_->log().files()) {
    MQ_TRY(const Bytes bytes, mend_->log().bytes_from(file.start));
    const auto time = format::peek_store_timestamp(bytes);
    if (time && *time > 0 && *time <= vouched) replayed_from_ = file.start;
  }
  return {};
}

Result<void> Repair::look_at_log_files() {
  MQ_TRY(log_work_, log_file_work(fs_, store_, *mend_));
  const auto has_tail = std::any_of(log_work_.begin(), log_work_.end(), [](const LogFileWork& w) {
    return w.kind == LogFileWork::Kind::kTail || w.kind == LogFileWork::Kind::kPutAside;
  });
  if (report_.records == 0 && has_tail) {
    return Error{Errc::kCorrupt, fmt::format("{}: {}", path("commitlog"),
                                             mend_->is_cut() ? "no record would be left"
                                                             : "not one record can be read in it")};
  }
  if (mend_->is_cut()) {
    note(Kind::kLoss, "commitlog",
         fmt::format("{} records lie behind {}", mend_->records_behind(), mend_->end().value()),
         "cut, as asked");
  }
  for (const LogFileWork& work : log_work_) {
    const bool is_normal = work.kind == LogFileWork::Kind::kTail ? crashed_ : !work.is_damage;
    const char* action = work.kind == LogFileWork::Kind::kCreate   ? "made anew, for what is kept"
                         : work.kind == LogFileWork::Kind::kLength ? "given its length"
                         : work.kind == LogFileWork::Kind::kTail   ? "cut"
                                                                   : "put aside";
    std::string what = work.what;
    if (work.kind == LogFileWork::Kind::kTail && !mend_->is_cut() && !mend_->why_end().empty())
      what += ": " + mend_->why_end();
    note(mend_->is_cut() && work.kind != LogFileWork::Kind::kCreate ? Kind::kNormal
         : is_normal && !work.is_damage                             ? Kind::kNormal
                                                                    : Kind::kDamage,
         "commitlog/" + work.name, std::move(what), action);
  }
  for (const auto& [at, fixed] : mend_->fixed()) {
    if (at < mend_->end()) note(Kind::kDamage, log_place(at), fixed.what, "put right");
  }
  for (const Stretch& s : mend_->stretches()) {
    std::int64_t held = 0;
    for (const LostRun& run : s.held) held += run.count;
    const bool is_blank = s.to_file_end && held == 0;
    note(is_blank ? Kind::kDamage : Kind::kLoss, log_place(s.begin),
         fmt::format("{} bytes cannot be read: {}", s.bytes(), s.what),
         is_blank ? std::string("the rest of the file becomes a blank")
                  : fmt::format("replaced by records that hold no message; {}",
                                held == 0 ? std::string("no queue misses one")
                                          : fmt::format("{} messages are lost, and their numbers "
                                                        "kept",
                                                        held)));
    for (const LostRun& run : s.held) {
      if (report_.notes.size() > kNotesMax) break;
      note(Kind::kHint, "",
           run.count == 1 ? fmt::format("lost: {}/{}", to_string(run.queue), run.first)
                          : fmt::format("lost: {}/{} to {}", to_string(run.queue), run.first,
                                        run.first + run.count - 1),
           "");
    }
  }
  return {};
}

void Repair::note_numbers() {
  for (const LostRun& run : numbers_->unresolved()) {
    // Known, and dealt with, once the queue is as it is to be.
    note(build_.contains(run.queue) ? Kind::kLoss : Kind::kHint, "",
         fmt::format("queue {}: numbers {} to {} have no record, and nothing tells where they were",
                     to_string(run.queue), run.first, run.first + run.count - 1),
         "whoever reads them gets the next message once more");
  }
  for (const std::string& gap : gaps_) note(Kind::kHint, "", gap, "");
}

Result<void> Repair::look_at_queues() {
  std::int64_t lagging = 0;
  std::int64_t missing = 0;
  for (const QueueCompare::Difference& d : queue_compare_->differences()) {
    build_.insert(d.queue);
    if (d.lags && d.missing_from >= replayed_from_) {
      ++lagging;
      missing += d.missing;
    } else if (report_.notes.size() < kNotesMax) {
      note_at(Kind::kDamage, d.what, "built anew from the log");
    }
  }
  committed_ = highest_committed(fs_, store_);
  note_numbers();
  if (lagging > 0) {
    note(Kind::kNormal, "consumequeue",
         fmt::format("{} queues lack the last {} entries", lagging, missing),
         "built anew from the log");
  }
  for (const auto& [queue, directory] : there_->all()) {
    if (!queue_compare_->was_written(queue)) MQ_CHECK(look_at_leftover(queue, directory));
  }
  for (const auto& [queue, offset] : committed_) {
    if (there_->find(queue) == nullptr)
      keep_committed(queue, "is missing, and the log has no record of it");
  }
  return look_at_strays();
}

// A queue of which the log has no record (any more): it is there for its numbering.
Result<void> Repair::look_at_leftover(const QueueKey& queue, const QueueDirectory& directory) {
  MQ_TRY(const Leftover leftover,
         examine_leftover(fs_, directory, report_.shape.queue_file_bytes, mend_->begin()));
  const std::string file = "consumequeue/" + to_string(queue);
  if (leftover.last) ranges_[queue] = {leftover.last->number + 1, leftover.last->number + 1};
  if (leftover.what.empty()) return {};
  if (leftover.last) {
    keep_.push_back(*leftover.last);
    keep_.back().queue = queue;
    note(Kind::kDamage, file, leftover.what,
         fmt::format("the log has no record of it; built anew with its numbering alone, which goes "
                     "on at {}",
                     leftover.last->number + 1));
  } else if (!keep_committed(queue, leftover.what)) {
    put_aside_.push_back(file);
    note(Kind::kLoss, file, leftover.what,
         "put aside: its numbering cannot be recovered and begins again at 0");
  }
  return {};
}

// A queue that is known by its consumers alone goes on where they are: an entry of a record that is
// deleted stands for its past.
bool Repair::keep_committed(const QueueKey& queue, const std::string& what) {
  const auto committed = committed_.find(queue);
  if (committed == committed_.end() || committed->second <= 0 || mend_->begin().value() == 0 ||
      ranges_.contains(queue))
    return false;
  const std::int64_t next = committed->second;
  keep_.push_back({queue,
                   next - 1,
                   {PhysicalOffset(0), static_cast<std::int32_t>(format::kRecordBytesMin), 0}});
  ranges_[queue] = {next, next};
  note(Kind::kLoss, "consumequeue/" + to_string(queue), what,
       fmt::format("its numbering cannot be recovered; it goes on at {}, the highest offset that a "
                   "consumer has committed",
                   next));
  return true;
}

Result<void> Repair::look_at_strays() {
  MQ_TRY(const auto strays, stray_queue_files(fs_, store_, report_.shape.queue_file_bytes));
  for (const std::string& stray : strays) {
    const bool is_replaced = std::any_of(build_.begin(), build_.end(), [&](const QueueKey& queue) {
      return stray.starts_with("consumequeue/" + to_string(queue) + "/");
    });
    if (!is_replaced) put_aside_.push_back(stray);
    note(Kind::kDamage, stray, "no file of a queue: a stock broker would not start", "put aside");
  }
  return {};
}

void Repair::look_at_index() {
  build_index_ = !index_compare_->what().empty() || index_compare_->lags();
  if (!build_index_) return;
  if (!index_compare_->what().empty()) {
    note_at(Kind::kDamage, index_compare_->what(), "built anew from the log");
  } else {
    note(index_compare_->missing_from() >= replayed_from_ ? Kind::kNormal : Kind::kDamage, "index",
         fmt::format("ends {} keys before the log", index_compare_->missing()),
         "built anew from the log");
  }
}

Result<void> Repair::look_at_state() {
  vouched_.index_sealed_ms = index_compare_->sealed_timestamp_ms();
  MQ_TRY(state_, state_work(fs_, store_, ranges_, options_.now_ms));
  MQ_TRY(auto marks, mark_work(fs_, store_, vouched_, is_changed()));
  state_.insert(state_.end(), std::make_move_iterator(marks.begin()),
                std::make_move_iterator(marks.end()));
  for (const StateWork& work : state_) {
    note(work.is_loss     ? Kind::kLoss
         : work.is_damage ? Kind::kDamage
                          : Kind::kNormal,
         work.path, work.what,
         work.kind == StateWork::Kind::kPutAside ? "put aside" : "written anew");
  }
  return {};
}

// --- doing it

Result<void> Repair::build(StoreChange& change) {
  QueueFileSink files(fs_, change.area() + "/consumequeue", report_.shape.queue_file_bytes);
  SomeQueues some(files, build_);
  std::unique_ptr<IndexBuilder> index;
  if (build_index_) {
    MQ_CHECK(fs_.make_directories(change.area() + "/index"));
    index = std::make_unique<IndexBuilder>(fs_, change.area() + "/index", report_.shape.index,
                                           options_.now_ms);
  }
  QueueBuilder queues(some,
                      QueueBuilder::Options{.log_begins_at_zero = mend_->begin().value() == 0}, {});
  LogDispatch dispatch({.rules = &rules_,
                        .queues = build_.empty() ? nullptr : &queues,
                        .keys = index.get(),
                        .batch_topics = batch_topics(fs_, store_)});
  MQ_CHECK(mend_->replay([&](const format::Record& r) { return dispatch.take(r); },
                         progress("building queues and index")));
  MQ_CHECK(dispatch.finish());
  for (const LastEntry& last : keep_) {
    std::array<std::byte, format::ConsumeQueueEntry::kEncodedBytes> raw{};
    format::encode(last.entry, raw);
    MQ_CHECK(files.start(last.queue, last.number));
    MQ_CHECK(files.write(last.queue, last.number, raw));
  }
  MQ_CHECK(files.finish());
  if (index) vouched_.index_sealed_ms = index->sealed_timestamp_ms();
  for (const QueueKey& queue : build_) change.replace("consumequeue/" + to_string(queue));
  for (const LastEntry& last : keep_) change.replace("consumequeue/" + to_string(last.queue));
  if (build_index_) change.replace("index");
  return {};
}

Result<void> Repair::write() {
  StoreChange change(fs_, store_, options_.stamp);
  MQ_CHECK(write_log(fs_, store_, *mend_, log_work_, change));
  if (!build_.empty() || !keep_.empty() || build_index_) MQ_CHECK(build(change));
  for (const std::string& path : put_aside_) change.put_aside(path);
  // The index that was built knows better what is sealed.
  std::erase_if(state_,
                [](const StateWork& w) { return w.path == "checkpoint" || w.path == "abort"; });
  MQ_TRY(auto marks, mark_work(fs_, store_, vouched_, true));
  state_.insert(state_.end(), std::make_move_iterator(marks.begin()),
                std::make_move_iterator(marks.end()));
  MQ_CHECK(write_state(fs_, state_, change));
  if (options_.progress) options_.progress("changing the store", mend_->end());
  MQ_CHECK(change.commit());
  report_.is_done = true;
  return {};
}

}  // namespace

std::string_view name_of(RepairNote::Kind kind) noexcept {
  switch (kind) {
    case Kind::kNormal:
      return "normal";
    case Kind::kDamage:
      return "damage";
    case Kind::kLoss:
      return "loss";
    case Kind::kHint:
      return "hint";
  }
  return "";
}

Result<RepairReport> repair(fs::Fs& fs, const std::string& store, const RepairOptions& options) {
  return Repair(fs, store, options).run();
}

}  // namespace mq::inspect

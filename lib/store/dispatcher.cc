#include "store/dispatcher.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/thread.h"
#include "format/light_queues.h"
#include "format/properties.h"
#include "format/record.h"

namespace mq::store {
namespace {

constexpr std::size_t kRecordsPerRound =
    512;  // after so many, keys are put and progress is published
constexpr std::int64_t kIdleWaitMs = 1000;
constexpr std::int64_t kRetryMs = 200;

// What dispatch wants of a record's properties, from one pass.
struct Wanted {
  std::string_view tags, keys, unique_key, delay;
  std::string_view inner_num, inner_base;
  std::string_view light_queues, light_offsets;
};
Wanted pick(std::string_view properties) {
  Wanted out;
  format::for_each_property(properties, [&](const format::Property& p) {
    switch (p.name.size()) {
      case 4:
        if (p.name == format::kTags) out.tags = p.value;
        if (p.name == format::kKeys) out.keys = p.value;
        break;
      case 5:
        if (p.name == format::kDelay) out.delay = p.value;
        break;
      case 8:
        if (p.name == format::kUniqKey) out.unique_key = p.value;
        break;
      case 9:
        if (p.name == format::kInnerNum) out.inner_num = p.value;
        break;
      case 10:
        if (p.name == format::kInnerBase) out.inner_base = p.value;
        break;
      case format::kLightQueues.size():
        if (p.name == format::kLightQueues) out.light_queues = p.value;
        break;
      case format::kLightOffsets.size():
        if (p.name == format::kLightOffsets) out.light_offsets = p.value;
        break;
      default:
        break;
    }
  });
  return out;
}

std::int32_t positive(std::int32_t hash) { return hash == INT32_MIN ? 0 : std::abs(hash); }

// Whether records come so fast that it is better to look again in a moment than to be woken: a
// wake-up is a system call of whoever appends, and would be one a put. Below that rate each record
// is dispatched at once.
constexpr auto kNap = std::chrono::microseconds(50);
constexpr std::int64_t kFastRecordsPerSecond =
    20'000;  // from there on naps are fewer than wake-ups

class Pace {
 public:
  // Asked each time that everything is dispatched; `taken`: records so far.
  bool is_fast(std::int64_t taken) {
    const auto now = std::chrono::steady_clock::now();
    const std::int64_t us =
        std::chrono::duration_cast<std::chrono::microseconds>(now - since_).count();
    const bool fast = (taken - taken_) * 1'000'000 > us * kFastRecordsPerSecond;
    since_ = now;
    taken_ = taken;
    return fast;
  }

 private:
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  std::int64_t taken_ = 0;
};

}  // namespace

// One run over a stretch of the log: takes records, collects their keys, publishes.
class Dispatcher::Round {
 public:
  explicit Round(Dispatcher& owner) : d_(owner) {}

  // Records before it have their keys in the index.
  PhysicalOffset index_from{};
  bool recovering = false;
  bool check_body = false;

  // Dispatches from `at` as far as is readable in at's file, at most one round; returns where to go
  // on. The same position when nothing could be done. Errors: kNoSpace, kIo (come again).
  Result<PhysicalOffset> advance(PhysicalOffset at) {
    const LogSource& log = *d_.parts_.log;
    const SegmentView view = log.view_from(at);
    Bytes rest = view.bytes;
    if (rest.empty()) return at;
    std::size_t records = 0;
    while (!rest.empty() && records < kRecordsPerRound) {
      if (format::record_kind(rest) == format::RecordKind::kBlank) {
        at = log.next_file(at);
        break;
      }
      auto record = format::decode_record(
          rest, check_body ? format::CheckBody::kCrc : format::CheckBody::kNo);
      if (!record || record->physical_offset != at) {
        const PhysicalOffset next = log.next_good(at);
        log::warn("dispatch: commit log {} to {} is damaged and passed over", at.value(),
                  next.value());
        at = next;
        break;
      }
      if (take(*record)) {
        // Entries are missing in front of it: once, everything is walked from the beginning.
        MQ_CHECK(put_keys());
        goes_back_ = true;
        return log.begin();
      }
      ++records;
      at += record->total_bytes;
      rest = rest.subspan(static_cast<std::size_t>(record->total_bytes));
    }
    MQ_CHECK(put_keys());
    // Only now: what is dispatched up to this time is in queues and index both, and the checkpoint
    // may say so.
    if (timestamp_ms_ > 0) d_.timestamp_ms_.store(timestamp_ms_, std::memory_order_release);
    taken_ += static_cast<std::int64_t>(records);
    return at;
  }
  [[nodiscard]] std::int64_t taken() const noexcept { return taken_; }
  // Did the last advance() ask to start over? Then it may have returned where it began without
  // having come to an end.
  [[nodiscard]] bool goes_back() noexcept { return std::exchange(goes_back_, false); }
  Result<void> put_keys() {
    if (keys_.empty()) return {};
    Result<void> why;
    const std::size_t done = d_.parts_.index->put(keys_, why);
    keys_.erase(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(done));
    return why;
  }

 private:
  // True if dispatch has to start over because entries before this record are missing.
  bool take(const format::Record& record) {
    const Wanted wanted = pick(record.properties);
    const std::int32_t transaction = record.transaction_type();
    ConsumeQueue& queue = queue_of(record);
    if (format::has_queue_entry(transaction)) {
      const format::ConsumeQueueEntry entry{record.physical_offset, record.total_bytes,
                                            tag_code(record, wanted, queue)};
      if (queue.topic().batch.load(std::memory_order_acquire)) {
        const auto batch = batch_entry(record, wanted, entry.tag_code);
        if (append(record, batch.base + batch.count, entry.tag_code, queue, batch)) return true;
      } else if (append(record, record.queue_offset + 1, entry.tag_code, queue, record.queue_offset,
                        entry)) {
        return true;
      }
      if (!wanted.light_queues.empty() && take_light(record, wanted, entry)) [[unlikely]] {
        return true;
      }
    }
    if (d_.parts_.index != nullptr && record.physical_offset >= index_from &&
        transaction != format::kTransactionRollback) {
      add_keys(record, wanted, queue.topic().index_prefix_hash);
    }
    timestamp_ms_ = record.store_timestamp_ms;
    return false;
  }

  // As take(). `entry`: that of the record's own queue; where its tag code is a time there are no
  // others.
  bool take_light(const format::Record& record, const Wanted& wanted,
                  const format::ConsumeQueueEntry& entry) {
    if (!d_.parts_.queues->has_light_queues() || !format::may_be_in_light_queues(record.topic))
      return false;
    bool starts_over = false;
    format::for_each_light_queue(
        wanted.light_queues, wanted.light_offsets, [&](std::string_view name, std::int64_t number) {
          if (starts_over) return;
          ConsumeQueue& queue = d_.parts_.queues->find_or_create(name, format::kLightQueueId);
          starts_over = append(record, QueueOffset(number + 1), entry.tag_code, queue,
                               QueueOffset(number), entry);
        });
    return starts_over;
  }

  // `queue` and `entry` as ConsumeQueueSet takes those of its kind; `next`: the number behind the
  // record's. True if dispatch has to start over: once, the whole log is walked for the entries
  // that are missing.
  template <typename... Entry>
  bool append(const format::Record& record, QueueOffset next, std::int64_t tag_code,
              ConsumeQueue& queue, const Entry&... entry) {
    auto appended = d_.parts_.queues->append(queue, entry...);
    if (appended == ConsumeQueueSet::Appended::kGap) {
      if (!rewound_ && record.physical_offset > d_.parts_.log->begin()) {
        rewound_ = true;
        return true;
      }
      d_.parts_.queues->append_after_gap(queue, entry...);
      appended = ConsumeQueueSet::Appended::kNew;
    }
    if (appended == ConsumeQueueSet::Appended::kNew && d_.listener_ && !recovering) {
      d_.listener_({queue.topic().name, queue.id(), next, tag_code, record.store_timestamp_ms,
                    record.properties});
    }
    return false;
  }

  // store-format.md 4.7: a record without the numbers of a batch is one of one message.
  static format::BatchQueueEntry batch_entry(const format::Record& record, const Wanted& wanted,
                                             std::int64_t tag_code) {
    format::BatchQueueEntry entry{.commitlog_offset = record.physical_offset,
                                  .record_bytes = record.total_bytes,
                                  .tag_code = tag_code,
                                  .store_timestamp_ms = record.store_timestamp_ms,
                                  .base = record.queue_offset};
    std::int16_t count = 0;
    std::int64_t base = -1;
    std::from_chars(wanted.inner_num.data(), wanted.inner_num.data() + wanted.inner_num.size(),
                    count);
    std::from_chars(wanted.inner_base.data(), wanted.inner_base.data() + wanted.inner_base.size(),
                    base);
    if (record.is_batch() && count > 0 && base >= 0) {
      entry.base = QueueOffset(base);
      entry.count = count;
    }
    return entry;
  }

  ConsumeQueue& queue_of(const format::Record& record) {
    if (last_ == nullptr || last_->id() != record.queue_id || last_->topic().name != record.topic) {
      last_ = &d_.parts_.queues->find_or_create(record.topic, record.queue_id);
    }
    return *last_;
  }

  std::int64_t tag_code(const format::Record& record, const Wanted& wanted,
                        const ConsumeQueue& queue) const {
    if (queue.topic().delayed && !wanted.delay.empty()) {
      std::int64_t level = 0;
      std::from_chars(wanted.delay.data(), wanted.delay.data() + wanted.delay.size(), level);
      if (level > 0) return record.store_timestamp_ms + d_.parts_.delays.ms(level);
    }
    return wanted.tags.empty() ? 0 : java_string_hash(wanted.tags);
  }

  void add_keys(const format::Record& record, const Wanted& wanted, std::int32_t prefix_hash) {
    const auto add = [&](std::string_view key) {
      keys_.push_back({positive(java_string_hash(prefix_hash, key)), record.physical_offset,
                       record.store_timestamp_ms});
    };
    if (!wanted.unique_key.empty()) add(wanted.unique_key);
    format::for_each_key(wanted.keys, add);
  }

  Dispatcher& d_;
  ConsumeQueue* last_ = nullptr;
  std::vector<IndexKey> keys_;
  std::int64_t taken_ = 0;
  std::int64_t timestamp_ms_ = 0;  // store time of the last record taken
  bool rewound_ = false;
  bool goes_back_ = false;
};

Dispatcher::Dispatcher(Parts parts)
    : parts_(std::move(parts)), round_(std::make_unique<Round>(*this)) {}

Dispatcher::~Dispatcher() { stop(); }

Result<void> Dispatcher::recover(const RecoverOptions& options, RecoveryReport& report,
                                 const std::function<void(int, std::string_view)>& progress) {
  const LogSource& log = *parts_.log;
  MQ_TRY(auto queues, parts_.queues->recover(log, options.safe_from));
  report.queues_repaired += queues.queues_repaired;
  report.notes.insert(report.notes.end(), queues.notes.begin(), queues.notes.end());
  PhysicalOffset at = queues.dispatch_from;
  round_->index_from = log.readable();
  if (parts_.index != nullptr) {
    MQ_TRY(auto index, parts_.index->recover(log, options.clean_exit, options.safe_from));
    report.index_files_repaired += index.files_repaired;
    report.notes.insert(report.notes.end(), index.notes.begin(), index.notes.end());
    round_->index_from = std::max(index.index_from, log.begin());
    at = std::min(at, round_->index_from);
  }
  at = std::max(at, log.begin());
  round_->recovering = true;
  round_->check_body = options.check_body;
  const std::int64_t total = std::max<std::int64_t>(1, log.readable() - at);
  int percent = -1;
  while (at < log.readable()) {
    MQ_TRY(const PhysicalOffset next, round_->advance(at));
    if (next == at && !round_->goes_back()) break;
    at = next;
    if (parts_.queues->is_due()) MQ_CHECK(parts_.queues->write_out_due());
    const auto now = static_cast<int>((total - (log.readable() - at)) * 90 / total) + 10;
    if (progress && now != percent) progress(percent = now, "building queues and index");
  }
  MQ_CHECK(parts_.queues->write_out());
  report.records_dispatched += round_->taken();
  for (const auto& [topic, id] : parts_.queues->list()) {
    if (ConsumeQueue* queue = parts_.queues->find(topic, id))
      queue->counter.next = queue->max_offset().value();
  }
  round_->recovering = round_->check_body = false;
  round_->index_from = PhysicalOffset(0);
  dispatched_.store(log.readable().value(), std::memory_order_release);
  return {};
}

void Dispatcher::on_arrival(std::function<void(const Arrival&)> listener) {
  listener_ = std::move(listener);
}

void Dispatcher::start() {
  thread_ = start_thread("dispatch", [this](const std::stop_token& stop) { run(stop); });
}

void Dispatcher::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  if (parts_.wake) parts_.wake();
  thread_.join();
}

void Dispatcher::run(const std::stop_token& stop) {
  const std::int64_t before = round_->taken();
  PhysicalOffset at = dispatched();
  Pace pace;
  while (!stop.stop_requested()) {
    auto next = round_->advance(at);
    Result<void> done;
    if (!next) done = next.error();
    if (done && parts_.queues->is_due()) done = parts_.queues->write_out_due();
    if (!done) {
      {
        const MutexLock lock(reason_mu_);
        reason_ =
            (done.error().code() == Errc::kNoSpace ? "disk full: " : "") + done.error().text();
        if (!is_blocked_.exchange(true))
          log::error("queues and index cannot be written: {}; writes are refused", reason_);
      }
      // Entries that were taken are in memory; what was not is taken again, and known ones are
      // passed over.
      parts_.wait_readable(PhysicalOffset(INT64_MAX), kRetryMs);
      (void)round_->put_keys();
      continue;
    }
    if (is_blocked_.exchange(false))
      log::info("queues and index can be written again: writes resume");
    const bool moved = *next > at;
    if (*next != at) at = *next;
    if (moved && at >= dispatched()) {
      // In this order: whoever sees the position sees the count that goes with it, or a newer one.
      records_total_.store(round_->taken() - before, std::memory_order_relaxed);
      dispatched_.store(at.value(), std::memory_order_release);
      continue;
    }
    if (moved || at < parts_.log->readable()) continue;
    if (pace.is_fast(round_->taken())) {
      std::this_thread::sleep_for(kNap);
    } else {
      parts_.wait_readable(at, kIdleWaitMs);
    }
  }
}

std::string Dispatcher::blocked_reason() const {
  const MutexLock lock(reason_mu_);
  return reason_;
}

bool Dispatcher::wait_caught_up(std::int64_t timeout_ms) {
  const PhysicalOffset target = parts_.log->readable();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (dispatched() < target) {
    if (std::chrono::steady_clock::now() >= deadline || is_blocked()) return dispatched() >= target;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return true;
}

}  // namespace mq::store

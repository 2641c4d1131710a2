#include "store/message_store.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "format/checkpoint.h"
#include "format/delay_levels.h"
#include "store/commit_log.h"
#include "store/commit_log_source.h"
#include "store/consume_queue_set.h"
#include "store/dispatcher.h"
#include "store/flusher.h"
#include "store/index.h"
#include "store/janitor.h"
#include "store/log_allocator.h"
#include "store/put_encoder.h"
#include "store/reader.h"
#include "store/store_recovery.h"

namespace mq::store {
namespace {

constexpr std::int64_t kRoomTimeoutMs = 5000;  // how long a put waits for the allocate thread (1.4)
constexpr std::int64_t kCloseTimeoutMs = 60'000;  // for dispatch to catch up at the end
constexpr std::int64_t kBusyIgnoredMs =
    10'000'000;  // a lock "held" that long is a clock that jumped (13)

class MessageStoreImpl final : public MessageStore {
 public:
  explicit MessageStoreImpl(const StoreOptions& options) : options_(options) {}
  ~MessageStoreImpl() override { stop_threads(); }

  Result<void> open(const std::function<void(int, std::string_view)>& progress);

  Result<void> close() override;
  [[nodiscard]] const RecoveryReport& recovery() const noexcept override { return report_; }

  PutResult put(const PutCommon& common, const PutMessage& message) override {
    return put_batch(common, {&message, 1});
  }
  PutResult put_batch(const PutCommon& common, std::span<const PutMessage> messages) override;
  void when_durable(PhysicalOffset end, std::function<void(PutStatus)> done) override {
    flusher_->when_durable(end, std::move(done));
  }

  [[nodiscard]] std::int64_t held_up_ms() const noexcept override;
  [[nodiscard]] std::int64_t durable_waiters() const noexcept override {
    return flusher_->waiters();
  }
  [[nodiscard]] std::int64_t durable_wait_ms() const override {
    return flusher_->longest_wait_ms();
  }

  GetResult get(const GetRequest& request) override { return reader_->get(request); }
  Result<std::size_t> entries(std::string_view topic, QueueId queue, QueueOffset from,
                              std::span<format::ConsumeQueueEntry> out) override {
    return reader_->entries(topic, queue, from, out);
  }
  Result<SegmentView> get_record(PhysicalOffset at) override { return reader_->get_record(at); }
  Result<SegmentView> get_written_record(PhysicalOffset at) override {
    return at < log_->readable() ? get_record(at)
                                 : only_record(log_->view_written_from(at).view, at);
  }
  Result<std::vector<SegmentView>> query(std::string_view topic, std::string_view key,
                                         std::int32_t count_max, std::int64_t begin_ms,
                                         std::int64_t end_ms) override {
    return reader_->query(topic, key, count_max, begin_ms, end_ms);
  }
  QueueOffset min_offset(std::string_view topic, QueueId queue) override {
    return reader_->min_offset(topic, queue);
  }
  QueueOffset max_offset(std::string_view topic, QueueId queue) override {
    return reader_->max_offset(topic, queue);
  }
  QueueOffset offset_by_time(std::string_view topic, QueueId queue, std::int64_t timestamp_ms,
                             Boundary boundary) override {
    return reader_->offset_by_time(topic, queue, timestamp_ms, boundary);
  }
  std::int64_t store_time(std::string_view topic, QueueId queue, QueueOffset offset) override {
    return reader_->store_time(topic, queue, offset);
  }
  bool is_in_memory(std::string_view topic, QueueId queue, QueueOffset offset) override {
    return reader_->is_in_memory(topic, queue, offset);
  }
  std::vector<std::pair<std::string, QueueId>> queues() override { return queues_->list(); }
  Result<void> mark_batch_topic(std::string_view topic) override {
    return queues_->mark_batch(topic);
  }
  Result<void> delete_topic(std::string_view topic) override;

  void on_arrival(std::function<void(const Arrival&)> listener) override {
    arrival_ = std::move(listener);
    has_arrival_.store(true, std::memory_order_release);
  }
  [[nodiscard]] PhysicalOffset written() const noexcept override { return log_->written(); }
  [[nodiscard]] PhysicalOffset readable() const noexcept override { return log_->readable(); }
  [[nodiscard]] PhysicalOffset dispatched() const noexcept override {
    return dispatcher_->dispatched();
  }
  bool wait_dispatched(std::int64_t timeout_ms) override {
    return dispatcher_->wait_caught_up(timeout_ms);
  }
  Result<std::int32_t> expire_now() override { return janitor_->expire_now(); }
  Result<void> set_retention(const StoreOptions& options) override {
    return janitor_->set_retention(options);
  }
  Result<void> sync() override;
  StoreStats stats() override;

 private:
  [[nodiscard]] std::string path(const char* name) const { return options_.root + "/" + name; }
  Result<void> recover(const format::Checkpoint& checkpoint,
                       const std::function<void(int, std::string_view)>& progress);
  void make_parts(const format::Checkpoint& checkpoint);
  void start_threads();
  void stop_threads();
  void flush_queues(const std::stop_token& stop);
  // "" while puts are taken.
  [[nodiscard]] std::string why_not_writable() const;
  void hold_back();

  StoreOptions options_;
  RecoveryReport report_;
  std::unique_ptr<fs::Lock> lock_;
  std::unique_ptr<CommitLog> log_;
  std::unique_ptr<CommitLogSource> source_;
  std::unique_ptr<ConsumeQueueSet> queues_;
  std::unique_ptr<IndexSet> index_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Flusher> flusher_;
  std::unique_ptr<LogAllocator> allocator_;
  std::unique_ptr<Janitor> janitor_;
  std::jthread queue_flusher_;
  Mutex sleep_mu_;
  CondVar sleep_cv_;

  std::function<void(const Arrival&)> arrival_;
  std::atomic<bool> has_arrival_{false};
  std::atomic<bool> closing_{false};
  std::atomic<std::int64_t> puts_{0}, messages_{0}, bytes_{0}, failed_{0}, held_back_{0},
      lock_refusals_{0};
};

Result<void> check(const StoreOptions& o) {
  if (o.fs == nullptr || o.clock == nullptr || o.root.empty())
    return Error{Errc::kInvalid, "store: no root, file system or clock"};
  if (o.commit_log_file_bytes < 4096) {
    return Error{Errc::kInvalid, fmt::format("mappedFileSizeCommitLog={}: expected 4096 or more",
                                             o.commit_log_file_bytes)};
  }
  if (o.consume_queue_file_bytes < 20) {
    return Error{Errc::kInvalid, fmt::format("mappedFileSizeConsumeQueue={}: expected 20 or more",
                                             o.consume_queue_file_bytes)};
  }
  if (auto levels = format::DelayLevels::parse(o.message_delay_level); !levels)
    return std::move(levels).error().within("messageDelayLevel");
  return Janitor::check(o);
}

void MessageStoreImpl::make_parts(const format::Checkpoint& checkpoint) {
  source_ = std::make_unique<CommitLogSource>(*log_);
  reader_ = std::make_unique<Reader>(
      *source_, *queues_, index_.get(),
      Reader::Options{.transfer_count_memory_max = options_.transfer_count_memory_max,
                      .transfer_bytes_memory_max = options_.transfer_bytes_memory_max,
                      .transfer_count_disk_max = options_.transfer_count_disk_max,
                      .transfer_bytes_disk_max = options_.transfer_bytes_disk_max,
                      .filter_bytes_max = options_.filter_bytes_max,
                      .memory_bytes = memory_bytes(options_.memory_percent_max)});
  dispatcher_ = std::make_unique<Dispatcher>(Dispatcher::Parts{
      .log = source_.get(),
      .queues = queues_.get(),
      .index = index_.get(),
      .delays =
          format::DelayLevels::parse(options_.message_delay_level).value(),  // as check() saw it
      .wait_readable = [this](PhysicalOffset seen,
                              std::int64_t ms) { (void)log_->wait_readable(seen, ms); },
      .wake = [this] { log_->wake_reader(); }});
  flusher_ = std::make_unique<Flusher>(*log_, options_, path("checkpoint"), checkpoint);
  allocator_ = std::make_unique<LogAllocator>(
      *log_, LogAllocator::Options{
                 .fs = options_.fs,
                 .clock = options_.clock,
                 .directory = options_.commit_log_path.empty() ? path("commitlog")
                                                               : options_.commit_log_path,
                 .warm_files = options_.warm_files,
                 .lock_files = options_.lock_files,
                 .zero_ahead = options_.flush_mode == FlushMode::kSync,
                 .device_failed = [this](std::string why) { flusher_->fail(std::move(why)); }});
  janitor_ = std::make_unique<Janitor>(
      Janitor::Parts{.log = source_.get(),
                     .queues = queues_.get(),
                     .index = index_.get(),
                     .queue_root = options_.root,
                     .log_root = options_.commit_log_path.empty() ? path("commitlog")
                                                                  : options_.commit_log_path,
                     .every_second =
                         [this] {
                           flusher_->answer_waiters();  // whose time may be over
                           (void)log_->sweep_removed();
                         }},
      options_);
}

Result<void> MessageStoreImpl::open(const std::function<void(int, std::string_view)>& progress) {
  const std::int64_t begin_us = options_.clock->monotonic_us();
  MQ_CHECK(check(options_));
  fs::Fs& fs = *options_.fs;
  MQ_CHECK(fs.make_directories(options_.root));
  // Before anything is touched; the reference takes it only after it has recovered (trap 7).
  MQ_TRY(lock_, fs.lock_file(path("lock")));
  report_.clean = !fs.exists(path("abort"));

  format::Checkpoint checkpoint;
  if (auto raw = fs::read_file(fs, path("checkpoint"), 1 << 20)) {
    if (auto decoded = format::decode_checkpoint(as_bytes(*raw))) checkpoint = *decoded;
  }
  MQ_TRY(log_, CommitLog::open({.path = options_.commit_log_path.empty() ? path("commitlog")
                                                                         : options_.commit_log_path,
                                .fs = &fs,
                                .clock = options_.clock,
                                .file_bytes = options_.commit_log_file_bytes,
                                .readable_when_flushed = options_.flush_mode == FlushMode::kSync,
                                .forced_release_ms = options_.destroy_forcibly_ms},
                               report_.notes));
  queues_ = std::make_unique<ConsumeQueueSet>(
      ConsumeQueueSet::Options{.root = path("consumequeue"),
                               .batch_root = path("batchconsumequeue"),
                               .batch_topics = options_.batch_topics,
                               .file_bytes = options_.consume_queue_file_bytes,
                               .batch_file_bytes = options_.batch_queue_file_bytes,
                               .light_queues = options_.light_queues,
                               .fs = &fs});
  if (options_.index_enable) {
    index_ = std::make_unique<IndexSet>(IndexSet::Options{
        .root = path("index"), .shape = options_.index_shape, .fs = &fs, .clock = options_.clock});
  }
  make_parts(checkpoint);
  MQ_CHECK(recover(checkpoint, progress));
  janitor_->tick();
  // From here on a crash leaves the mark that makes the next start look closely.
  MQ_CHECK(fs::write_file_atomically(fs, path("abort"), std::to_string(getpid()),
                                     /*keep_backup=*/false));
  start_threads();
  report_.took_us = options_.clock->monotonic_us() - begin_us;
  return {};
}

Result<void> MessageStoreImpl::recover(const format::Checkpoint& checkpoint,
                                       const std::function<void(int, std::string_view)>& progress) {
  if (progress) progress(0, "reading the ends of queues and index");
  MQ_CHECK(queues_->load(report_.clean));
  if (index_) MQ_CHECK(index_->load());
  const PhysicalOffset queue_max = queues_->max_physical(log_->written());
  const PhysicalOffset from = scan_start(*log_, report_.clean, queue_max, checkpoint);
  if (progress) progress(10, "checking the end of the commit log");
  MQ_TRY(const LogEnd end,
         settle_end(*log_, from, report_.clean, options_.check_crc_on_recover, report_));
  const PhysicalOffset safe_from =
      report_.clean ? std::max(PhysicalOffset(0), queue_max) : end.scanned_from;
  return dispatcher_->recover({.clean_exit = report_.clean,
                               .safe_from = safe_from,
                               .check_body = options_.check_crc_on_recover},
                              report_, progress);
}

void MessageStoreImpl::start_threads() {
  dispatcher_->on_arrival([this](const Arrival& arrival) {
    if (has_arrival_.load(std::memory_order_acquire)) arrival_(arrival);
  });
  allocator_->start();
  flusher_->start();
  dispatcher_->start();
  janitor_->start();
  queue_flusher_ =
      start_thread("flush-queues", [this](const std::stop_token& stop) { flush_queues(stop); });
}

void MessageStoreImpl::stop_threads() {
  if (queue_flusher_.joinable()) {
    queue_flusher_.request_stop();
    {
      const MutexLock lock(sleep_mu_);
      sleep_cv_.notify_all();
    }
    queue_flusher_.join();
  }
  if (janitor_) janitor_->stop();
  if (dispatcher_) dispatcher_->stop();
  if (allocator_) allocator_->stop();
  if (flusher_) flusher_->stop();
}

// Queues and index to disk, apart from the log's flush: thousands of queue files must not hold up
// an acknowledgement.
void MessageStoreImpl::flush_queues(const std::stop_token& stop) {
  std::int64_t thorough_us = options_.clock->monotonic_us();
  PhysicalOffset thorough_at = dispatcher_->dispatched();
  while (!stop.stop_requested()) {
    {
      const MutexLock lock(sleep_mu_);
      // Asked under the lock, or the wake-up of a stop that comes now is missed.
      if (stop.stop_requested()) return;
      (void)sleep_cv_.wait_for(sleep_mu_,
                               std::chrono::milliseconds(options_.queue_flush_interval_ms));
    }
    if (stop.stop_requested() || flusher_->has_failed()) continue;
    const std::int64_t now_us = options_.clock->monotonic_us();
    const PhysicalOffset dispatched = dispatcher_->dispatched();
    const bool thorough =
        now_us - thorough_us >= options_.queue_flush_thorough_interval_ms * 1000 ||
        dispatched - thorough_at >= options_.queue_flush_thorough_bytes;
    const std::int64_t timestamp_ms = dispatcher_->timestamp_ms();
    auto done = queues_->flush(thorough ? 0 : 2);
    if (done && index_) done = index_->flush(thorough);
    if (!done) {
      // A full disk passes, and dispatch says so; a device that fails does not.
      if (done.error().code() == Errc::kIo)
        flusher_->fail(fmt::format("queue sync failed: {}", done.error().text()));
      continue;
    }
    if (index_) flusher_->set_index_timestamp(index_->sealed_timestamp_ms());
    if (thorough) {
      thorough_us = now_us;
      thorough_at = dispatched;
      if (timestamp_ms > 0) flusher_->set_logics_timestamp(timestamp_ms);
    }
  }
}

std::string MessageStoreImpl::why_not_writable() const {
  if (closing_.load(std::memory_order_acquire)) return "the store is being closed";
  if (flusher_->has_failed()) return flusher_->reason();
  if (dispatcher_->is_blocked()) return dispatcher_->blocked_reason();
  if (janitor_->is_disk_full()) return janitor_->reason();
  if (allocator_->is_stuck()) return allocator_->reason();
  return {};
}

std::int64_t MessageStoreImpl::held_up_ms() const noexcept {
  std::int64_t held_ms = 0;
  if (const std::int64_t since = log_->lock_held_since_ms(); since > 0) [[unlikely]] {
    held_ms = options_.clock->now_ms() - since;
    if (held_ms >= kBusyIgnoredMs) held_ms = 0;
  }
  if (const std::int64_t since_us = allocator_->needed_since_us(); since_us > 0) [[unlikely]] {
    held_ms = std::max(held_ms, (options_.clock->monotonic_us() - since_us) / 1000);
  }
  return std::max<std::int64_t>(held_ms, 0);
}

// Readers must not fall behind for ever: while dispatch is far back, each put gives it a
// millisecond.
void MessageStoreImpl::hold_back() {
  if (log_->records_total() - dispatcher_->records_total() <= options_.dispatch_backlog_max) return;
  held_back_.fetch_add(1, std::memory_order_relaxed);
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

PutResult MessageStoreImpl::put_batch(const PutCommon& common,
                                      std::span<const PutMessage> messages) {
  PutResult result;
  const auto refuse = [&](PutStatus status, std::string reason) {
    failed_.fetch_add(1, std::memory_order_relaxed);
    result.status = status;
    result.reason = std::move(reason);
    return result;
  };
  if (std::string why = why_not_writable(); !why.empty()) [[unlikely]] {
    return refuse(PutStatus::kServiceNotAvailable, std::move(why));
  }
  const EncodedPut encoded = encode_put(common, messages,
                                        {.message_bytes_max = options_.message_bytes_max,
                                         .file_bytes = options_.commit_log_file_bytes},
                                        queues_->has_light_queues() ? queues_.get() : nullptr);
  if (encoded.status != PutStatus::kOk) return refuse(encoded.status, encoded.why);
  if (const std::int64_t held = held_up_ms(); held > options_.page_cache_busy_ms) [[unlikely]] {
    lock_refusals_.fetch_add(1, std::memory_order_relaxed);
    return refuse(PutStatus::kOsPageCacheBusy,
                  fmt::format("the commit log has taken nothing for {} ms", held));
  }
  hold_back();

  ConsumeQueue& queue = queues_->find_or_create(common.topic, common.queue_id);
  const bool takes_offset = format::has_queue_entry(common.sys_flag & format::kFlagTransactionMask);
  CommitLog::Appended appended = log_->append(encoded.records, queue.counter, takes_offset);
  result.waited_us = appended.waited_us;
  while (!appended.has_room) [[unlikely]] {
      if (appended.device_failed) {
        flusher_->fail("the device failed under the commit log's mapping");
        return refuse(PutStatus::kServiceNotAvailable, flusher_->reason());
      }
      const std::int64_t begin_us = options_.clock->monotonic_us();
      const bool has_grown = allocator_->wait_for_room(encoded.bytes, kRoomTimeoutMs);
      result.waited_us += options_.clock->monotonic_us() - begin_us;
      if (!has_grown) {
        std::string reason = allocator_->reason();
        if (!reason.empty()) return refuse(PutStatus::kServiceNotAvailable, std::move(reason));
        return refuse(PutStatus::kCreateMappedFileFailed, "no new commit log file within 5 s");
      }
      appended = log_->append(encoded.records, queue.counter, takes_offset);
      result.waited_us += appended.waited_us;
    }
  if (options_.flush_mode == FlushMode::kSync && !common.waits) flusher_->poke();
  puts_.fetch_add(1, std::memory_order_relaxed);
  messages_.fetch_add(static_cast<std::int64_t>(messages.size()), std::memory_order_relaxed);
  bytes_.fetch_add(encoded.bytes, std::memory_order_relaxed);
  result.status = PutStatus::kOk;
  result.queue_offset = appended.queue_offset;
  result.physical_offset = appended.at;
  result.end = appended.end;
  result.store_timestamp_ms = appended.store_timestamp_ms;
  return result;
}

Result<void> MessageStoreImpl::delete_topic(std::string_view topic) {
  PhysicalOffset log_end;
  log_->with_appends_held([&] {
    log_end = log_->written();
    for (const auto& [name, id] : queues_->list()) {
      if (name != topic) continue;
      if (ConsumeQueue* queue = queues_->find(name, id)) queue->counter.next = 0;
    }
  });
  return queues_->delete_topic(topic, log_end);
}

Result<void> MessageStoreImpl::sync() {
  MQ_CHECK(flusher_->sync_now());
  MQ_CHECK(queues_->flush(0));
  if (index_) MQ_CHECK(index_->flush(true));
  return flusher_->write_checkpoint();
}

Result<void> MessageStoreImpl::close() {
  if (closing_.exchange(true)) return Error{Errc::kUnavailable, "the store is closed already"};
  Result<void> done = flusher_->sync_now();  // with SYNC_FLUSH, what is dispatched must be on disk
  const bool caught_up = dispatcher_->wait_caught_up(kCloseTimeoutMs);
  stop_threads();
  if (done) done = queues_->flush(0);
  if (done && index_) done = index_->flush(true);
  if (done) {
    if (dispatcher_->timestamp_ms() > 0)
      flusher_->set_logics_timestamp(dispatcher_->timestamp_ms());
    if (index_) flusher_->set_index_timestamp(index_->sealed_timestamp_ms());
    done = flusher_->write_checkpoint();
  }
  // The mark stays unless everything is where it belongs: the next start then looks closely.
  if (done && caught_up && dispatcher_->dispatched() >= log_->written()) {
    done = options_.fs->remove(path("abort"));
    if (done) done = options_.fs->sync_directory(options_.root);
  }
  lock_.reset();
  return done;
}

StoreStats MessageStoreImpl::stats() {
  StoreStats s;
  s.begin = log_->begin();
  s.flushed = log_->flushed();
  s.written = log_->written();
  s.dispatched = dispatcher_->dispatched();
  s.puts_total = puts_.load();
  s.messages_total = messages_.load();
  s.bytes_total = bytes_.load();
  s.failed_total = failed_.load();
  const Reader::Stats reads = reader_->stats();
  s.gets_total = reads.gets_total;
  s.get_messages_total = reads.messages_total;
  s.get_bytes_total = reads.bytes_total;
  s.get_misses_total = reads.misses_total;
  s.dispatch_backlog_records =
      std::max<std::int64_t>(0, log_->records_total() - dispatcher_->records_total());
  s.backpressure_delays_total = held_back_.load();
  s.append_lock_refusals_total = lock_refusals_.load();
  s.append_lock_wait_max_us = log_->lock_wait_max_us();
  const Flusher::Stats flush = flusher_->stats();
  s.syncs_total = flush.syncs_total;
  s.sync_max_us = flush.sync_max_us;
  s.group_commit_waiters = flush.waiters;
  s.commit_log_files = static_cast<std::int32_t>(log_->segment_count());
  s.index_files = index_ ? index_->count() : 0;
  s.queues = queues_->count();
  if (auto first = reader_->get_record(log_->begin())) {
    if (auto record = format::decode_record(first->bytes, format::CheckBody::kNo))
      s.earliest_timestamp_ms = record->store_timestamp_ms;
  }
  s.disk = janitor_->disk();
  s.not_writable_reason = why_not_writable();
  s.writable = s.not_writable_reason.empty();
  return s;
}

}  // namespace

// NOLINTBEGIN(performance-unnecessary-value-param): once a start
Result<std::unique_ptr<MessageStore>> MessageStore::open(
    const StoreOptions& options, std::function<void(int, std::string_view)> progress) {
  auto store = std::make_unique<MessageStoreImpl>(options);
  MQ_CHECK(store->open(progress));
  return std::unique_ptr<MessageStore>(std::move(store));
}
// NOLINTEND(performance-unnecessary-value-param)

}  // namespace mq::store

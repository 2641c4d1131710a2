#include "broker/pop_revive.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/log.h"
#include "broker/pop_names.h"
#include "format/light_queues.h"
#include "format/names.h"
#include "format/properties.h"
#include "format/record.h"

namespace mq::broker {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kPollMs = 5;  // while the log or the timer is waited for
constexpr std::int64_t kTickPollMs = 50;
constexpr std::int64_t kRetryMs = 500;  // after a refused put
constexpr std::int32_t kReadCount = 32;
// A crash may have the timer deliver a checkpoint again, and not what acknowledged it late or was
// copied from it: so long before whatever may come again that is looked for, and so long kept once
// the timer has caught up.
constexpr std::int64_t kLookBackMs = 30'000;
constexpr std::int64_t kEarlyKeptMs = 120'000;
// By the times in the queue alone.
constexpr std::int64_t kSettledMs = 2000;
constexpr std::string_view kFirstPopTime = "1ST_POP_TIME";

// Seconds until a checkpoint whose message could not be read is looked at again.
constexpr std::array<std::int64_t, 17> kPutAgainSeconds = {
    10, 20, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200};

// Calls visit(record) for each record of the answer.
template <typename Visit>
void for_each_record(const store::GetResult& got, Visit&& visit) {
  for (const auto& span : got.spans) {
    Bytes bytes = span.bytes;
    while (!bytes.empty()) {
      const auto record = format::decode_record(bytes, format::CheckBody::kNo);
      if (!record) break;
      visit(*record);
      bytes = bytes.subspan(static_cast<std::size_t>(record->total_bytes));
    }
  }
}

}  // namespace

void PopRevive::open(bool crashed, std::int64_t now_ms) {
  const auto topic = o_.topics.find(o_.log.topic());
  const std::int32_t count = topic ? topic->read_queues : 0;
  for (QueueId id = 0; id < count; ++id) {
    Queue queue;
    queue.id = id;
    const std::int64_t min = o_.store.min_offset(o_.log.topic(), id).value();
    const std::int64_t max = o_.store.max_offset(o_.log.topic(), id).value();
    const auto stored = o_.offsets.find(format::kReviveGroup, o_.log.topic(), id);
    queue.next = QueueOffset(std::clamp(stored ? *stored + 1 : 0, min, std::max(min, max)));
    queue.committed = queue.next.value() - 1;
    if (crashed) look_back(queue);
    queues_.push_back(std::move(queue));
  }
  early_until_ms_ = crashed ? now_ms + kEarlyKeptMs : 0;
  opened_ms_ = now_ms;
}

// Acknowledgements before the offset that is done: for checkpoints that the timer delivers again.
void PopRevive::look_back(Queue& queue) {
  const QueueOffset end = o_.store.max_offset(o_.log.topic(), queue.id);
  if (end.value() == 0) return;
  const std::int64_t last_ms = o_.store.store_time(o_.log.topic(), queue.id, end - 1);
  // What the timer had not yet said on disk to be delivered: a slow disk leaves much of it.
  const std::int64_t again_ms = std::min(last_ms, o_.timer().read_ms);
  QueueOffset at = o_.store.offset_by_time(o_.log.topic(), queue.id, again_ms - kLookBackMs,
                                           store::Boundary::kLower);
  while (at < queue.next) {
    const auto got = o_.store.get(
        {.topic = o_.log.topic(), .queue_id = queue.id, .offset = at, .count_max = kReadCount});
    if (got.status != store::GetStatus::kFound) break;
    for_each_record(got, [&](const format::Record& record) {
      if (record.queue_offset >= queue.next) return;
      const auto tag = format::find_property(record.properties, format::kTags).value_or("");
      if (tag != format::kAckTag && tag != format::kBatchAckTag) return;
      if (const auto ack = format::parse_pop_ack(as_text(record.body))) {
        auto& known = queue.early[ack->id];
        known.insert(known.end(), ack->offsets.begin(), ack->offsets.end());
      }
    });
    at = got.next;
  }
}

std::int64_t PopRevive::step(std::int64_t now_ms, std::int64_t budget) {
  if (early_until_ms_ != 0 && now_ms > early_until_ms_ &&
      o_.timer().read_ms > opened_ms_ + kLookBackMs) {
    for (Queue& queue : queues_) queue.early.clear();
    early_until_ms_ = 0;
  }
  if (now_ms < not_before_ms_ && not_before_ms_ - now_ms <= kRetryMs) return not_before_ms_;
  bool more = false;
  const auto count = static_cast<std::int64_t>(queues_.size());
  for (Queue& queue : queues_) {
    std::int64_t share = std::max<std::int64_t>(budget / count, kReadCount);
    more = read(queue, share) || more;
    if (revive_due(queue, now_ms, share) == Copied::kLater) {
      not_before_ms_ = now_ms + kRetryMs;
      return not_before_ms_;
    }
    more = more || share <= 0;
    commit(queue);
  }
  if (more) {
    const bool full = waiting_ >= static_cast<std::int64_t>(o_.checkpoints_max);
    return full ? now_ms + kPollMs : now_ms;
  }
  if (move_fence(now_ms)) return now_ms;  // the line has moved: there is something due
  const std::int64_t due_ms = next_due_ms();
  if (fence_.phase != Fence::Phase::kIdle) return now_ms + kPollMs;
  return due_ms <= now_ms ? now_ms + kTickPollMs : due_ms;
}

// Reads on in the queue; true if the budget or the memory ended it.
bool PopRevive::read(Queue& queue, std::int64_t& budget) {
  while (budget > 0 && waiting_ < static_cast<std::int64_t>(o_.checkpoints_max)) {
    const auto got = o_.store.get({.topic = o_.log.topic(),
                                   .queue_id = queue.id,
                                   .offset = queue.next,
                                   .count_max = kReadCount});
    if (got.status != store::GetStatus::kFound) {
      // Deleted by retention, or damaged: on to where there is something.
      if (got.next <= queue.next || got.next > got.max) return false;
      queue.next = got.next;
      continue;
    }
    for_each_record(got, [&](const format::Record& record) { take(queue, record); });
    budget -= got.count;
    queue.next = got.next;
  }
  return queue.next < o_.store.max_offset(o_.log.topic(), queue.id);
}

void PopRevive::take(Queue& queue, const format::Record& record) {
  const auto tag = format::find_property(record.properties, format::kTags).value_or("");
  const std::string_view body = as_text(record.body);
  if (tag == format::kCheckpointTag) {
    auto checkpoint = format::parse_pop_checkpoint(body);
    if (checkpoint) {
      checkpoint->revive_offset = record.queue_offset.value();
      return take_checkpoint(queue, std::move(*checkpoint));
    }
    log::warn("{}/{}: offset {}: {}; passed over", o_.log.topic(), queue.id,
              record.queue_offset.value(), checkpoint.error().to_string());
  } else if (tag == format::kAckTag || tag == format::kBatchAckTag) {
    if (const auto ack = format::parse_pop_ack(body)) take_ack(queue, *ack);
  }
}

void PopRevive::take_checkpoint(Queue& queue, format::PopCheckpoint checkpoint) {
  queue.seen_due_ms = std::max(queue.seen_due_ms, checkpoint.due_ms());
  // A second one of the same pop is the first one delivered again.
  if (queue.by_id.contains(checkpoint.id)) return;
  const auto early = queue.early.find(checkpoint.id);
  queue.waiting.push_back({std::move(checkpoint), 0, false});
  Waiting& waiting = queue.waiting.back();
  waiting.acked = static_cast<std::uint32_t>(waiting.checkpoint.bits);
  ++waiting_;
  queue.by_id.emplace(waiting.checkpoint.id, &waiting);
  queue.by_due.emplace(waiting.checkpoint.due_ms(), &waiting);
  if (early == queue.early.end()) return;
  for (const std::int64_t offset : early->second) {
    if (!waiting.done) acknowledge(queue, waiting, offset);
  }
}

void PopRevive::take_ack(Queue& queue, const format::PopAck& ack) {
  const auto known = queue.by_id.find(ack.id);
  if (known != queue.by_id.end()) {
    Waiting& waiting = *known->second;
    for (const std::int64_t offset : ack.offsets)
      if (!waiting.done) acknowledge(queue, waiting, offset);
    if (early_until_ms_ == 0) return;
  }
  if (early_until_ms_ == 0) return;
  auto& early = queue.early[ack.id];
  early.insert(early.end(), ack.offsets.begin(), ack.offsets.end());
}

void PopRevive::acknowledge(Queue& queue, Waiting& waiting, std::int64_t offset) {
  const auto index = waiting.checkpoint.index_of(offset);
  if (!index) return;
  waiting.acked |= std::uint32_t{1} << static_cast<std::uint32_t>(*index);
  const auto count = static_cast<std::uint32_t>(waiting.checkpoint.count);
  const std::uint32_t all = count >= 32 ? ~std::uint32_t{0} : (std::uint32_t{1} << count) - 1;
  if ((waiting.acked & all) == all) finish(queue, waiting);
}

void PopRevive::finish(Queue& queue, Waiting& waiting) {
  waiting.done = true;
  --waiting_;
  queue.by_id.erase(waiting.checkpoint.id);
  queue.by_due.erase({waiting.checkpoint.due_ms(), &waiting});
}

void PopRevive::commit(Queue& queue) {
  while (!queue.waiting.empty() && queue.waiting.front().done) queue.waiting.pop_front();
  const std::int64_t done =
      (queue.waiting.empty() ? queue.next.value()
                             : queue.waiting.front().checkpoint.revive_offset) -
      1;
  if (done <= queue.committed) return;
  queue.committed = done;
  (void)o_.offsets.commit(format::kReviveGroup, o_.log.topic(), queue.id, done);
}

bool PopRevive::all_read() const {
  return std::all_of(queues_.begin(), queues_.end(), [&](const Queue& queue) {
    return queue.next >= o_.store.max_offset(o_.log.topic(), queue.id);
  });
}

// True when the line has moved.
bool PopRevive::move_fence(std::int64_t now_ms) {
  switch (fence_.phase) {
    case Fence::Phase::kIdle: {
      const std::int64_t due_ms = next_due_ms();
      // Before the tick that ends its slot nothing can be certain.
      if (due_ms > now_ms || due_ms > o_.timer().read_ms) return false;
      fence_ = {Fence::Phase::kDispatch, now_ms, o_.store.written()};
      return false;
    }
    case Fence::Phase::kDispatch:
      // The next step of the timer sees all of it.
      if (o_.store.dispatched() >= fence_.log_end) fence_.phase = Fence::Phase::kTimer;
      return false;
    case Fence::Phase::kTimer: {
      const auto timer = o_.timer();
      if (timer.queue_behind > 0) return false;
      // With SYNC_FLUSH nobody can read yet what the timer has just put: not only what is readable.
      fence_ = {Fence::Phase::kDelivered, std::min(fence_.time_ms, timer.read_ms),
                o_.store.written()};
      return false;
    }
    case Fence::Phase::kDelivered:
      if (o_.store.dispatched() < fence_.log_end || !all_read()) return false;
      fence_.phase = Fence::Phase::kIdle;
      if (fence_.time_ms <= horizon_ms_) return false;
      horizon_ms_ = fence_.time_ms;
      return next_due_ms() <= horizon_ms_;
  }
  return false;
}

std::int64_t PopRevive::next_due_ms() const {
  std::int64_t due_ms = kNever;
  for (const Queue& queue : queues_)
    if (!queue.by_due.empty()) due_ms = std::min(due_ms, queue.by_due.begin()->first);
  return due_ms;
}

std::int64_t PopRevive::due_line(const Queue& queue) const {
  if (waiting_ < static_cast<std::int64_t>(o_.checkpoints_max)) return horizon_ms_;
  return std::max(horizon_ms_, queue.seen_due_ms - kSettledMs);
}

PopRevive::Copied PopRevive::revive_due(Queue& queue, std::int64_t now_ms, std::int64_t& budget) {
  while (budget > 0 && !queue.by_due.empty()) {
    const auto [due_ms, waiting] = *queue.by_due.begin();
    if (due_ms > due_line(queue) || due_ms > now_ms) break;
    budget -= waiting->checkpoint.count;
    if (revive(queue, *waiting, now_ms) == Copied::kLater) return Copied::kLater;
    finish(queue, *waiting);
  }
  return Copied::kDone;
}

PopRevive::Copied PopRevive::revive(Queue& queue, Waiting& waiting, std::int64_t now_ms) {
  const format::PopCheckpoint& checkpoint = waiting.checkpoint;
  const format::PopId& id = checkpoint.id;
  if (!o_.topics.find(id.topic) || o_.groups.find(id.group) == nullptr) return Copied::kDone;
  const bool again = id.topic.starts_with(format::kRetryPrefix);
  const std::string retry_topic = again               ? id.topic
                                  : o_.retry_topic_v2 ? pop_retry_topic_v2(id.group, id.topic)
                                                      : pop_retry_topic_v1(id.group, id.topic);
  format::PopAck copied{id, {}};
  Copied outcome = Copied::kDone;
  for (std::int32_t i = 0; i < checkpoint.count && outcome == Copied::kDone; ++i) {
    if (((waiting.acked >> static_cast<std::uint32_t>(i)) & 1U) != 0) continue;
    const std::int64_t offset = checkpoint.offset_at(i);
    bool unreadable = false;
    outcome = revive_one(checkpoint, offset, retry_topic, unreadable);
    if (unreadable) outcome = put_off(queue, checkpoint, offset, now_ms);
    if (outcome == Copied::kLater) break;
    waiting.acked |= std::uint32_t{1} << static_cast<std::uint32_t>(i);
    copied.offsets.push_back(offset);
  }
  // Without it only a crash just now would have these come twice.
  if (!copied.offsets.empty()) (void)o_.log.put_done(copied, queue.id, now_ms);
  return outcome;
}

PopRevive::Copied PopRevive::revive_one(const format::PopCheckpoint& checkpoint,
                                        std::int64_t offset, const std::string& retry_topic,
                                        bool& unreadable) {
  const format::PopId& id = checkpoint.id;
  if (QueueOffset(offset) < o_.store.min_offset(id.topic, id.queue)) return Copied::kDone;
  const auto got = o_.store.get(
      {.topic = id.topic, .queue_id = id.queue, .offset = QueueOffset(offset), .count_max = 1});
  const auto record = got.status == store::GetStatus::kFound && !got.spans.empty()
                          ? format::decode_record(got.spans.front().bytes, format::CheckBody::kNo)
                          : Result<format::Record>(Error{Errc::kNotFound});
  if (!record || !format::stands_at(*record, id.topic, id.queue, QueueOffset(offset))) {
    // Deleted under our hands, or really unreadable.
    unreadable = QueueOffset(offset) >= o_.store.min_offset(id.topic, id.queue);
    return Copied::kDone;
  }
  if (const auto made = o_.topics.find_or_create(retry_topic, 1); !made) {
    log::error("{}/{} offset {} does not come again for group '{}': {}", id.topic, id.queue, offset,
               id.group, made.error().to_string());
    return made.error().code() == Errc::kInvalid ? Copied::kDone : Copied::kLater;
  }
  if (!o_.offsets.find(id.group, retry_topic, 0))
    (void)o_.offsets.commit(id.group, retry_topic, 0, 0);
  std::string properties(record->properties);
  if (record->reconsume_times == 0 || !format::find_property(properties, kFirstPopTime))
    format::set_property(properties, kFirstPopTime, std::to_string(id.pop_ms));
  const auto put = put_copy(o_.store, *record,
                            {.topic = retry_topic,
                             .queue_id = 0,
                             .properties = properties,
                             .reconsume_times = record->reconsume_times + 1,
                             .store_host = o_.store_host});
  switch (outcome_of(put.status)) {
    case CopyOutcome::kLater:
      return Copied::kLater;
    case CopyOutcome::kNever:
      log::error("{}/{} offset {} does not come again for group '{}': {}", id.topic, id.queue,
                 offset, id.group, put.reason);
      return Copied::kDone;
    case CopyOutcome::kStored:
      break;
  }
  ++revived_total_;
  if (o_.stats != nullptr)
    o_.stats->put(retry_topic, 1, static_cast<std::int64_t>(record->body.size()));
  return Copied::kDone;
}

// A message that should be there and cannot be read: later perhaps.
PopRevive::Copied PopRevive::put_off(Queue& queue, const format::PopCheckpoint& checkpoint,
                                     std::int64_t offset, std::int64_t now_ms) {
  const auto times = static_cast<std::size_t>(std::max(checkpoint.put_again_times, 0));
  if (o_.drop_unreadable && times >= kPutAgainSeconds.size()) return Copied::kDone;
  format::PopCheckpoint next = checkpoint;
  next.id.start = offset;
  next.id.pop_ms = now_ms;  // not to be taken for the one that it stands for
  next.invisible_ms = kPutAgainSeconds[std::min(times, kPutAgainSeconds.size() - 1)] * 1000;
  next.put_again_times = static_cast<std::int32_t>(times) + 1;
  next.diffs = {0};
  next.count = 1;
  next.bits = 0;
  next.revive_offset = 0;
  const auto put = o_.log.put_checkpoint(next, queue.id, now_ms);
  return outcome_of(put.status) == CopyOutcome::kLater ? Copied::kLater : Copied::kDone;
}

}  // namespace mq::broker

#include "broker/half_done.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "format/names.h"
#include "format/properties.h"

namespace mq::broker {
namespace {

std::size_t bytes_of(std::int64_t offset) { return fmt::formatted_size("{},", offset); }

}  // namespace

void OffsetWindow::add(std::int64_t offset) {
  if (offset < base_ || offset - base_ >= kSpanMax) return;
  if (words_.empty()) words_base_ = base_ - base_ % kBits;
  const auto word = static_cast<std::size_t>((offset - words_base_) / kBits);
  if (word >= words_.size()) words_.resize(word + 1);
  words_[word] |= std::uint64_t{1} << ((offset - words_base_) % kBits);
}

bool OffsetWindow::contains(std::int64_t offset) const noexcept {
  if (offset < base_) return false;
  const auto word = static_cast<std::size_t>((offset - words_base_) / kBits);
  if (word >= words_.size()) return false;
  return (words_[word] >> ((offset - words_base_) % kBits) & 1) != 0;
}

void OffsetWindow::drop_below(std::int64_t base) {
  if (base <= base_) return;
  base_ = base;
  const auto gone = std::min(static_cast<std::size_t>((base - words_base_) / kBits), words_.size());
  words_.erase(words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(gone));
  words_base_ += static_cast<std::int64_t>(gone) * kBits;
}

void HalfDone::forget_below(QueueId queue, QueueOffset half) {
  const MutexLock lock(mu_);
  queues_[queue].done.drop_below(half.value());
}

void HalfDone::add_known(QueueId queue, QueueOffset half) {
  const MutexLock lock(mu_);
  queues_[queue].done.add(half.value());
}

bool HalfDone::is_done(QueueId queue, QueueOffset half) const {
  const MutexLock lock(mu_);
  const auto at = queues_.find(queue);
  return at != queues_.end() && at->second.done.contains(half.value());
}

void HalfDone::complete(QueueId queue, QueueOffset half, std::int64_t now_ms) {
  bool full = false;
  {
    const MutexLock lock(mu_);
    Queue& q = queues_[queue];
    q.done.add(half.value());
    if (q.waiting.empty()) q.written_ms = now_ms;
    q.waiting.push_back(half.value());
    q.waiting_bytes += bytes_of(half.value());
    full = q.waiting_bytes > options_.batch_bytes_max;
  }
  if (full) (void)write_batch(queue, now_ms);
}

std::int64_t HalfDone::step(std::int64_t now_ms) {
  constexpr std::int64_t kRetryMs = 100;
  std::vector<QueueId> due;
  std::int64_t next_ms = INT64_MAX;
  {
    const MutexLock lock(mu_);
    for (const auto& [id, q] : queues_) {
      if (q.waiting.empty()) continue;
      const std::int64_t due_ms = q.written_ms + options_.batch_interval_ms;
      // The clock may have been set back since.
      if (due_ms <= now_ms || due_ms - now_ms > options_.batch_interval_ms) {
        due.push_back(id);
      } else {
        next_ms = std::min(next_ms, due_ms);
      }
    }
  }
  for (const QueueId id : due)
    if (!write_batch(id, now_ms)) next_ms = std::min(next_ms, now_ms + kRetryMs);
  return next_ms;
}

bool HalfDone::flush(std::int64_t now_ms) {
  std::vector<QueueId> ids;
  {
    const MutexLock lock(mu_);
    for (const auto& [id, q] : queues_)
      if (!q.waiting.empty()) ids.push_back(id);
  }
  return std::ranges::all_of(ids, [&](QueueId id) { return write_batch(id, now_ms); });
}

bool HalfDone::write_batch(QueueId id, std::int64_t now_ms) {
  std::vector<std::int64_t> taken;
  {
    const MutexLock lock(mu_);
    Queue& q = queues_[id];
    taken.swap(q.waiting);
    q.waiting_bytes = 0;
    q.written_ms = now_ms;
  }
  std::size_t at = 0;
  while (at < taken.size()) {
    std::string body;
    std::size_t next = at;
    while (next < taken.size() && body.size() < options_.batch_bytes_max)
      fmt::format_to(std::back_inserter(body), "{},", taken[next++]);
    if (!put(id, body, now_ms)) break;
    at = next;
  }
  if (at == taken.size()) return true;
  const MutexLock lock(mu_);
  Queue& q = queues_[id];
  for (; at < taken.size(); ++at) {
    q.waiting.push_back(taken[at]);
    q.waiting_bytes += bytes_of(taken[at]);
  }
  return false;
}

bool HalfDone::put(QueueId id, const std::string& body, std::int64_t now_ms) const {
  std::string properties;
  format::append_property(properties, format::kTags, "d");
  format::append_property(properties, format::kWait, "true");
  const store::PutCommon common{.topic = format::kHalfDoneTopic,
                                .queue_id = id,
                                .born_timestamp_ms = now_ms,
                                .born_host = options_.host,
                                .store_host = options_.host,
                                .accepted_before = true};
  const auto result =
      options_.store.put(common, {.body = as_bytes(body), .properties = properties});
  return store::is_stored(result.status);
}

}  // namespace mq::broker

#include "broker/long_poll.h"

#include <algorithm>
#include <iterator>

namespace mq::broker {
namespace {

bool matches(const TagExpression& tags, std::int64_t code) {
  return tags.all ||
         std::binary_search(tags.codes.begin(), tags.codes.end(), static_cast<std::int32_t>(code));
}

// Moves out of `pulls` those for which `due` holds.
template <typename Due>
void take_due(std::vector<HeldPull>& pulls, std::vector<HeldPull>& out, Due due) {
  const auto first =
      std::stable_partition(pulls.begin(), pulls.end(), [&](const HeldPull& p) { return !due(p); });
  std::move(first, pulls.end(), std::back_inserter(out));
  pulls.erase(first, pulls.end());
}

}  // namespace

std::string LongPolls::key_of(std::string_view topic, QueueId queue) {
  std::string key(topic);
  key += '@';
  key += std::to_string(queue);
  return key;
}

void LongPolls::hold(std::string_view topic, QueueId queue, HeldPull pull) {
  const MutexLock lock(mu_);
  auto& entry = held_[key_of(topic, queue)];
  if (entry.second.empty()) entry.first = {std::string(topic), queue};
  entry.second.push_back(std::move(pull));
  count_.fetch_add(1);
}

void LongPolls::on_arrival(const store::Arrival& arrival, std::int64_t now_ms) {
  if (held() == 0) return;
  std::vector<HeldPull> due;
  {
    const MutexLock lock(mu_);
    const auto at = held_.find(key_of(arrival.topic, arrival.queue_id));
    if (at == held_.end()) return;
    take_due(at->second.second, due, [&](const HeldPull& p) {
      return p.deadline_ms <= now_ms ||
             (arrival.next.value() > p.offset && matches(p.tags, arrival.tag_code) &&
              (p.records == nullptr || p.records->wants(arrival.properties)));
    });
    if (at->second.second.empty()) held_.erase(at);
    count_.fetch_sub(due.size());
  }
  for (HeldPull& pull : due) pull.wake();
}

void LongPolls::sweep(std::int64_t now_ms,
                      const std::function<std::int64_t(std::string_view, QueueId)>& max_offset) {
  if (held() == 0) return;
  std::vector<QueueKey> queues;
  {
    const MutexLock lock(mu_);
    for (const auto& [key, entry] : held_) queues.push_back(entry.first);
  }
  for (const QueueKey& queue : queues) {
    // Asks the store, so outside the lock.
    wake_if_newer(queue.topic, queue.queue, now_ms, max_offset(queue.topic, queue.queue));
  }
}

void LongPolls::wake_if_newer(std::string_view topic, QueueId queue, std::int64_t now_ms,
                              std::int64_t max_offset) {
  std::vector<HeldPull> due;
  {
    const MutexLock lock(mu_);
    const auto at = held_.find(key_of(topic, queue));
    if (at == held_.end()) return;
    take_due(at->second.second, due,
             [&](const HeldPull& p) { return p.deadline_ms <= now_ms || max_offset > p.offset; });
    if (at->second.second.empty()) held_.erase(at);
    count_.fetch_sub(due.size());
  }
  for (HeldPull& pull : due) pull.wake();
}

void LongPolls::wake_all(std::string_view topic, QueueId queue) {
  std::vector<HeldPull> due;
  {
    const MutexLock lock(mu_);
    const auto at = held_.find(key_of(topic, queue));
    if (at == held_.end()) return;
    due = std::move(at->second.second);
    held_.erase(at);
    count_.fetch_sub(due.size());
  }
  for (HeldPull& pull : due) pull.wake();
}

}  // namespace mq::broker

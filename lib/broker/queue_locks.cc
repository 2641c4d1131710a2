#include "broker/queue_locks.h"

#include <algorithm>
#include <iterator>

namespace mq::broker {

std::vector<wire::MessageQueue> QueueLocks::lock(std::string_view group, std::string_view client_id,
                                                 const std::vector<wire::MessageQueue>& queues,
                                                 std::int64_t now_ms) {
  std::vector<wire::MessageQueue> granted;
  if (queues.empty()) return granted;
  const MutexLock guard(mu_);
  auto& locks = groups_.try_emplace(std::string(group)).first->second;
  for (const wire::MessageQueue& queue : queues) {
    const auto [at, is_new] = locks.try_emplace(queue);
    Lock& held = at->second;
    if (!is_new && held.client_id != client_id && !held.is_over(now_ms)) continue;
    held = {std::string(client_id), now_ms};
    granted.push_back(queue);
  }
  return granted;
}

void QueueLocks::unlock(std::string_view group, std::string_view client_id,
                        const std::vector<wire::MessageQueue>& queues) {
  const MutexLock guard(mu_);
  const auto at = groups_.find(group);
  if (at == groups_.end()) return;
  for (const wire::MessageQueue& queue : queues) {
    const auto held = at->second.find(queue);
    if (held != at->second.end() && held->second.client_id == client_id) at->second.erase(held);
  }
  if (at->second.empty()) groups_.erase(at);
}

bool QueueLocks::holds_any(std::string_view group, std::int64_t now_ms) const {
  const MutexLock guard(mu_);
  const auto at = groups_.find(group);
  return at != groups_.end() &&
         std::any_of(at->second.begin(), at->second.end(),
                     [&](const auto& entry) { return !entry.second.is_over(now_ms); });
}

std::string QueueLocks::holder(std::string_view group, const wire::MessageQueue& queue,
                               std::int64_t now_ms) const {
  const MutexLock guard(mu_);
  const auto at = groups_.find(group);
  if (at == groups_.end()) return {};
  const auto held = at->second.find(queue);
  return held == at->second.end() || held->second.is_over(now_ms) ? std::string()
                                                                  : held->second.client_id;
}

void QueueLocks::expire(std::int64_t now_ms) {
  const MutexLock guard(mu_);
  for (auto at = groups_.begin(); at != groups_.end();) {
    std::erase_if(at->second, [&](const auto& entry) { return entry.second.is_over(now_ms); });
    at = at->second.empty() ? groups_.erase(at) : std::next(at);
  }
}

}  // namespace mq::broker

#include "broker/long_poll.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace mq::broker {
namespace {

bool matches(const TagExpression& tags, std::int64_t code) {
  return tags.all ||
         std::binary_search(tags.codes.begin(), tags.codes.end(), static_cast<std::int32_t>(code));
}

}  // namespace

const std::string& LongPolls::key_of(std::string_view topic, QueueId queue) {
  std::array<char, 12> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), queue).ptr;
  key_.assign(topic);
  key_ += '@';
  key_.append(digits.data(), end);
  return key_;
}

void LongPolls::release(std::uint64_t connection, Queue* queue) {
  const auto of = connections_.find(connection);
  const auto in = of->second.queues.find(queue);
  if (--in->second == 0) of->second.queues.erase(in);
  if (--of->second.held == 0) connections_.erase(of);
}

template <typename Due>
void LongPolls::take_due(Queues::iterator at, std::vector<HeldPull>& out, Due due) {
  auto& pulls = at->second.pulls;
  const auto first =
      std::stable_partition(pulls.begin(), pulls.end(), [&](const HeldPull& p) { return !due(p); });
  for (auto p = first; p != pulls.end(); ++p) release(p->connection, &at->second);
  count_.fetch_sub(static_cast<std::size_t>(pulls.end() - first));
  std::move(first, pulls.end(), std::back_inserter(out));
  pulls.erase(first, pulls.end());
  if (pulls.empty()) queues_.erase(at);
}

bool LongPolls::hold(std::string_view topic, QueueId queue, HeldPull pull) {
  const MutexLock lock(mu_);
  const auto of = connections_.try_emplace(pull.connection).first;
  if (of->second.held >= each_max_) return false;
  const auto [at, is_new] = queues_.try_emplace(key_of(topic, queue));
  if (is_new) {
    at->second.topic = topic;
    at->second.id = queue;
  }
  ++of->second.held;
  ++of->second.queues[&at->second];
  at->second.pulls.push_back(std::move(pull));
  count_.fetch_add(1);
  return true;
}

template <typename Due>
void LongPolls::wake_due(std::string_view topic, QueueId queue, Due due) {
  std::vector<HeldPull> taken;
  {
    const MutexLock lock(mu_);
    const auto at = queues_.find(key_of(topic, queue));
    if (at == queues_.end()) return;
    take_due(at, taken, due);
  }
  for (HeldPull& pull : taken) pull.wake();
}

void LongPolls::on_arrival(const store::Arrival& arrival, std::int64_t now_ms) {
  if (held() == 0) return;
  wake_due(arrival.topic, arrival.queue_id, [&](const HeldPull& p) {
    return p.deadline_ms <= now_ms ||
           (arrival.next.value() > p.offset && matches(p.tags, arrival.tag_code) &&
            (p.records == nullptr || p.records->wants(arrival.properties)));
  });
}

void LongPolls::sweep(std::int64_t now_ms,
                      const std::function<std::int64_t(std::string_view, QueueId)>& max_offset) {
  if (held() == 0) return;
  std::vector<std::pair<std::string, QueueId>> queues;
  {
    const MutexLock lock(mu_);
    for (const auto& [key, queue] : queues_) queues.emplace_back(queue.topic, queue.id);
  }
  for (const auto& [topic, queue] : queues) {
    // Asks the store, so outside the lock.
    wake_if_newer(topic, queue, now_ms, max_offset(topic, queue));
  }
}

void LongPolls::wake_if_newer(std::string_view topic, QueueId queue, std::int64_t now_ms,
                              std::int64_t max_offset) {
  wake_due(topic, queue,
           [&](const HeldPull& p) { return p.deadline_ms <= now_ms || max_offset > p.offset; });
}

void LongPolls::wake_all(std::string_view topic, QueueId queue) {
  wake_due(topic, queue, [](const HeldPull&) { return true; });
}

void LongPolls::connection_closed(std::uint64_t connection) {
  std::vector<HeldPull> gone;  // destroyed outside the lock
  const MutexLock lock(mu_);
  const auto of = connections_.find(connection);
  if (of == connections_.end()) return;
  const auto queues = of->second.queues;  // as it is taken apart below
  for (const auto& [queue, count] : queues) {
    take_due(queues_.find(key_of(queue->topic, queue->id)), gone,
             [&](const HeldPull& p) { return p.connection == connection; });
  }
}

}  // namespace mq::broker

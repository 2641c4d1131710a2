#include "broker/pop_polls.h"

#include <algorithm>

#include "broker/pop_names.h"
#include "format/names.h"

namespace mq::broker {
namespace {

bool matches(const TagExpression& tags, std::int64_t code) {
  return tags.all ||
         std::binary_search(tags.codes.begin(), tags.codes.end(), static_cast<std::int32_t>(code));
}

}  // namespace

std::uint64_t PopPolls::hold(Waiter waiter) {
  const MutexLock lock(mu_);
  if (count_.load(std::memory_order_relaxed) >= limits_.all_max) return 0;
  Key key{waiter.group, waiter.queue};
  std::string topic = waiter.topic;
  Waiters& waiters = topics_[topic][key];
  if (static_cast<std::int64_t>(waiters.size()) >= limits_.each_max) return 0;
  const std::uint64_t id = ++last_id_;
  waiters.emplace_back(id, std::move(waiter));
  places_.emplace(id, Place{std::move(topic), std::move(key), std::prev(waiters.end())});
  count_.fetch_add(1);
  return id;
}

bool PopPolls::take(std::uint64_t id) {
  const MutexLock lock(mu_);
  const auto place = places_.find(id);
  if (place == places_.end()) return false;
  const auto topic = topics_.find(place->second.topic);
  const auto key = topic->second.find(place->second.key);
  key->second.erase(place->second.at);
  if (key->second.empty()) topic->second.erase(key);
  if (topic->second.empty()) topics_.erase(topic);
  places_.erase(place);
  count_.fetch_sub(1);
  return true;
}

void PopPolls::connection_closed(std::uint64_t connection) {
  if (count_.load(std::memory_order_relaxed) == 0) return;
  std::vector<std::uint64_t> gone;
  {
    const MutexLock lock(mu_);
    for (const auto& [id, place] : places_)
      if (place.at->second.connection == connection) gone.push_back(id);
  }
  for (const std::uint64_t id : gone) (void)take(id);
}

template <typename Wants>
void PopPolls::take_first(ByKey::iterator key, const Wants& wants, Wakes& out) {
  Waiters& waiters = key->second;
  const auto at = std::find_if(waiters.begin(), waiters.end(),
                               [&](const Entry& entry) { return wants(entry.second); });
  if (at == waiters.end()) return;
  out.push_back(std::move(at->second.wake));
  places_.erase(at->first);
  waiters.erase(at);
  count_.fetch_sub(1);
}

void PopPolls::forget_empty(Topics::iterator topic) {
  std::erase_if(topic->second, [](const auto& entry) { return entry.second.empty(); });
  if (topic->second.empty()) topics_.erase(topic);
}

void PopPolls::take_for(std::string_view topic, std::string_view group, QueueId queue, Wakes& out) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  const auto anybody = [](const Waiter&) { return true; };
  for (const QueueId id : {QueueId{-1}, queue}) {
    const auto key = found->second.find(Key{group, id});
    if (key != found->second.end()) take_first(key, anybody, out);
    if (queue == -1) break;
  }
  forget_empty(found);
}

void PopPolls::on_arrival(const store::Arrival& arrival) {
  if (count_.load(std::memory_order_relaxed) == 0) return;
  Wakes wakes;
  {
    const MutexLock lock(mu_);
    if (const auto topic = topics_.find(arrival.topic); topic != topics_.end()) {
      const bool forced = arrival.next.value() % kForceEvery == 0;
      const auto wants = [&](const Waiter& waiter) {
        return forced || (matches(waiter.tags, arrival.tag_code) &&
                          (waiter.records == nullptr || waiter.records->wants(arrival.properties)));
      };
      for (auto key = topic->second.begin(); key != topic->second.end(); ++key) {
        if (key->first.second == -1 || key->first.second == arrival.queue_id)
          take_first(key, wants, wakes);
      }
      forget_empty(topic);
    }
    // The analysis does not see through for_each_origin that the lock is held.
    const auto retried = [&](std::string_view group,
                             std::string_view topic) MQ_NO_THREAD_SAFETY_ANALYSIS {
      // Retries are handed out whatever queue is asked for.
      const auto found = topics_.find(topic);
      if (found == topics_.end()) return;
      for (auto key = found->second.begin(); key != found->second.end(); ++key) {
        if (key->first.first != group) continue;
        take_first(
            key, [](const Waiter&) { return true; }, wakes);
      }
      forget_empty(found);
    };
    for_each_origin(arrival.topic, retried);
  }
  for (const auto& wake : wakes) wake();
}

void PopPolls::wake(std::string_view topic, std::string_view group, QueueId queue) {
  if (count_.load(std::memory_order_relaxed) == 0) return;
  Wakes wakes;
  {
    const MutexLock lock(mu_);
    take_for(topic, group, queue, wakes);
  }
  for (const auto& one : wakes) one();
}

std::size_t PopPolls::waiting(std::string_view topic, std::string_view group, QueueId queue) const {
  const MutexLock lock(mu_);
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return 0;
  const auto key = found->second.find(Key{group, queue});
  return key == found->second.end() ? 0 : key->second.size();
}

}  // namespace mq::broker

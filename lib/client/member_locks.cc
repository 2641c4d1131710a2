// Locks of an orderly member: while it has one, no other member is given the queue. The broker
// forgets a lock after a minute.
#include <algorithm>

#include "base/clock.h"
#include "client/member.h"
#include "wire/codes.h"
#include "wire/queue_lock.h"

namespace mq::client {
namespace {

constexpr std::int64_t kCallMs = 5000;
constexpr std::int64_t kAgainUs = 500'000;  // for a lock that another one has

Link::Encode with_body(const std::string& body) {
  return [&body](std::string& out, const wire::Header& header) {
    wire::append_frame(out, header, {}, as_bytes(body));
  };
}

bool is_granted(const Result<const wire::Command*>& answer, const wire::MessageQueue& name) {
  if (!answer || (*answer)->code != wire::kSuccess) return false;
  const auto granted = wire::decode_queue_lock_response(as_text((*answer)->body));
  return granted && std::find(granted->begin(), granted->end(), name) != granted->end();
}

}  // namespace

void Member::lock(Queue& queue) {
  const std::string body = wire::encode_queue_lock_request(
      {.group = options_.group, .client_id = client_id_, .queues = {queue.name}});
  queue.asking = true;
  ++locks_asked_;
  queue.link->call(wire::kLockBatchMq, with_body(body), kCallMs,
                   [this, link = queue.link, ticket = queue.ticket,
                    name = queue.name](const Result<const wire::Command*>& answer) {
                     --locks_asked_;
                     const bool granted = is_granted(answer, name);
                     Queue* const ours = find(ticket);
                     if (ours == nullptr) {
                       // Whoever has it now would wait for a minute.
                       if (granted && !queues_.contains(name)) unlock(*link, name);
                       return;
                     }
                     ours->asking = false;
                     ours->locked = granted;
                     ours->due_us = granted ? 0 : system_clock().monotonic_us() + kAgainUs;
                   });
}

void Member::renew_locks() {
  std::map<Link*, wire::QueueLockRequest> requests;
  for (const auto& [name, queue] : queues_) {
    if (!queue->locked || !queue->link->is_up()) continue;
    auto& request = requests[queue->link];
    request.group = options_.group;
    request.client_id = client_id_;
    request.queues.push_back(name);
  }
  for (auto& [link, request] : requests) {
    const std::string body = wire::encode_queue_lock_request(request);
    ++locks_asked_;
    link->call(
        wire::kLockBatchMq, with_body(body), kCallMs,
        [this, link = link, asked = request.queues](const Result<const wire::Command*>& answer) {
          --locks_asked_;
          if (!answer || (*answer)->code != wire::kSuccess) return;
          for (const wire::MessageQueue& name : asked)
            renewed(*link, name, is_granted(answer, name));
        });
  }
}

void Member::renewed(Link& link, const wire::MessageQueue& name, bool granted) {
  const auto at = queues_.find(name);
  if (at == queues_.end()) {
    if (granted && !lingers(name)) unlock(link, name);
    return;
  }
  if (granted || !at->second->locked) return;
  // Somebody else has it: what we have of it counts no more.
  at->second->locked = false;
  drop(*at->second);
  rebalance_us_ = 0;
}

void Member::unlock(Link& link, const wire::MessageQueue& name) {
  const std::string body = wire::encode_queue_lock_request(
      {.group = options_.group, .client_id = client_id_, .queues = {name}});
  link.tell(wire::kUnlockBatchMq, with_body(body));
}

void Member::end_lingering(QueueTicket ticket) {
  const auto at = std::find_if(lingering_.begin(), lingering_.end(),
                               [&](const auto& queue) { return queue->ticket == ticket; });
  if (at == lingering_.end()) return;
  commit(**at);
  unlock(*(*at)->link, (*at)->name);
  lingering_.erase(at);
}

bool Member::lingers(const wire::MessageQueue& name) const {
  return std::any_of(lingering_.begin(), lingering_.end(),
                     [&](const auto& queue) { return queue->name == name; });
}

}  // namespace mq::client

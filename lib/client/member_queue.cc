// One queue of a member: where to begin, pulling, what is in flight, what is committed.
#include <algorithm>

#include <fmt/format.h>

#include "base/clock.h"
#include "client/member.h"
#include "client/remote_error.h"
#include "format/light_queues.h"
#include "format/message_id.h"
#include "format/names.h"
#include "format/properties.h"
#include "wire/codes.h"
#include "wire/consumer_offset.h"
#include "wire/offsets.h"
#include "wire/pull.h"
#include "wire/send_back.h"

namespace mq::client {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kCallMs = 5000;
constexpr std::int64_t kSuspendMs = 15'000;
constexpr std::int64_t kPullMs = 30'000;
constexpr std::int32_t kBytesMax = 1 << 20;
constexpr std::int64_t kAgainUs = 3 * kSecond;  // after a refusal
constexpr std::int64_t kIdleUs = kSecond / 10;  // a pull that moved nothing
constexpr std::size_t kWaitingMax = 2;          // pulled and not taken
constexpr std::size_t kInFlightMax = 1000;

std::int64_t now_us() { return system_clock().monotonic_us(); }

bool is_retry(const wire::MessageQueue& queue) {
  return queue.topic.starts_with(format::kRetryPrefix);
}

}  // namespace

void Member::call(Queue& queue, wire::RequestCode code, const Link::Encode& encode,
                  std::int64_t timeout_ms,
                  std::function<void(Queue&, const Result<const wire::Command*>&)> answered) {
  queue.asking = true;
  queue.link->call(code, encode, timeout_ms,
                   [this, ticket = queue.ticket,
                    answered = std::move(answered)](const Result<const wire::Command*>& answer) {
                     Queue* const ours = find(ticket);
                     if (ours == nullptr) return;
                     ours->asking = false;
                     answered(*ours, answer);
                   });
}

bool Member::is_full(const Queue& queue) const {
  return queue.waiting.size() >= kWaitingMax || queue.window.in_flight() >= kInFlightMax;
}

// The next thing to ask of the broker, if any.
void Member::drive(Queue& queue, std::int64_t now) {
  if (leaving_ || queue.asking || queue.due_us > now || !queue.link->is_up()) return;
  if (lingers(queue.name)) return;
  if (options_.orderly && !queue.locked) return lock(queue);
  if (queue.next < 0) return ask_position(queue);
  if (!is_full(queue)) pull(queue);
}

// --- where to begin ---

void Member::ask_position(Queue& queue) {
  if (options_.broadcast) {
    const auto stored = options_.stored ? options_.stored(queue.name) : std::nullopt;
    return stored ? begin_at(queue, *stored) : ask_beginning(queue);
  }
  call(
      queue, wire::kQueryConsumerOffset,
      [&](std::string& out, const wire::Header& header) {
        wire::append_query_offset_request(out, header,
                                          {.group = options_.group,
                                           .topic = queue.name.topic,
                                           .queue_id = queue.name.queue_id,
                                           .zero_if_not_found = false});
      },
      kCallMs,
      [this](Queue& q, const Result<const wire::Command*>& answer) {
        if (!answer) return;
        // While we were cut off nobody may have gone on; then we do where we were.
        const bool none = (*answer)->code == wire::kQueryNotFound;
        if (none && !left_at_.contains(q.name)) return ask_beginning(q);
        if (!none && (*answer)->code != wire::kSuccess) return refused(q, **answer);
        auto offset = none ? -1 : wire::decode_offset_response(**answer);
        if (!offset) return;
        const auto left = left_at_.extract(q.name);
        begin_at(q, left.empty() ? *offset : std::max(*offset, left.mapped()));
        q.committed = *offset;
      });
}

void Member::ask_beginning(Queue& queue) {
  using From = MemberOptions::From;
  const From from = is_retry(queue.name) ? From::kFirst : options_.from;
  const wire::RequestCode code = from == From::kFirst  ? wire::kGetMinOffset
                                 : from == From::kLast ? wire::kGetMaxOffset
                                                       : wire::kSearchOffsetByTimestamp;
  call(
      queue, code,
      [&](std::string& out, const wire::Header& header) {
        wire::append_queue_bound_request(out, header,
                                         {.topic = queue.name.topic,
                                          .queue_id = queue.name.queue_id,
                                          .timestamp_ms = options_.from_time_ms});
      },
      kCallMs,
      [this](Queue& q, const Result<const wire::Command*>& answer) {
        if (!answer) return;
        if ((*answer)->code != wire::kSuccess) return refused(q, **answer);
        if (auto offset = wire::decode_offset_response(**answer)) begin_at(q, *offset);
      });
}

void Member::begin_at(Queue& queue, std::int64_t offset) {
  queue.window = Window(offset);
  queue.next = offset;
  queue.due_us = 0;
}

// --- pulling ---

void Member::pull(Queue& queue) {
  const std::int64_t position = queue.window.position();
  const bool commits = !options_.broadcast && position > 0;
  if (commits) queue.committed = position;
  call(
      queue, wire::kPullMessage,
      [&](std::string& out, const wire::Header& header) {
        wire::append_pull_request(
            out, header,
            {.group = options_.group,
             .topic = queue.name.topic,
             .queue_id = queue.name.queue_id,
             .queue_offset = queue.next,
             .count_max = options_.count_max,
             .sys_flag = wire::kPullSuspend | wire::kPullSubscription |
                         (commits ? wire::kPullCommitOffset : 0),
             .commit_offset = commits ? position : 0,
             .suspend_timeout_ms = kSuspendMs,
             .subscription = is_retry(queue.name) ? std::string_view("*")
                                                  : std::string_view(options_.expression),
             .sub_version = topics_.front().version,
             .expression_type = is_retry(queue.name) ? std::string_view("TAG")
                                                     : std::string_view(options_.expression_type),
             .bytes_max = kBytesMax,
             .bulk = true});
      },
      kPullMs,
      [this](Queue& q, const Result<const wire::Command*>& answer) {
        if (answer) take_pulled(q, **answer);
      });
}

void Member::take_pulled(Queue& queue, const wire::Command& answer) {
  const bool empty =
      answer.code == wire::kPullNotFound || answer.code == wire::kPullRetryImmediately;
  if (answer.code != wire::kSuccess && !empty && answer.code != wire::kPullOffsetMoved)
    return refused(queue, answer);
  const auto response = wire::decode_pull_response(answer);
  if (!response)
    return say_once(fmt::format("{}: {}", queue.name.broker_name, response.error().text()));
  pulled_ = true;
  if (answer.code == wire::kPullOffsetMoved) return reset(queue, response->next_offset);
  if (empty) {
    if (response->next_offset <= queue.next) {
      if (answer.code == wire::kPullRetryImmediately) queue.due_us = now_us() + kIdleUs;
      return;
    }
    queue.next = response->next_offset;
    if (queue.waiting.empty()) queue.window.pass(queue.next);
    return;
  }
  std::string unwrapped;
  const Bytes body = format::as_read_from(queue.name.topic, queue.name.queue_id, answer.body,
                                          QueueOffset(queue.next), unwrapped);
  auto storage = std::make_shared<std::vector<std::byte>>(body.begin(), body.end());
  queue.next = std::max(response->next_offset, queue.next);
  const Bytes records = *storage;
  queue.waiting.push_back({queue.ticket, queue.name, std::move(storage), records});
}

// Another position was set for the group, or the queue does not reach as far: what we have of it is
// out of date.
void Member::reset(Queue& queue, std::int64_t offset) {
  queue.ticket = ++last_ticket_;
  queue.waiting.clear();
  left_at_.erase(queue.name);
  begin_at(queue, offset);
  commit(queue);
}

void Member::refused(Queue& queue, const wire::Command& answer) {
  const Error error = remote_error(queue.name.broker_name, answer);
  queue.due_us = now_us() + kAgainUs;
  switch (answer.code) {
    case wire::kSubscriptionNotExist:
    case wire::kSubscriptionNotLatest:  // our heartbeat is on its way
      queue.due_us = now_us() + kIdleUs;
      return beat(*queue.link);
    case wire::kSystemBusy:
      queue.due_us = now_us() + kSecond;
      break;
    case wire::kSubscriptionGroupNotExist:
    case wire::kSubscriptionParseFailed:
    case wire::kNoPermission:
    case wire::kTopicNotExist:
      if (!pulled_ && !is_retry(queue.name)) fatal_ = error;
      break;
    default:
      break;
  }
  say_once(error.text());
}

// --- handing out ---

std::optional<Delivery> Member::take() {
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    auto at = std::next(queues_.begin(), static_cast<std::ptrdiff_t>((turn_ + i) % queues_.size()));
    Queue& queue = *at->second;
    if (queue.waiting.empty()) continue;
    turn_ = (turn_ + i + 1) % queues_.size();
    Delivery out = std::move(queue.waiting.front());
    queue.waiting.pop_front();
    for (Bytes rest = out.records; !rest.empty();) {
      const auto record = format::decode_record(rest, format::CheckBody::kNo);
      if (!record) {
        say_once(fmt::format("{}/{} of {}: a record that does not decode: {}", queue.name.topic,
                             queue.name.queue_id, queue.name.broker_name, record.error().text()));
        out.records = out.records.first(out.records.size() - rest.size());
        break;
      }
      rest = rest.subspan(static_cast<std::size_t>(record->total_bytes));
      queue.window.take(record->queue_offset.value());
    }
    // Behind the last record there may be a stretch that does not concern us.
    if (queue.waiting.empty()) queue.window.pass(queue.next);
    return out;
  }
  return std::nullopt;
}

void Member::finish(QueueTicket ticket, std::int64_t offset) {
  if (Queue* const queue = find(ticket)) {
    queue->window.finish(offset);
    return;
  }
  for (const auto& queue : lingering_) {
    if (queue->ticket != ticket) continue;
    queue->window.finish(offset);
    if (queue->window.in_flight() == 0) end_lingering(ticket);
    return;
  }
}

void Member::let_go(QueueTicket ticket) { end_lingering(ticket); }

void Member::finish_all(const Delivery& delivery) {
  for (Bytes rest = delivery.records; !rest.empty();) {
    const auto record = format::decode_record(rest, format::CheckBody::kNo);
    if (!record) return;
    finish(delivery.ticket, record->queue_offset.value());
    rest = rest.subspan(static_cast<std::size_t>(record->total_bytes));
  }
}

void Member::send_back(const Delivery& delivery, const format::Record& record,
                       std::int32_t delay_level, std::function<void(const Result<void>&)> done) {
  const auto link = links_.by_name.find(delivery.queue.broker_name);
  if (link == links_.by_name.end() || !link->second->is_up())
    return done(Error{Errc::kClosed, delivery.queue.broker_name + ": not connected"});
  const std::string id = format::offset_message_id(record.store_host, record.physical_offset);
  const auto origin = format::find_property(record.properties, "RETRY_TOPIC");
  link->second->call(
      wire::kConsumerSendMsgBack,
      [&](std::string& out, const wire::Header& header) {
        wire::append_send_back_request(out, header,
                                       {.offset = record.physical_offset.value(),
                                        .group = options_.group,
                                        .delay_level = delay_level,
                                        .origin_msg_id = id,
                                        .origin_topic = origin.value_or(record.topic),
                                        .broker_name = delivery.queue.broker_name});
      },
      kCallMs,
      [broker = delivery.queue.broker_name,
       done = std::move(done)](const Result<const wire::Command*>& answer) {
        if (!answer) return done(answer.error());
        if ((*answer)->code != wire::kSuccess) return done(remote_error(broker, **answer));
        done({});
      });
}

// --- positions ---

std::map<wire::MessageQueue, std::int64_t> Member::positions() const {
  std::map<wire::MessageQueue, std::int64_t> out;
  for (const auto& [name, queue] : queues_)
    if (queue->next >= 0) out[name] = queue->window.position();
  return out;
}

Link::Encode Member::position_of(Queue& queue) {
  queue.committed = queue.window.position();
  return [this, &queue](std::string& out, const wire::Header& header) {
    wire::append_update_offset_request(out, header,
                                       {.group = options_.group,
                                        .topic = queue.name.topic,
                                        .queue_id = queue.name.queue_id,
                                        .offset = queue.committed});
  };
}

void Member::commit(Queue& queue) {
  if (options_.broadcast || queue.next < 0 || queue.window.position() == queue.committed) return;
  queue.link->tell(wire::kUpdateConsumerOffset, position_of(queue));
}

void Member::commit_all() {
  for (const auto& [name, queue] : queues_)
    if (queue->link->is_up()) commit(*queue);
}

// Of the positions that are to be taken: the queues whose are not yet, and questions without an
// answer. Answers may come when nobody waits any more.
struct Member::Untaken {
  std::set<QueueTicket> queues;
  std::size_t asked = 0;
};

void Member::ask_to_take(Queue& queue, const std::shared_ptr<Untaken>& untaken) {
  ++untaken->asked;
  queue.link->call(wire::kUpdateConsumerOffset, position_of(queue), kCallMs,
                   [untaken, ticket = queue.ticket](const Result<const wire::Command*>& answer) {
                     --untaken->asked;
                     // Of a group or topic that is gone there is nothing to keep.
                     const bool is_busy = answer && ((*answer)->code == wire::kSystemBusy ||
                                                     (*answer)->code == wire::kSystemError);
                     if (answer && !is_busy) untaken->queues.erase(ticket);
                   });
}

// With an answer each, so that nobody is told of our leaving before the positions are there. Asked
// again while a broker is too busy to take them. Returns how many queues' were not taken.
std::size_t Member::commit_surely(std::int64_t deadline_us) {
  const auto untaken = std::make_shared<Untaken>();
  for (const auto& [name, queue] : queues_) {
    if (options_.broadcast || queue->next < 0) continue;
    if (queue->link->is_up() || queue->window.position() != queue->committed)
      untaken->queues.insert(queue->ticket);
  }
  while (!untaken->queues.empty() && now_us() < deadline_us) {
    if (untaken->asked == 0) {
      for (const QueueTicket ticket : untaken->queues)
        if (Queue* const queue = find(ticket); queue->link->is_up()) ask_to_take(*queue, untaken);
      if (untaken->asked == 0) break;  // no broker is there
    }
    links_.poll_once(20);
    links_.for_each_up([](Link& link) { link.tick(now_us()); });
  }
  return untaken->queues.size();
}

}  // namespace mq::client

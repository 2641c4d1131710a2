// Members: coming and going, connections, timers, and who has which queue. What is done with a
// queue is in member_queue.cc, what brokers ask in member_requests.cc.
#include "client/member.h"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/remote_error.h"
#include "format/names.h"
#include "wire/allocation.h"
#include "wire/client_view.h"
#include "wire/codes.h"

namespace mq::client {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kCallMs = 5000;
constexpr std::int64_t kHeartbeatUs = 30 * kSecond;
constexpr std::int64_t kRouteUs = 30 * kSecond;
constexpr std::int64_t kEagerRouteUs = 3 * kSecond;
constexpr std::int64_t kEagerUs = 120 * kSecond;
constexpr std::int64_t kRebalanceUs = 20 * kSecond;
constexpr std::int64_t kRebalanceSoonUs = kSecond;
constexpr std::int64_t kLockUs = 20 * kSecond;
// A queue that others may have had: they hear of the change when we do, and commit.
constexpr std::int64_t kHandOverUs = kSecond / 5;
constexpr std::int32_t kPermRead = 4;

std::int64_t now_us() { return system_clock().monotonic_us(); }

// As official clients name themselves: where@process#when.
std::string make_client_id() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0 || host[0] == 0) host = {'m', 'q'};
  return fmt::format("{}@{}#{}", host.data(), getpid(), now_us());
}

}  // namespace

Member::Member(Cluster& cluster, MemberOptions options)
    : cluster_(cluster), options_(std::move(options)), client_id_(make_client_id()) {
  handlers_.connected = [this](Link& link) { beat(link); };
  handlers_.lost = [this](Link& link, const Error& error) {
    if (!leaving_)
      options_.say(fmt::format("{}: {}; connecting again", link.at().name, error.text()));
    // Others may take over; what is pulled and not taken yet will come again.
    std::vector<Queue*> gone;
    for (const auto& [name, queue] : queues_)
      if (queue->link == &link) gone.push_back(queue.get());
    for (Queue* queue : gone) {
      if (queue->next >= 0) left_at_[queue->name] = queue->window.position();
      drop(*queue);
    }
    std::erase_if(lingering_, [&](const auto& queue) { return queue->link == &link; });
    eager_until_us_ = now_us() + kEagerUs;
    route_us_ = std::min(route_us_, now_us() + kEagerRouteUs);
  };
  handlers_.request = [this](Link& link, const wire::Command& request) {
    serve_request(link, request);
  };
}

Member::~Member() = default;

Result<std::unique_ptr<Member>> Member::join(Cluster& cluster, MemberOptions options) {
  std::unique_ptr<Member> out(new Member(cluster, std::move(options)));
  MQ_CHECK(out->start());
  return out;
}

Result<void> Member::start() {
  const std::int64_t version = system_clock().now_ms();
  for (const std::string& topic : options_.topics)
    topics_.push_back({.name = topic, .version = version});
  if (!options_.broadcast) {
    topics_.push_back({.name = std::string(format::kRetryPrefix) + options_.group,
                       .is_retry = true,
                       .version = version});
  }
  MQ_CHECK(refresh_routes());
  MQ_CHECK(links_.connect());
  const std::int64_t now = now_us();
  heartbeat_us_ = now + kHeartbeatUs;
  route_us_ = now + kRouteUs;
  lock_us_ = now + kLockUs;
  commit_us_ = now + options_.commit_period_ms * 1000;
  return {};
}

// --- routes and connections ---

Link* Member::link_to(const BrokerAt& broker) {
  auto& link = links_.by_name[broker.name];
  if (!link || link->at().address != broker.address) {
    if (link) link->close(Error{Errc::kClosed, "the broker has moved"});
    link = std::make_unique<Link>(broker, handlers_);
  }
  return link.get();
}

Result<void> Member::refresh_topic(Topic& topic) {
  auto route = cluster_.route(topic.name);
  if (!route) {
    // The broker makes a group's retry topic with its first heartbeat.
    if (topic.is_retry && route.error().code() == Errc::kNotFound) return {};
    return std::move(route).error();
  }
  topic.queues.clear();
  for (const TopicAt& at : *route) {
    if ((at.perm & kPermRead) == 0) continue;
    link_to(at.broker);
    for (std::int32_t i = 0; i < at.read_queues; ++i)
      topic.queues.push_back({topic.name, at.broker.name, i});
  }
  std::sort(topic.queues.begin(), topic.queues.end());
  return {};
}

Result<void> Member::refresh_routes() {
  for (Topic& topic : topics_) MQ_CHECK(refresh_topic(topic));
  // Brokers that have gone for good.
  std::erase_if(links_.by_name, [this](const auto& at) {
    const auto has_queue = [&](const Topic& topic) {
      return std::any_of(topic.queues.begin(), topic.queues.end(),
                         [&](const auto& queue) { return queue.broker_name == at.first; });
    };
    return !at.second->is_up() && std::none_of(topics_.begin(), topics_.end(), has_queue);
  });
  return {};
}

std::string Member::heartbeat_body() const {
  wire::ConsumerData consumer{
      .group = options_.group,
      .type = wire::ConsumeType::kPassively,
      .model =
          options_.broadcast ? wire::MessageModel::kBroadcasting : wire::MessageModel::kClustering,
      .from = options_.from == MemberOptions::From::kFirst  ? wire::ConsumeFrom::kFirstOffset
              : options_.from == MemberOptions::From::kLast ? wire::ConsumeFrom::kLastOffset
                                                            : wire::ConsumeFrom::kTimestamp,
      .unit_mode = false,
      .subscriptions = {}};
  for (const Topic& topic : topics_) {
    consumer.subscriptions.push_back(
        {.topic = topic.name,
         .expression = topic.is_retry ? "*" : options_.expression,
         .expression_type = topic.is_retry ? "TAG" : options_.expression_type,
         .version = topic.version});
  }
  return wire::encode_heartbeat(
      {.client_id = client_id_, .producer_groups = {}, .consumers = {std::move(consumer)}});
}

void Member::beat(Link& link) {
  const std::string body = heartbeat_body();
  link.call(
      wire::kHeartBeat,
      [&body](std::string& out, const wire::Header& header) {
        wire::append_frame(out, header, {}, as_bytes(body));
      },
      kCallMs,
      [this, &link](const Result<const wire::Command*>& answer) {
        if (!answer) return;  // the loss of the connection is told elsewhere
        if ((*answer)->code != wire::kSuccess) {
          const Error error = remote_error(link.at().name, **answer);
          if (!pulled_) fatal_ = error;
          return say_once(error.text());
        }
        rebalance_us_ = 0;
      });
}

// --- who has which queue ---

void Member::rebalance() {
  rebalance_us_ = now_us() + kRebalanceUs;
  for (Topic& topic : topics_) {
    if (topic.is_retry && topic.queues.empty()) {
      if (auto done = refresh_topic(topic); !done) say_once(done.error().text());
    }
    if (options_.broadcast) {
      hold_exactly(topic, topic.queues, now_us());
    } else {
      ask_members(topic);
    }
  }
}

void Member::ask_members(Topic& topic) {
  if (topic.queues.empty()) return;
  if (topic.asking) {
    topic.ask_again = true;  // the answer to come may be out of date
    return;
  }
  const auto up = std::find_if(topic.queues.begin(), topic.queues.end(), [&](const auto& queue) {
    return links_.by_name.at(queue.broker_name)->is_up();
  });
  if (up == topic.queues.end()) return;
  Link& link = *links_.by_name.at(up->broker_name);
  topic.asking = true;
  link.call(
      wire::kGetConsumerListByGroup,
      [this](std::string& out, const wire::Header& header) {
        wire::append_frame_head(out, header,
                                std::array{wire::Field{"consumerGroup", options_.group}}, 0);
      },
      kCallMs,
      [this, &topic, &link](const Result<const wire::Command*>& answer) {
        topic.asking = false;
        if (std::exchange(topic.ask_again, false)) rebalance_us_ = 0;
        if (!answer) return;
        auto ids = (*answer)->code == wire::kSuccess
                       ? wire::decode_consumer_ids(as_text((*answer)->body))
                       : Result<std::vector<std::string>>(remote_error(link.at().name, **answer));
        if (ids && std::find(ids->begin(), ids->end(), client_id_) != ids->end())
          return share(topic, *std::move(ids));
        // The broker has forgotten us, having started anew perhaps. What we hold we keep.
        beat(link);
        rebalance_us_ = std::min(rebalance_us_, now_us() + kRebalanceSoonUs);
      });
}

void Member::share(Topic& topic, std::vector<std::string> ids) {
  std::sort(ids.begin(), ids.end());
  const bool alone = ids.size() == 1;
  hold_exactly(topic, wire::allocate_average(topic.queues, ids, client_id_),
               alone ? now_us() : now_us() + kHandOverUs);
}

void Member::hold_exactly(const Topic& topic, const std::vector<wire::MessageQueue>& mine,
                          std::int64_t due_us) {
  std::vector<Queue*> surplus;
  for (const auto& [name, queue] : queues_) {
    if (name.topic == topic.name && std::find(mine.begin(), mine.end(), name) == mine.end())
      surplus.push_back(queue.get());
  }
  for (Queue* queue : surplus) drop(*queue);
  // Whoever has the others now decides how far they are.
  std::erase_if(left_at_, [&](const auto& at) {
    return at.first.topic == topic.name &&
           std::find(mine.begin(), mine.end(), at.first) == mine.end();
  });
  for (const wire::MessageQueue& name : mine) {
    if (!queues_.contains(name) && links_.by_name.at(name.broker_name)->is_up()) add(name, due_us);
  }
}

void Member::add(const wire::MessageQueue& name, std::int64_t due_us) {
  auto queue = std::make_unique<Queue>();
  queue->name = name;
  queue->ticket = ++last_ticket_;
  queue->link = links_.by_name.at(name.broker_name).get();
  queue->due_us = due_us;
  queues_[name] = std::move(queue);
}

// What is dealt with is committed, for whoever goes on.
void Member::drop(Queue& queue) {
  if (queue.link->is_up()) {
    commit(queue);
    if (queue.locked && queue.window.in_flight() > 0 && !leaving_) {
      queue.waiting.clear();
      lingering_.push_back(std::move(queues_.extract(wire::MessageQueue(queue.name)).mapped()));
      return;
    }
    if (queue.locked) unlock(*queue.link, queue.name);
  }
  queues_.erase(wire::MessageQueue(queue.name));
}

// --- time ---

void Member::tick(std::int64_t now) {
  for (auto& [name, link] : links_.by_name) link->tick(now);
  if (now >= heartbeat_us_) {
    heartbeat_us_ = now + kHeartbeatUs;
    links_.for_each_up([this](Link& link) { beat(link); });
  }
  if (now >= route_us_) {
    route_us_ = now + (now < eager_until_us_ ? kEagerRouteUs : kRouteUs);
    if (auto done = refresh_routes(); !done) say_once(done.error().text());
    rebalance_us_ = 0;
  }
  if (now >= rebalance_us_) rebalance();
  if (options_.orderly && now >= lock_us_) {
    lock_us_ = now + kLockUs;
    renew_locks();
  }
  if (now >= commit_us_) {
    commit_us_ = now + options_.commit_period_ms * 1000;
    commit_all();
  }
  for (const auto& [name, queue] : queues_) drive(*queue, now);
}

Result<void> Member::step(std::int64_t timeout_ms, std::span<pollfd> extra, bool has_place) {
  constexpr std::int64_t kTickMs = 50;  // timers are no finer
  const std::int64_t deadline = now_us() + timeout_ms * 1000;
  while (true) {
    tick(now_us());
    const std::int64_t left_ms = (deadline - now_us() + 999) / 1000;
    const bool ready = has_place && has_waiting();
    links_.poll_once(ready ? 0 : std::clamp<std::int64_t>(left_ms, 0, kTickMs), extra);
    if (fatal_) return *std::exchange(fatal_, std::nullopt);
    const bool extra_ready =
        std::any_of(extra.begin(), extra.end(), [](const pollfd& fd) { return fd.revents != 0; });
    if ((has_place && has_waiting()) || extra_ready || now_us() >= deadline) return {};
  }
}

// --- leaving ---

Result<void> Member::leave(std::int64_t timeout_ms) {
  if (std::exchange(leaving_, true)) return {};
  const std::int64_t deadline = now_us() + timeout_ms * 1000;
  for (const auto& [name, queue] : queues_) queue->waiting.clear();
  const std::size_t untaken = commit_surely(deadline);
  // What is being locked is given back, too.
  while (locks_asked_ > 0 && now_us() < deadline) links_.poll_once(20);
  std::vector<Queue*> all;
  for (const auto& [name, queue] : queues_) all.push_back(queue.get());
  for (Queue* queue : all) drop(*queue);
  for (const auto& queue : std::exchange(lingering_, {})) unlock(*queue->link, queue->name);
  const auto open = std::make_shared<std::size_t>(0);
  links_.for_each_up([&](Link& link) {
    ++*open;
    link.call(
        wire::kUnregisterClient,
        [this](std::string& out, const wire::Header& header) {
          wire::append_unregister_request(
              out, header, {.client_id = client_id_, .consumer_group = options_.group});
        },
        timeout_ms, [open](const Result<const wire::Command*>&) { --*open; });
  });
  while (*open > 0 && now_us() < deadline) {
    links_.poll_once(20);
    links_.for_each_up([](Link& link) { link.tick(now_us()); });
  }
  links_.by_name.clear();
  if (untaken == 0) return {};
  return Error{
      Errc::kTimeout,
      fmt::format("the positions of {} queues were not taken within {} ms: what was written "
                  "since the last commit comes again",
                  untaken, timeout_ms)};
}

bool Member::has_waiting() const {
  return std::any_of(queues_.begin(), queues_.end(),
                     [](const auto& at) { return !at.second->waiting.empty(); });
}

Member::Queue* Member::find(QueueTicket ticket) const {
  for (const auto& [name, queue] : queues_)
    if (queue->ticket == ticket) return queue.get();
  return nullptr;
}

void Member::say_once(const std::string& text) {
  if (said_.insert(text).second) options_.say(text);
}

}  // namespace mq::client

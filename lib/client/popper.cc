#include "client/popper.h"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/remote_error.h"
#include "wire/heartbeat.h"

namespace mq::client {
namespace {

constexpr std::int64_t kPollMs = 15'000;  // that a pop waits at the broker
constexpr std::int64_t kCallMs = 15'000;
constexpr std::int64_t kTickMs = 50;
constexpr std::int64_t kPauseUs = 1'000'000;  // after a refusal
constexpr std::int64_t kHeartbeatUs = 30'000'000;
constexpr std::int64_t kRouteUs = 30'000'000;
constexpr std::int32_t kPopMax = 32;
constexpr std::int32_t kPermRead = 4;

std::int64_t now_us() { return system_clock().monotonic_us(); }

// Calls visit(part, offset) for the messages of a pop, in order.
template <typename Visit>
void for_each_message(const wire::PopResponse& answer, Visit&& visit) {
  for (const wire::PopPart& part : answer.parts)
    for (const std::int64_t offset : part.offsets) visit(part, offset);
}

std::string stored_topic(const wire::PopPart& part, const std::string& group,
                         const std::string& topic) {
  if (part.retry == wire::PopRetry::kNone) return topic;
  return fmt::format("%RETRY%{}{}{}", group, part.retry == wire::PopRetry::kV1 ? '_' : '+', topic);
}

}  // namespace

Popper::Popper(Cluster& cluster, PopperOptions options)
    : cluster_(cluster),
      options_(std::move(options)),
      client_id_(fmt::format("mqrecv@{}#{}", getpid(), system_clock().now_ms())) {
  handlers_.connected = [this](Link& link) { beat(link); };
  handlers_.lost = [this](Link& link, const Error& error) {
    if (!leaving_)
      options_.say(fmt::format("{}: {}; connecting again", link.at().name, error.text()));
  };
  handlers_.request = [](Link&, const wire::Command&) {};
}

Popper::~Popper() = default;

Result<std::unique_ptr<Popper>> Popper::start(Cluster& cluster, PopperOptions options) {
  std::unique_ptr<Popper> out(new Popper(cluster, std::move(options)));
  MQ_CHECK(out->find_brokers());
  MQ_CHECK(out->links_.connect());
  out->heartbeat_us_ = now_us() + kHeartbeatUs;
  out->route_us_ = now_us() + kRouteUs;
  return out;
}

Result<void> Popper::find_brokers() {
  for (const std::string& topic : options_.topics) {
    MQ_TRY(const auto route, cluster_.route(topic));
    for (const TopicAt& at : route) {
      if ((at.perm & kPermRead) == 0) continue;
      auto& link = links_.by_name[at.broker.name];
      if (!link) link = std::make_unique<Link>(at.broker, handlers_);
      const bool known = std::any_of(targets_.begin(), targets_.end(), [&](const auto& target) {
        return target->topic == topic && target->link == link.get();
      });
      if (!known) targets_.push_back(std::make_unique<Target>(Target{topic, link.get()}));
    }
  }
  return {};
}

Result<void> Popper::step(std::int64_t timeout_ms, std::int32_t count_max) {
  const std::int64_t deadline = now_us() + timeout_ms * 1000;
  while (true) {
    tick(now_us(), count_max);
    const std::int64_t left_ms = (deadline - now_us() + 999) / 1000;
    links_.poll_once(ready_.empty() ? std::clamp<std::int64_t>(left_ms, 0, kTickMs) : 0);
    if (fatal_) return *std::exchange(fatal_, std::nullopt);
    if (!ready_.empty() || now_us() >= deadline) return {};
  }
}

void Popper::tick(std::int64_t now, std::int32_t count_max) {
  for (auto& [name, link] : links_.by_name) link->tick(now);
  if (now >= heartbeat_us_) {
    heartbeat_us_ = now + kHeartbeatUs;
    links_.for_each_up([this](Link& link) { beat(link); });
  }
  if (now >= route_us_) {
    route_us_ = now + kRouteUs;
    if (auto done = find_brokers(); !done) say_once(done.error().text());
  }
  // What waits here waits for nobody else: more only when that is taken.
  if (!ready_.empty() || count_max <= 0) return;
  for (const auto& target : targets_)
    if (!target->asking && target->due_us <= now && target->link->is_up()) pop(*target, count_max);
}

void Popper::pop(Target& target, std::int32_t count_max) {
  target.asking = true;
  const wire::PopRequest asked{.group = options_.group,
                               .topic = target.topic,
                               .queue_id = -1,
                               .count_max = std::min(count_max, kPopMax),
                               .invisible_ms = options_.invisible_ms,
                               .poll_ms = kPollMs,
                               .born_ms = system_clock().now_ms(),
                               .from_max = options_.from_last,
                               .expression_type = options_.expression_type,
                               .expression = options_.expression};
  target.link->call(
      wire::kPopMessage,
      [&asked](std::string& out, const wire::Header& header) {
        wire::append_pop_request(out, header, asked);
      },
      kPollMs + kCallMs,
      [this, &target](const Result<const wire::Command*>& answer) {
        target.asking = false;
        if (answer) popped(target, **answer);
      });
}

void Popper::popped(Target& target, const wire::Command& answer) {
  if (answer.code == wire::kPollingTimeout || answer.code == wire::kPullNotFound) return;
  if (answer.code != wire::kSuccess) return refused(target, answer);
  auto response = wire::decode_pop_response(answer);
  if (!response) return say_once(target.link->at().name + ": " + response.error().text());
  popped_ = true;
  auto storage = std::make_shared<std::vector<std::byte>>(answer.body.begin(), answer.body.end());
  const Bytes records = *storage;
  ready_.push_back(
      {target.topic, target.link->at().name, *std::move(response), std::move(storage), records});
}

void Popper::refused(Target& target, const wire::Command& answer) {
  target.due_us = now_us() + kPauseUs;
  const Error error = remote_error(target.link->at().name, answer);
  if (answer.code == wire::kPollingFull || popped_ || error.code() == Errc::kBusy)
    return say_once(error.text());
  fatal_ = error;
}

std::optional<Popped> Popper::take() {
  if (ready_.empty()) return std::nullopt;
  Popped out = std::move(ready_.front());
  ready_.pop_front();
  return out;
}

void Popper::finish(const Popped& popped, std::size_t count) {
  Link* const link = link_of(popped.broker);
  if (link == nullptr) {
    lost_ = lost_ || count > 0;
    return;
  }
  if (count > 0) acknowledge(*link, popped, count);
  give_back(*link, popped, count);
}

void Popper::acknowledge(Link& link, const Popped& popped, std::size_t count) {
  wire::BatchAckRequest request{.broker = popped.broker, .acks = {}};
  std::size_t at = 0;
  const wire::PopPart* last = nullptr;
  for_each_message(popped.answer, [&](const wire::PopPart& part, std::int64_t offset) {
    if (at++ >= count) return;
    if (last != &part) {
      request.acks.push_back({.group = options_.group,
                              .topic = popped.topic,
                              .retry = part.retry,
                              .start = part.start,
                              .queue_id = part.queue_id,
                              .revive_queue = popped.answer.revive_queue,
                              .pop_ms = popped.answer.pop_ms,
                              .invisible_ms = popped.answer.invisible_ms,
                              .offsets = {}});
      last = &part;
    }
    request.acks.back().offsets.push_back(offset);
  });
  const std::string body = wire::encode_batch_ack_request(request);
  call(
      link, wire::kBatchAckMessage,
      [&body](std::string& out, const wire::Header& header) {
        wire::append_frame(out, header, {}, as_bytes(body));
      },
      "an acknowledgement");
}

void Popper::give_back(Link& link, const Popped& popped, std::size_t from) {
  std::size_t at = 0;
  for_each_message(popped.answer, [&](const wire::PopPart& part, std::int64_t offset) {
    if (at++ < from) return;
    const std::string topic = stored_topic(part, options_.group, popped.topic);
    const std::string handle = wire::to_string({.start = part.start,
                                                .pop_ms = popped.answer.pop_ms,
                                                .invisible_ms = popped.answer.invisible_ms,
                                                .revive_queue = popped.answer.revive_queue,
                                                .retry = part.retry,
                                                .broker = popped.broker,
                                                .queue_id = part.queue_id,
                                                .offset = offset});
    call(
        link, wire::kChangeMessageInvisibleTime,
        [&](std::string& out, const wire::Header& header) {
          wire::append_change_invisible_request(out, header,
                                                {.group = options_.group,
                                                 .topic = topic,
                                                 .queue_id = part.queue_id,
                                                 .handle = handle,
                                                 .offset = offset,
                                                 .invisible_ms = 0});
        },
        "giving a message back");
  });
}

void Popper::call(Link& link, wire::RequestCode code, const Link::Encode& encode,
                  std::string_view what) {
  ++open_;
  link.call(code, encode, kCallMs,
            [this, &link, what = std::string(what)](const Result<const wire::Command*>& answer) {
              --open_;
              if (answer && (*answer)->code == wire::kSuccess) return;
              lost_ = true;
              say_once(fmt::format(
                  "{}: {}; it comes again", what,
                  answer ? remote_error(link.at().name, **answer).text() : answer.error().text()));
            });
}

void Popper::beat(Link& link) {
  wire::ConsumerData consumer{
      .group = options_.group,
      .type = wire::ConsumeType::kPop,
      .model = wire::MessageModel::kClustering,
      .from = options_.from_last ? wire::ConsumeFrom::kLastOffset : wire::ConsumeFrom::kFirstOffset,
      .unit_mode = false,
      .subscriptions = {}};
  for (const std::string& topic : options_.topics) {
    consumer.subscriptions.push_back({.topic = topic,
                                      .expression = options_.expression,
                                      .expression_type = options_.expression_type,
                                      .version = 1});
  }
  const std::string body = wire::encode_heartbeat(
      {.client_id = client_id_, .producer_groups = {}, .consumers = {std::move(consumer)}});
  link.call(
      wire::kHeartBeat,
      [&body](std::string& out, const wire::Header& header) {
        wire::append_frame(out, header, {}, as_bytes(body));
      },
      kCallMs, [](const Result<const wire::Command*>&) {});  // pops are refused, if it was
}

Result<void> Popper::leave(std::int64_t timeout_ms) {
  leaving_ = true;
  const std::int64_t deadline = now_us() + timeout_ms * 1000;
  while (auto popped = take()) finish(*popped, 0);
  links_.for_each_up([this](Link& link) {
    link.tell(wire::kUnregisterClient, [this](std::string& out, const wire::Header& header) {
      wire::append_unregister_request(out, header,
                                      {.client_id = client_id_, .consumer_group = options_.group});
    });
  });
  while (open_ > 0 && now_us() < deadline) {
    links_.poll_once(kTickMs);
    links_.for_each_up([](Link& link) { link.tick(now_us()); });
  }
  const bool all = open_ == 0 && !lost_;
  links_.by_name.clear();
  if (all) return {};
  return Error{Errc::kTimeout,
               "not every acknowledgement was answered: some messages may come again"};
}

Link* Popper::link_of(const std::string& broker) const {
  const auto found = links_.by_name.find(broker);
  return found == links_.by_name.end() || !found->second->is_up() ? nullptr : found->second.get();
}

void Popper::say_once(const std::string& text) {
  if (said_.insert(text).second) options_.say(text);
}

}  // namespace mq::client

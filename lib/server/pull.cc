// R(11), R(361): records of a queue, at once or when they come (semantics.md sections 5 and 6).
#include "wire/pull.h"

#include <algorithm>

#include <fmt/format.h>

#include "format/state_files.h"
#include "server/call.h"
#include "server/pull_filter.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

using store::GetStatus;

constexpr std::int64_t kBulkBytesMax = 4 << 20;
constexpr std::int64_t kSuspendMaxMs = 600'000;

// A pull that waits: what it takes to run it again, as the frame that asked is gone by then.
struct Held {
  wire::Serialize serialize;
  std::int32_t opaque;
  std::int32_t code;
  std::string group;
  std::string topic;
  wire::PullRequest pull;  // its views are not used
  bool bulk;
  PullFilter filter;
};

std::int32_t code_of(const store::GetResult& got, std::int64_t asked) noexcept {
  switch (got.status) {
    case GetStatus::kFound:
      return wire::kSuccess;
    case GetStatus::kNoMatchedMessage:
    case GetStatus::kMessageWasRemoving:
      return wire::kPullRetryImmediately;
    case GetStatus::kOffsetFoundNull:
    case GetStatus::kOffsetOverflowOne:
      return wire::kPullNotFound;
    case GetStatus::kOffsetOverflowBadly:
    case GetStatus::kOffsetTooSmall:
      return wire::kPullOffsetMoved;
    case GetStatus::kNoMatchedLogicQueue:
    case GetStatus::kNoMessageInQueue:
      break;
  }
  return asked != 0 ? wire::kPullOffsetMoved : wire::kPullNotFound;
}

store::GetResult read(const Parts& p, std::string_view topic, const wire::PullRequest& pull,
                      bool bulk, const PullFilter& filter) {
  store::GetRequest get{.topic = topic,
                        .queue_id = pull.queue_id,
                        .offset = QueueOffset(pull.queue_offset),
                        .count_max = pull.count_max,
                        .bytes_max = pull.bytes_max,
                        .ignore_transfer_limits = bulk,
                        .filter = {.all = filter.tags.all, .codes = filter.tags.codes},
                        .record_filter = filter.records.get()};
  if (bulk) get.bytes_max = std::min(get.bytes_max, kBulkBytesMax);
  const std::int64_t begin_us = p.clock.monotonic_us();
  store::GetResult got = p.store.get(get);
  p.stats.gets().add(p.clock.monotonic_us() - begin_us);
  return got;
}

void answer(const Parts& p, net::Connection& connection, const wire::Header& base,
            const wire::PullRequest& pull, std::string_view topic, std::string_view group,
            store::GetResult& got) {
  wire::Header header = base;
  header.code = code_of(got, pull.queue_offset);
  header.remark = store::name_of(got.status);
  p.offsets.note_pull(group, topic, pull.queue_id, got.next.value());
  const std::int64_t bytes = got.status == GetStatus::kFound ? got.bytes : 0;
  wire::append_pull_response(connection.out(), header,
                             {.suggested_broker_id = 0,
                              .next_offset = got.next.value(),
                              .min_offset = got.min.value(),
                              .max_offset = got.max.value()},
                             static_cast<std::size_t>(bytes));
  if (bytes == 0) return p.stats.get_missed();
  std::vector<net::PinnedBytes> spans;
  spans.reserve(got.spans.size());
  for (auto& span : got.spans) spans.push_back({span.bytes, std::move(span.hold)});
  connection.send_pinned(std::move(spans));
  p.stats.get(topic, group, got.count, bytes);
}

// A reset of the group's offset sends its next pull elsewhere; false when there is none.
bool answer_reset(const Parts& p, net::Connection& connection, const wire::Header& base,
                  const wire::PullRequest& pull, std::string_view topic, std::string_view group) {
  const auto offset = p.offsets.take_reset(group, topic, pull.queue_id);
  if (!offset) return false;
  wire::Header header = base;
  header.code = wire::kPullOffsetMoved;
  header.remark = "OFFSET_RESET";
  wire::append_pull_response(connection.out(), header,
                             {.next_offset = *offset,
                              .min_offset = p.store.min_offset(topic, pull.queue_id).value(),
                              .max_offset = p.store.max_offset(topic, pull.queue_id).value()},
                             0);
  return true;
}

// The pull once more, on its connection's thread, without leave to wait.
void run_again(const Parts& p, net::Connection& connection, const Held& held) {
  const wire::Header header{
      .serialize = held.serialize, .opaque = held.opaque, .flag = wire::kFlagResponse};
  if (answer_reset(p, connection, header, held.pull, held.topic, held.group)) return;
  auto got = read(p, held.topic, held.pull, held.bulk, held.filter);
  answer(p, connection, header, held.pull, held.topic, held.group, got);
}

// Holds the pull until something comes or its time is over.
void hold(const Parts& p, net::Connection& connection, const std::shared_ptr<const Held>& held,
          std::int64_t suspend_ms) {
  suspend_ms = std::clamp<std::int64_t>(suspend_ms, 0, kSuspendMaxMs);
  std::weak_ptr<net::Connection> weak = connection.weak_from_this();
  const bool waits = p.polls.hold(
      held->topic, held->pull.queue_id,
      {.connection = connection.id(),
       .offset = held->pull.queue_offset,
       .deadline_ms = p.clock.now_ms() + suspend_ms,
       .tags = held->filter.tags,
       .records = held->filter.records,
       .wake = [parts = &p, weak, held] {
         if (const auto target = weak.lock()) {
           target->post([parts, held](net::Connection& c) { run_again(*parts, c, *held); });
         }
       }});
  if (!waits) return run_again(p, connection, *held);
  // What has happened since the pull found nothing has woken nobody.
  p.polls.wake_if_newer(held->topic, held->pull.queue_id, p.clock.now_ms(),
                        p.store.max_offset(held->topic, held->pull.queue_id).value());
  if (p.offsets.has_reset(held->group, held->topic, held->pull.queue_id))
    p.polls.wake_all(held->topic, held->pull.queue_id);
}

// Why a pull may not be, as tools read it: forbiddenType.
enum class Forbidden : std::uint8_t {
  kBroker = 1,
  kGroup = 2,
  kTopic = 3,
  kBroadcast = 4,
  kSubscription = 5,
};

void forbid(const Call& call, Forbidden why, std::string_view remark) {
  const std::array<wire::Field, 1> ext = {
      wire::Field{"forbiddenType", static_cast<std::int32_t>(why)}};
  call.reply(wire::kNoPermission, remark, ext);
}

// Checks in the reference's order (5.2); false when it has been refused.
bool check(const Call& call, const wire::PullRequest& pull) {
  const auto& p = call.p;
  const auto refuse = [&](std::int32_t code, std::string_view remark) {
    return call.reply(code, remark), false;
  };
  const auto forbidden = [&](Forbidden why, std::string_view remark) {
    return forbid(call, why, remark), false;
  };
  if ((p.config.perm & format::kPermRead) == 0)
    return forbidden(Forbidden::kBroker, "the broker may not be read");
  if (call.request.code == wire::kLitePullMessage && !p.config.lite_pull_enable) {
    return forbidden(Forbidden::kBroker, "lite pulls are off (litePullMessageEnable)");
  }
  const auto group = p.groups.find_or_create(pull.group);
  if (group == nullptr) {
    return refuse(wire::kSubscriptionGroupNotExist,
                  fmt::format("group '{}' does not exist", pull.group));
  }
  if (!group->consume_enable) {
    return forbidden(Forbidden::kGroup,
                     fmt::format("group '{}' may not consume (consumeEnable)", pull.group));
  }
  const auto topic = p.topics.find(pull.topic);
  if (!topic)
    return refuse(wire::kTopicNotExist, fmt::format("topic '{}' does not exist", pull.topic));
  if ((topic->perm & format::kPermRead) == 0) {
    return forbidden(Forbidden::kTopic, fmt::format("topic '{}' may not be read", pull.topic));
  }
  if (pull.queue_id < 0 || pull.queue_id >= topic->read_queues) {
    return refuse(wire::kInvalidParameter,
                  fmt::format("queue {} of topic '{}': it has {} to read", pull.queue_id,
                              pull.topic, topic->read_queues));
  }
  return true;
}

// The filter that the group's heartbeats registered; nothing when it has been refused.
std::optional<broker::Subscription> registered_filter(const Call& call,
                                                      const wire::PullRequest& pull) {
  const auto& p = call.p;
  const auto mode = p.consumers.mode(pull.group);
  if (!mode) {
    return call.reply(wire::kSubscriptionNotExist,
                      fmt::format("no consumer of group '{}' is on line", pull.group)),
           std::nullopt;
  }
  if (const auto group = p.groups.find(pull.group);
      mode->model == wire::MessageModel::kBroadcasting && group != nullptr &&
      !group->consume_broadcast_enable) {
    return forbid(call, Forbidden::kBroadcast,
                  fmt::format("group '{}' may not consume by broadcasting (consumeBroadcastEnable)",
                              pull.group)),
           std::nullopt;
  }
  if (p.groups.is_read_forbidden(pull.group, pull.topic)) {
    return forbid(call, Forbidden::kSubscription,
                  fmt::format("group '{}' may not read topic '{}'", pull.group, pull.topic)),
           std::nullopt;
  }
  auto subscription = p.consumers.subscription(pull.group, pull.topic);
  if (!subscription) {
    return call.reply(
               wire::kSubscriptionNotExist,
               fmt::format("group '{}' has not subscribed to topic '{}'", pull.group, pull.topic)),
           std::nullopt;
  }
  if (subscription->version < pull.sub_version) {
    return call.reply(wire::kSubscriptionNotLatest,
                      "the group's subscription is older than the pull"),
           std::nullopt;
  }
  return subscription;
}

// The filter: of this request, or of the group's heartbeats; nothing when it has been refused.
std::optional<PullFilter> filter_of(const Call& call, const wire::PullRequest& pull) {
  std::string type(pull.expression_type);
  PullFilter filter;
  if ((pull.sys_flag & wire::kPullSubscription) != 0) {
    filter.tags = broker::TagExpression::parse(pull.subscription);
  } else {
    auto registered = registered_filter(call, pull);
    if (!registered) return std::nullopt;
    type = std::move(registered->type);
    filter.tags = std::move(registered->tags);
  }
  if (!add_record_filter(call, pull, type, filter)) return std::nullopt;
  return filter;
}

}  // namespace

void handle_pull(const Call& call) {
  auto decoded = wire::decode_pull_request(call.request);
  if (!decoded) return call.reply(wire::kSystemError, decoded.error().text());
  const wire::PullRequest& pull = *decoded;
  const auto& p = call.p;
  if (!check(call, pull)) return;
  auto filter = filter_of(call, pull);
  if (!filter) return;
  if (call.wants_answer() &&
      answer_reset(p, call.connection, call.header(0), pull, pull.topic, pull.group)) {
    return;  // what the client would commit is from before the reset
  }
  if ((pull.sys_flag & wire::kPullCommitOffset) != 0) {
    (void)p.offsets.commit(pull.group, pull.topic, pull.queue_id, pull.commit_offset);
  }
  const bool bulk = pull.bulk;
  auto got = read(p, pull.topic, pull, bulk, *filter);
  const bool nothing_yet = code_of(got, pull.queue_offset) == wire::kPullNotFound;
  if (nothing_yet && (pull.sys_flag & wire::kPullSuspend) != 0 && call.wants_answer()) {
    auto held = std::make_shared<Held>(
        Held{call.request.serialize, call.request.opaque, call.request.code,
             std::string(pull.group), std::string(pull.topic), pull, bulk, std::move(*filter)});
    held->pull.group = held->group;
    held->pull.topic = held->topic;
    held->pull.subscription = held->pull.expression_type = {};
    return hold(p, call.connection, std::move(held),
                p.config.long_polling ? pull.suspend_timeout_ms
                                      : static_cast<std::int64_t>(p.config.short_polling_ms));
  }
  if (call.wants_answer())
    answer(p, call.connection, call.header(0), pull, pull.topic, pull.group, got);
}

}  // namespace mq::server

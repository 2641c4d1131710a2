#include "server/pop_wait.h"

#include <algorithm>

#include <fmt/format.h>

#include "broker/pop_service.h"
#include "format/state_files.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

constexpr std::int64_t kLateMs = 500;  // a request that was that long on its way is over
constexpr std::int64_t kEarlyMs = 50;  // so that the answer is there when its time is over
constexpr std::int32_t kCountMax = 32;
// A waiting request is one more timer and one more entry: nobody waits for longer than this.
constexpr std::int64_t kPollMaxMs = 600'000;

}  // namespace

bool check_pop(const Call& call, const wire::PopRequest& asked, bool pops) {
  const auto& p = call.p;
  const auto refuse = [&](std::int32_t code, std::string_view remark) {
    return call.reply(code, remark), false;
  };
  const std::int64_t now_ms = p.clock.now_ms();
  std::int64_t over_ms = 0;
  if (asked.born_ms != 0 && (__builtin_add_overflow(asked.born_ms, asked.poll_ms, &over_ms) ||
                             now_ms - kLateMs > over_ms))
    return refuse(wire::kPollingTimeout, "the pop was too long on its way");
  if ((p.config.perm & format::kPermRead) == 0)
    return refuse(wire::kNoPermission, "the broker may not be read");
  if (pops && asked.count_max > kCountMax)
    return refuse(wire::kInvalidParameter, fmt::format("more than {} messages", kCountMax));
  if (pops && !p.config.timer_wheel_enable)
    return refuse(wire::kSystemError, "pops need timers (timerWheelEnable)");
  const auto topic = p.topics.find(asked.topic);
  if (!topic)
    return refuse(wire::kTopicNotExist, fmt::format("topic '{}' does not exist", asked.topic));
  if ((topic->perm & format::kPermRead) == 0)
    return refuse(wire::kNoPermission, fmt::format("topic '{}' may not be read", asked.topic));
  if (asked.queue_id >= topic->read_queues) {
    return refuse(wire::kInvalidParameter,
                  fmt::format("queue {} of topic '{}': it has {} to read", asked.queue_id,
                              asked.topic, topic->read_queues));
  }
  const auto group = p.groups.find_or_create(asked.group);
  if (group == nullptr) {
    return refuse(wire::kSubscriptionGroupNotExist,
                  fmt::format("group '{}' does not exist", asked.group));
  }
  if (!group->consume_enable) {
    return refuse(wire::kNoPermission,
                  fmt::format("group '{}' may not consume (consumeEnable)", asked.group));
  }
  return true;
}

PopWait::PopWait(const Call& call, const wire::PopRequest& asked, PullFilter filter,
                 broker::PopPolls& polls, Try attempt)
    : p_(call.p),
      polls_(polls),
      attempt_(std::move(attempt)),
      serialize_(call.request.serialize),
      opaque_(call.request.opaque),
      group_(asked.group),
      topic_(asked.topic),
      attempt_id_(asked.attempt_id),
      asked_(asked),
      filter_(std::move(filter)) {
  const std::int64_t now_ms = p_.clock.now_ms();
  const std::int64_t born_ms = asked.born_ms != 0 ? asked.born_ms : now_ms;
  if (__builtin_add_overflow(born_ms, std::max<std::int64_t>(asked.poll_ms, 0), &end_ms_))
    end_ms_ = now_ms;
  end_ms_ = std::min(end_ms_, now_ms + kPollMaxMs);
  asked_.group = asked_.topic = asked_.attempt_id = {};
  asked_.expression = asked_.expression_type = {};
}

void PopWait::start(const Call& call, const wire::PopRequest& asked, PullFilter filter,
                    broker::PopPolls& polls, Try attempt) {
  if (!call.wants_answer()) return;  // nobody would know what was popped
  const std::shared_ptr<PopWait> wait(
      new PopWait(call, asked, std::move(filter), polls, std::move(attempt)));
  wait->run(call.connection);
}

broker::Pop::Ask PopWait::ask() const noexcept {
  return {.group = group_,
          .topic = topic_,
          .queue = std::max(asked_.queue_id, -1),
          .count_max = asked_.count_max,
          .invisible_ms = asked_.invisible_ms,
          .from_max = asked_.from_max,
          .order = asked_.order,
          .attempt_id = attempt_id_,
          .tags = {.all = filter_.tags.all, .codes = filter_.tags.codes},
          .records = filter_.records.get()};
}

std::int64_t PopWait::left_ms() const noexcept { return end_ms_ - kEarlyMs - p_.clock.now_ms(); }

void PopWait::run(net::Connection& connection) {
  if (answered_) return;
  waiting_ = 0;
  const bool may_wait = asked_.poll_ms > 0 && left_ms() > 0;
  const Ran ran = attempt_(*this, connection, may_wait ? End::kNone : End::kTimeout);
  if (ran == Ran::kAnswered) {
    answered_ = true;
  } else {
    hold(connection);
  }
}

void PopWait::hold(net::Connection& connection) {
  std::weak_ptr<net::Connection> weak = connection.weak_from_this();
  const auto self = shared_from_this();
  waiting_ = polls_.hold({.topic = topic_,
                          .group = group_,
                          .queue = std::max(asked_.queue_id, -1),
                          .connection = connection.id(),
                          .tags = filter_.tags,
                          .records = filter_.records,
                          .wake = [weak, self] {
                            if (const auto target = weak.lock())
                              target->post([self](net::Connection& c) { self->run(c); });
                          }});
  if (waiting_ == 0) {
    (void)attempt_(*this, connection, End::kFull);
    answered_ = true;
    return;
  }
  if (!expires_) {
    expires_ = true;
    connection.post_after(left_ms(), [self](net::Connection& c) { self->expire(c); });
  }
  // What has come since nothing was found has woken nobody.
  if (!p_.pop.pop.has_messages(group_, topic_, std::max(asked_.queue_id, -1), asked_.order,
                               attempt_id_, p_.clock.now_ms())) {
    return;
  }
  if (attempt_(*this, connection, End::kNone) == Ran::kNothing) return;
  answered_ = true;
  // Woken just now, and of no more use: somebody else is to look.
  if (!polls_.take(waiting_)) polls_.wake(topic_, group_, std::max(asked_.queue_id, -1));
}

void PopWait::expire(net::Connection& connection) {
  if (answered_) return;
  if (const std::int64_t left = left_ms(); left > 0) {  // the clock was set, or it was woken
    connection.post_after(left,
                          [self = shared_from_this()](net::Connection& c) { self->expire(c); });
    return;
  }
  // If it does not wait, it was woken just now and runs next.
  if (waiting_ == 0 || polls_.take(waiting_)) run(connection);
}

}  // namespace mq::server

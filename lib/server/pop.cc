// R(200050), R(200052), R(200054), R(200055): popping, looking, waiting for something to pop.
#include "wire/pop.h"

#include "broker/pop_service.h"
#include "server/pop_wait.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

void send(net::Connection& connection, const wire::Header& header, broker::Pop::Popped& popped) {
  wire::append_pop_response(connection.out(), header, popped.answer,
                            static_cast<std::size_t>(popped.bytes));
  std::vector<net::PinnedBytes> spans;
  spans.reserve(popped.spans.size());
  for (auto& span : popped.spans) spans.push_back({span.bytes, std::move(span.hold)});
  if (!spans.empty()) connection.send_pinned(std::move(spans));
}

PopWait::Ran try_pop(const PopWait& wait, net::Connection& connection, PopWait::End end) {
  const Parts& p = wait.parts();
  const broker::Pop::Ask ask = wait.ask();
  broker::Pop::Popped popped;
  popped.answer.order = ask.order;
  // With no place to wait there is no use in another look either.
  if (end != PopWait::End::kFull) popped = p.pop.pop.pop(ask, p.clock.now_ms());
  if (popped.count > 0) {
    send(connection, wait.header(wire::kSuccess, "FOUND"), popped);
    // For those who wait: one look finds no more than one answer takes.
    if (popped.answer.rest > 0) p.pop.polls.wake(ask.topic, ask.group, ask.queue);
    return PopWait::Ran::kAnswered;
  }
  if (end == PopWait::End::kNone) return PopWait::Ran::kNothing;
  p.stats.get_missed();
  const bool full = end == PopWait::End::kFull;
  send(connection,
       wait.header(full ? wire::kPollingFull : wire::kPollingTimeout, "NO_MESSAGE_IN_QUEUE"),
       popped);
  return PopWait::Ran::kAnswered;
}

PopWait::Ran try_notify(const PopWait& wait, net::Connection& connection, PopWait::End end) {
  const Parts& p = wait.parts();
  const broker::Pop::Ask ask = wait.ask();
  const bool found = p.pop.pop.has_messages(ask.group, ask.topic, ask.queue, ask.order,
                                            ask.attempt_id, p.clock.now_ms());
  if (!found && end == PopWait::End::kNone) return PopWait::Ran::kNothing;
  const std::array<wire::Field, 2> ext = {wire::Field{"hasMsg", found},
                                          wire::Field{"pollingFull", end == PopWait::End::kFull}};
  wire::append_frame(connection.out(), wait.header(wire::kSuccess, {}), ext, {});
  return PopWait::Ran::kAnswered;
}

// The filter of the request itself; nothing when it has been refused.
std::optional<PullFilter> filter_of(const Call& call, const wire::PopRequest& asked) {
  PullFilter filter;
  if (asked.expression.empty()) return filter;
  filter.tags = broker::TagExpression::parse(asked.expression);
  wire::PullRequest as_pull{.group = asked.group, .topic = asked.topic};
  as_pull.sys_flag = wire::kPullSubscription;
  as_pull.subscription = asked.expression;
  if (!add_record_filter(call, as_pull, asked.expression_type, filter)) return std::nullopt;
  return filter;
}

}  // namespace

void handle_pop(const Call& call) {
  const auto asked = wire::decode_pop_request(call.request);
  if (!asked) return call.reply(wire::kSystemError, asked.error().text());
  if (!check_pop(call, *asked, /*pops=*/true)) return;
  auto filter = filter_of(call, *asked);
  if (!filter) return;
  PopWait::start(call, *asked, std::move(*filter), call.p.pop.polls, try_pop);
}

void handle_notification(const Call& call) {
  const auto asked = wire::decode_notification_request(call.request);
  if (!asked) return call.reply(wire::kSystemError, asked.error().text());
  if (!check_pop(call, *asked, /*pops=*/false)) return;
  PopWait::start(call, *asked, {}, call.p.pop.notices, try_notify);
}

void handle_polling_info(const Call& call) {
  const auto& ext = call.request.ext;
  const auto group = wire::text_field(ext, "consumerGroup");
  const auto topic = wire::text_field(ext, "topic");
  const auto queue = wire::int32_field(ext, "queueId");
  if (!group || !topic || !queue)
    return call.reply(wire::kSystemError, "consumerGroup, topic and queueId are needed");
  const auto waiting =
      static_cast<std::int32_t>(call.p.pop.polls.waiting(*topic, *group, std::max(*queue, -1)));
  const std::array<wire::Field, 1> fields = {wire::Field{"pollingNum", waiting}};
  call.reply(wire::kSuccess, {}, fields);
}

void handle_peek(const Call& call) {
  const auto asked = wire::decode_peek_request(call.request);
  if (!asked) return call.reply(wire::kSystemError, asked.error().text());
  if (!check_pop(call, *asked, /*pops=*/false) || !call.wants_answer()) return;
  auto popped = call.p.pop.pop.peek({.group = asked->group,
                                     .topic = asked->topic,
                                     .queue = std::max(asked->queue_id, -1),
                                     .count_max = asked->count_max});
  const bool found = popped.count > 0;
  send(call.connection,
       call.header(found ? wire::kSuccess : wire::kPullNotFound,
                   found ? "FOUND" : "NO_MESSAGE_IN_QUEUE"),
       popped);
}

}  // namespace mq::server

#include "remote.h"

#include <algorithm>

#include <fmt/format.h>
#include <poll.h>

#include "broker/sql_expression.h"
#include "cli/where.h"
#include "client/admin.h"
#include "client/remote_error.h"
#include "format/light_queues.h"
#include "wire/codes.h"
#include "wire/offsets.h"
#include "wire/pull.h"

namespace mq::mqrecv {
namespace {

constexpr std::int64_t kCountMax = 16'384;
constexpr std::int32_t kBytesMax = 1 << 20;
constexpr std::int64_t kConnectMs = 3000;
constexpr std::int64_t kAnswerTimeoutMs = 30'000;
constexpr std::int64_t kSuspendMs = 15'000;
constexpr std::int32_t kPermRead = 4;

}  // namespace

Result<std::unique_ptr<RemoteSource>> RemoteSource::connect(const Options& options) {
  MQ_TRY(auto cluster, cli::open_cluster(options.common));
  return std::unique_ptr<RemoteSource>(new RemoteSource(options, std::move(cluster)));
}

Result<RemoteSource::Lane*> RemoteSource::lane(const std::string& broker) {
  const auto known = lanes_.find(broker);
  if (known != lanes_.end()) return &known->second;
  const client::BrokerAt& at = brokers_.at(broker);
  auto channel = client::Channel::connect(at.address, kConnectMs);
  if (!channel) return std::move(channel).error().within(broker);
  return &lanes_.emplace(broker, Lane{at, *std::move(channel)}).first->second;
}

Result<std::vector<QueueAt>> RemoteSource::queues(const std::string& topic) {
  MQ_TRY(const auto route, cluster_.route(topic));
  std::vector<QueueAt> out;
  bool readable = false;
  for (const client::TopicAt& at : route) {
    if ((at.perm & kPermRead) == 0) continue;
    readable = true;
    MQ_TRY(client::Rpc* const rpc, cluster_.rpc(at.broker));
    if (brokers_.emplace(at.broker.name, at.broker).second)
      MQ_CHECK(client::wait_until_readable(*rpc));
    MQ_TRY(const wire::TopicStats stats, client::topic_stats(*rpc, topic));
    for (const wire::QueueStats& q : stats.queues) {
      if (q.queue_id < at.read_queues)
        out.push_back({topic, at.broker.name, q.queue_id, q.min_offset, q.max_offset});
    }
  }
  if (!readable) return Error{Errc::kDenied, fmt::format("topic '{}' may not be read", topic)};
  std::sort(out.begin(), out.end(), [](const QueueAt& a, const QueueAt& b) {
    return std::tie(a.broker, a.queue) < std::tie(b.broker, b.queue);
  });
  return out;
}

Result<std::int64_t> RemoteSource::offset_at(const QueueAt& queue, std::int64_t time_ms) {
  MQ_TRY(client::Rpc* const rpc, cluster_.rpc(brokers_.at(queue.broker)));
  return client::search_offset(*rpc, queue.topic, queue.queue, time_ms);
}

std::int32_t RemoteSource::post_pull(Lane& lane, const QueueAt& queue, std::int64_t offset,
                                     std::int64_t count, bool wait) {
  std::string out;
  const std::int32_t opaque = lane.channel.next_opaque();
  // One filter goes to the broker; tags beside an expression are then looked at here.
  const std::string& chosen = options_.sql.empty() ? options_.tags : options_.sql;
  const std::string_view subscription = chosen.empty() ? std::string_view("*") : chosen;
  wire::append_pull_request(
      out, {.serialize = wire::Serialize::kBinary, .code = wire::kPullMessage, .opaque = opaque},
      {.group = "TOOLS_CONSUMER",
       .topic = queue.topic,
       .queue_id = queue.queue,
       .queue_offset = offset,
       .count_max = static_cast<std::int32_t>(count),
       .sys_flag = wire::kPullSubscription | (wait ? wire::kPullSuspend : 0),
       .suspend_timeout_ms = wait ? kSuspendMs : 0,
       .subscription = subscription,
       .expression_type = options_.sql.empty() ? "TAG" : broker::kSqlType,
       .bytes_max = kBytesMax,
       .bulk = true});
  lane.channel.post(std::move(out));
  return opaque;
}

Result<std::optional<RemoteSource::Answer>> RemoteSource::receive(Lane& lane,
                                                                  std::int64_t timeout_ms) {
  while (true) {
    auto next = lane.channel.next(timeout_ms);
    if (!next && next.error().code() == Errc::kClosed)
      return Error{Errc::kUnavailable, lane.at.name + ": the broker closed the connection"};
    if (!next) return std::move(next).error().within(lane.at.name);
    const wire::Command* const answer = *next;
    if (answer == nullptr) return std::optional<Answer>();
    if (!answer->is_response()) continue;
    Answer out{.opaque = answer->opaque, .code = answer->code, .next = 0, .records = {}};
    const bool known = out.code == wire::kSuccess || out.code == wire::kPullNotFound ||
                       out.code == wire::kPullRetryImmediately ||
                       out.code == wire::kPullOffsetMoved;
    if (!known) return client::remote_error(lane.at.name, *answer);
    MQ_TRY(const auto response, wire::decode_pull_response(*answer));
    out.next = response.next_offset;
    if (out.code == wire::kSuccess) out.records = answer->body;
    return std::optional<Answer>(out);
  }
}

Result<RemoteSource::Answer> RemoteSource::receive_surely(Lane& lane) {
  MQ_TRY(const auto answer, receive(lane, kAnswerTimeoutMs));
  if (!answer) return Error{Errc::kTimeout, lane.at.name + ": no answer to a pull within 30 s"};
  return *answer;
}

Result<void> RemoteSource::pull_ahead(Lane& lane, const QueueAt& queue, std::int64_t offset,
                                      std::int64_t end) {
  const std::int32_t opaque =
      post_pull(lane, queue, offset, std::min(kCountMax, end - offset), false);
  MQ_CHECK(lane.channel.flush(kAnswerTimeoutMs));
  lane.ahead = Pull{opaque, queue.topic, queue.queue, offset};
  return {};
}

Result<Stretch> RemoteSource::read(const QueueAt& queue, std::int64_t offset, std::int64_t end) {
  MQ_TRY(Lane* const from, lane(queue.broker));
  std::optional<Pull>& ahead = from->ahead;
  if (ahead &&
      (ahead->topic != queue.topic || ahead->queue != queue.queue || ahead->offset != offset)) {
    MQ_CHECK(receive_surely(*from));  // of another queue: not wanted any more
    ahead.reset();
  }
  if (!ahead) MQ_CHECK(pull_ahead(*from, queue, offset, end));
  MQ_TRY(const Answer answer, receive_surely(*from));
  ahead.reset();
  Stretch out{format::as_read_from(queue.topic, queue.queue, answer.records, QueueOffset(offset),
                                   unwrapped_),
              std::max(answer.next, offset)};
  // Moved back (the topic was made anew) or nowhere: nothing that we could read.
  if (out.records.empty() && out.next <= offset) out.next = end;
  if (out.next < end) MQ_CHECK(pull_ahead(*from, queue, out.next, end));
  return out;
}

Result<std::vector<client::Found>> RemoteSource::find_key(const std::string& topic,
                                                          const std::string& key) {
  return client::find_by_key(cluster_, topic, key);
}
Result<std::vector<client::Found>> RemoteSource::find_id(const std::string& topic,
                                                         const std::string& id) {
  return client::find_by_id(cluster_, topic, id);
}

Result<void> RemoteSource::follow(std::vector<QueueAt> queues, const Visit& visit) {
  struct Waiting {
    Lane* from;
    std::int32_t opaque;
  };
  std::vector<Waiting> waiting;
  const auto pull = [&](std::size_t i) {
    waiting[i].opaque = post_pull(*waiting[i].from, queues[i], queues[i].max, kCountMax, true);
  };
  for (std::size_t i = 0; i < queues.size(); ++i) {
    MQ_TRY(Lane* const from, lane(queues[i].broker));
    if (from->ahead) {
      MQ_CHECK(receive_surely(*from));
      from->ahead.reset();
    }
    waiting.push_back({from, 0});
    pull(i);
  }
  bool go_on = true;
  while (go_on) {
    std::vector<pollfd> fds;
    for (auto& [name, lane] : lanes_) {
      MQ_CHECK(lane.channel.write());
      fds.push_back(
          {.fd = lane.channel.descriptor(), .events = lane.channel.wanted_events(), .revents = 0});
    }
    (void)poll(fds.data(), fds.size(), 250);
    go_on = visit(nullptr, {});
    for (auto& [name, lane] : lanes_) {
      while (go_on) {
        MQ_TRY(const auto answer, receive(lane, 0));
        if (!answer) break;
        const auto found = std::find_if(
            waiting.begin(), waiting.end(),
            [&, l = &lane](const Waiting& w) { return w.from == l && w.opaque == answer->opaque; });
        if (found == waiting.end()) continue;
        const auto i = static_cast<std::size_t>(found - waiting.begin());
        const QueueOffset from(std::exchange(queues[i].max, answer->next));
        go_on = visit(&queues[i], {format::as_read_from(queues[i].topic, queues[i].queue,
                                                        answer->records, from, unwrapped_),
                                   answer->next});
        pull(i);
      }
    }
  }
  return {};
}

}  // namespace mq::mqrecv

#include "remote.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/clock.h"
#include "broker/sql_expression.h"
#include "client/admin.h"
#include "format/message_id.h"
#include "wire/offsets.h"

namespace mq::mqrecv {
namespace {

constexpr std::int64_t kCountMax = 16'384;
constexpr std::int32_t kBytesMax = 1 << 20;
constexpr std::int64_t kAnswerTimeoutMs = 30'000;
constexpr std::int64_t kSuspendMs = 15'000;

}  // namespace

Result<std::unique_ptr<RemoteSource>> RemoteSource::connect(const Options& options) {
  MQ_TRY(auto connected, cli::connect_broker(options.common));
  MQ_TRY(auto stream, net::Stream::connect(connected.address, 3000));
  return std::unique_ptr<RemoteSource>(
      new RemoteSource(options, std::move(connected.rpc), std::move(stream)));
}

Result<std::vector<QueueAt>> RemoteSource::queues(const std::string& topic) {
  MQ_TRY(const cli::TopicAt at, cli::look_up_topic(rpc_, topic));
  if (broker_.empty()) broker_ = at.broker;
  MQ_TRY(const wire::TopicStats stats, client::topic_stats(rpc_, topic));
  std::vector<QueueAt> out;
  for (const wire::QueueStats& q : stats.queues) {
    if (q.queue_id < at.read_queues) out.push_back({topic, q.queue_id, q.min_offset, q.max_offset});
  }
  std::sort(out.begin(), out.end(),
            [](const QueueAt& a, const QueueAt& b) { return a.queue < b.queue; });
  return out;
}

Result<std::int64_t> RemoteSource::offset_at(const QueueAt& queue, std::int64_t time_ms) {
  MQ_TRY(
      const auto reply,
      rpc_.ask(wire::kSearchOffsetByTimestamp, [&](std::string& out, const wire::Header& header) {
        wire::append_queue_bound_request(
            out, header, {.topic = queue.topic, .queue_id = queue.queue, .timestamp_ms = time_ms});
      }));
  return wire::decode_offset_response(reply.command);
}

Result<std::int32_t> RemoteSource::send_pull(const std::string& topic, std::int32_t queue,
                                             std::int64_t offset, std::int64_t count, bool wait) {
  std::string out;
  const std::int32_t opaque = ++opaque_;
  // One filter goes to the broker; tags beside an expression are then looked at here.
  const std::string& chosen = options_.sql.empty() ? options_.tags : options_.sql;
  const std::string_view subscription = chosen.empty() ? std::string_view("*") : chosen;
  wire::append_pull_request(
      out, {.serialize = wire::Serialize::kBinary, .code = wire::kPullMessage, .opaque = opaque},
      {.group = "TOOLS_CONSUMER",
       .topic = topic,
       .queue_id = queue,
       .queue_offset = offset,
       .count_max = static_cast<std::int32_t>(count),
       .sys_flag = wire::kPullSubscription | (wait ? wire::kPullSuspend : 0),
       .suspend_timeout_ms = wait ? kSuspendMs : 0,
       .subscription = subscription,
       .expression_type = options_.sql.empty() ? "TAG" : broker::kSqlType,
       .bytes_max = kBytesMax,
       .bulk = true});
  const Bytes piece = as_bytes(out);
  MQ_CHECK(stream_.write_all({&piece, 1}, kAnswerTimeoutMs));
  return opaque;
}

Result<std::optional<RemoteSource::Answer>> RemoteSource::receive(std::int64_t timeout_ms) {
  const std::int64_t deadline = system_clock().monotonic_us() + timeout_ms * 1000;
  while (true) {
    const Bytes have = Bytes(in_).subspan(begin_, end_ - begin_);
    MQ_TRY(const std::size_t bytes, wire::frame_bytes(have));
    if (bytes > 0 && bytes <= have.size()) {
      begin_ += bytes;
      MQ_CHECK(wire::decode_command(have.first(bytes), answer_));
      if (!answer_.is_response()) continue;
      Answer out{.opaque = answer_.opaque, .code = answer_.code, .next = 0, .records = {}};
      const bool known = out.code == wire::kSuccess || out.code == wire::kPullNotFound ||
                         out.code == wire::kPullRetryImmediately ||
                         out.code == wire::kPullOffsetMoved;
      if (!known) return client::remote_error(rpc_.peer(), answer_);
      MQ_TRY(const auto response, wire::decode_pull_response(answer_));
      out.next = response.next_offset;
      if (out.code == wire::kSuccess) out.records = answer_.body;
      return std::optional<Answer>(out);
    }
    if (begin_ > 0 && (bytes > in_.size() - begin_ || in_.size() - end_ < 65'536)) {
      std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (bytes > in_.size()) in_.resize(bytes);
    if (end_ == in_.size()) in_.resize(in_.size() * 2);
    const std::int64_t left = (deadline - system_clock().monotonic_us()) / 1000;
    auto got = stream_.read_some(MutableBytes(in_).subspan(end_), std::max<std::int64_t>(0, left));
    if (!got) {
      if (got.error().code() == Errc::kTimeout) return std::optional<Answer>();
      if (got.error().code() == Errc::kClosed)
        return Error{Errc::kUnavailable, rpc_.peer() + ": the broker closed the connection"};
      return std::move(got).error();
    }
    end_ += *got;
  }
}

Result<Stretch> RemoteSource::read(const QueueAt& queue, std::int64_t offset, std::int64_t end) {
  const auto wanted = [&](std::int64_t from) { return std::min(kCountMax, end - from); };
  if (!ahead_ || ahead_->topic != queue.topic || ahead_->queue != queue.queue ||
      ahead_->offset != offset) {
    if (ahead_) {  // of another queue: its answer is not wanted any more
      MQ_TRY(auto stale, receive(kAnswerTimeoutMs));
      if (!stale) return Error{Errc::kTimeout, rpc_.peer() + ": no answer to a pull within 30 s"};
      ahead_.reset();
    }
    MQ_TRY(const std::int32_t opaque,
           send_pull(queue.topic, queue.queue, offset, wanted(offset), false));
    ahead_ = Pull{opaque, queue.topic, queue.queue, offset, 0};
  }
  MQ_TRY(auto answer, receive(kAnswerTimeoutMs));
  ahead_.reset();
  if (!answer) return Error{Errc::kTimeout, rpc_.peer() + ": no answer to a pull within 30 s"};
  Stretch out{answer->records, std::max(answer->next, offset)};
  // Moved back (the topic was made anew) or nowhere: nothing that we could read.
  if (out.records.empty() && out.next <= offset) out.next = end;
  if (out.next < end) {
    MQ_TRY(const std::int32_t opaque,
           send_pull(queue.topic, queue.queue, out.next, wanted(out.next), false));
    ahead_ = Pull{opaque, queue.topic, queue.queue, out.next, 0};
  }
  return out;
}

Result<std::vector<std::string>> RemoteSource::find_key(const std::string& topic,
                                                        const std::string& key) {
  auto found = client::query_message(rpc_, {.topic = topic,
                                            .key = key,
                                            .count_max = 64,
                                            .begin_timestamp_ms = 0,
                                            .end_timestamp_ms = INT64_MAX});
  if (!found) {
    if (found.error().code() == Errc::kNotFound) return std::vector<std::string>();
    return std::move(found).error();
  }
  std::vector<std::string> out;
  for (const Bytes record : found->records) out.emplace_back(as_text(record));
  return out;
}

Result<std::vector<std::string>> RemoteSource::find_id(const std::string& topic,
                                                       const std::string& id) {
  if (!topic.empty()) {
    auto found = find_key(topic, id);
    if (!found || !found->empty()) return found;
  }
  const auto parsed = format::parse_offset_message_id(id);
  if (!parsed) return std::vector<std::string>();
  auto record = client::view_message(rpc_, parsed->offset.value());
  if (!record) return std::vector<std::string>();
  std::vector<std::string> out;
  for (const Bytes bytes : record->records) out.emplace_back(as_text(bytes));
  return out;
}

Result<void> RemoteSource::follow(std::vector<QueueAt> queues, const Visit& visit) {
  std::vector<std::int32_t> opaques(queues.size());
  const auto pull = [&](std::size_t i) -> Result<void> {
    MQ_TRY(opaques[i], send_pull(queues[i].topic, queues[i].queue, queues[i].max, kCountMax, true));
    return {};
  };
  for (std::size_t i = 0; i < queues.size(); ++i) MQ_CHECK(pull(i));
  while (true) {
    MQ_TRY(auto answer, receive(250));
    if (!answer) {
      if (!visit(nullptr, {})) return {};
      continue;
    }
    const auto found = std::find(opaques.begin(), opaques.end(), answer->opaque);
    if (found == opaques.end()) continue;
    const auto i = static_cast<std::size_t>(found - opaques.begin());
    queues[i].max = answer->next;
    const bool go_on = visit(&queues[i], {answer->records, answer->next});
    MQ_CHECK(pull(i));
    if (!go_on) return {};
  }
}

}  // namespace mq::mqrecv

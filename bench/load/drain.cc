#include <cstring>

#include <poll.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "client/admin.h"
#include "format/record.h"
#include "load.h"
#include "wire/codes.h"
#include "wire/pull.h"
#include "wire/send.h"

namespace mq::bench {
namespace {

constexpr std::int32_t kBulkCount = 16'384;

void ask(Peer& peer, const Options& o, int queue, std::int64_t offset, bool wait) {
  wire::append_pull_request(
      peer.out,
      {.serialize = wire::Serialize::kBinary, .code = wire::kPullMessage, .opaque = queue},
      {.group = "TOOLS_CONSUMER",
       .topic = o.topic,
       .queue_id = queue,
       .queue_offset = offset,
       .count_max = kBulkCount,
       .sys_flag = wire::kPullSubscription | (wait ? wire::kPullSuspend : 0),
       .suspend_timeout_ms = wait ? 15'000 : 0,
       .subscription = "*",
       .bytes_max = 1 << 20,
       .bulk = true});
}

// Messages in the body of records, by their lengths; those of a closed batch by theirs.
std::int64_t count_of(Bytes records) {
  std::int64_t n = 0;
  while (records.size() >= format::kSysFlagAt + 4) {
    const auto bytes = load_be<std::int32_t>(records.data());
    if (bytes <= 0 || static_cast<std::size_t>(bytes) > records.size()) break;
    const Bytes record = records.first(static_cast<std::size_t>(bytes));
    records = records.subspan(record.size());
    if ((load_be<std::int32_t>(record.data() + format::kSysFlagAt) & format::kFlagInnerBatch) ==
        0) {
      ++n;
      continue;
    }
    const auto batch = format::decode_record(record, format::CheckBody::kNo);
    wire::BatchReader items(batch ? batch->body : Bytes());
    wire::BatchItem item;
    for (auto more = items.next(item); more && *more; more = items.next(item)) ++n;
  }
  return n;
}

Result<wire::TopicStats> bounds(const Options& o) {
  MQ_TRY(const net::Address at, net::parse_address(o.broker));
  MQ_TRY(auto rpc, client::Rpc::connect(at, {}));
  return client::topic_stats(rpc, o.topic);
}

}  // namespace

Result<void> drain(const Options& o) {
  MQ_TRY(const wire::TopicStats stats, bounds(o));
  std::vector<std::int64_t> end(stats.queues.size());
  std::int64_t expected = 0;
  for (const auto& q : stats.queues) {
    end.at(static_cast<std::size_t>(q.queue_id)) = q.max_offset;
    expected += q.max_offset - q.min_offset;
  }
  MQ_TRY(auto peer, Peer::connect(o.broker));
  const double begin = now_us();
  int open = 0;
  for (const auto& q : stats.queues) {
    if (q.min_offset == q.max_offset) continue;
    ask(peer, o, q.queue_id, q.min_offset, false);
    ++open;
  }
  std::int64_t messages = 0, bytes = 0;
  wire::Command answer;
  while (open > 0) {
    MQ_CHECK(peer.write());
    pollfd fd{.fd = peer.descriptor(),
              .events = static_cast<short>(POLLIN | (peer.has_unsent() ? POLLOUT : 0)),
              .revents = 0};
    if (poll(&fd, 1, 30'000) <= 0) return Error{Errc::kTimeout, "no answer for 30 s"};
    if ((fd.revents & ~POLLOUT) == 0) continue;
    MQ_CHECK(peer.read());
    while (true) {
      MQ_TRY(const Bytes frame, peer.take());
      if (frame.empty()) break;
      MQ_CHECK(wire::decode_command(frame, answer));
      MQ_TRY(const auto response, wire::decode_pull_response(answer));
      if (answer.code == wire::kSuccess) {
        messages += count_of(answer.body);
        bytes += static_cast<std::int64_t>(answer.body.size());
      }
      if (response.next_offset < end[static_cast<std::size_t>(answer.opaque)]) {
        ask(peer, o, answer.opaque, response.next_offset, false);
      } else {
        --open;
      }
    }
  }
  const double seconds = (now_us() - begin) / 1e6;
  Report report;
  report.add("messages", static_cast<double>(messages));
  report.add("missing", static_cast<double>(expected - messages));
  report.add("seconds", seconds);
  report.add("rate", static_cast<double>(messages) / seconds);
  report.add("bytes_rate", static_cast<double>(bytes) / seconds);
  report.print();
  return {};
}

Result<void> end_to_end(const Options& options) {
  prctl(PR_SET_TIMERSLACK, 1);  // else each send is up to 50 us late, which is not the broker's
  Options o = options;
  o.queues = 1;
  MQ_CHECK(make_topics(o));
  MQ_TRY(const wire::TopicStats stats, bounds(o));
  MQ_TRY(auto sender, Peer::connect(o.broker));
  MQ_TRY(auto receiver, Peer::connect(o.broker));
  ask(receiver, o, 0, stats.queues.empty() ? 0 : stats.queues.front().max_offset, true);
  MQ_CHECK(receiver.write());
  std::string body(static_cast<std::size_t>(std::max<std::int64_t>(8, o.size)), 'x');
  std::vector<float> times;
  const double begin = now_us();
  std::int64_t sent = 0;
  wire::Command answer;
  while (static_cast<std::int64_t>(times.size()) < o.count) {
    const double due = begin + static_cast<double>(sent) * 1e6 / o.rate;
    double left = sent < o.count ? due - now_us() : 1e6;
    if (left <= 0) {
      std::memcpy(body.data(), &due, sizeof due);  // when it was to be sent: a late send counts
      wire::append_send_request(
          sender.out, {.serialize = wire::Serialize::kBinary, .code = wire::kSendMessageV2},
          {.group = "bench",
           .topic = o.topic,
           .queue_id = 0,
           .born_timestamp_ms = system_clock().now_ms()},
          body.size());
      sender.out += body;
      MQ_CHECK(sender.write());
      ++sent;
      left = 0;
    }
    std::array<pollfd, 2> fds{pollfd{receiver.descriptor(), POLLIN, 0},
                              pollfd{sender.descriptor(), POLLIN, 0}};
    const timespec wait{0, static_cast<long>(std::min(left, 1e6 - 1) * 1e3)};
    if (ppoll(fds.data(), fds.size(), &wait, nullptr) < 0) return Error::from_errno(errno, "poll");
    if (fds[1].revents != 0) {
      MQ_CHECK(sender.read());
      while (true) {
        MQ_TRY(const Bytes frame, sender.take());
        if (frame.empty()) break;
      }
    }
    if (fds[0].revents == 0) {
      if (sent == o.count && now_us() - begin > static_cast<double>(o.count) * 1e6 / o.rate + 30e6)
        return Error{Errc::kTimeout, "messages are missing"};
      continue;
    }
    MQ_CHECK(receiver.read());
    while (true) {
      MQ_TRY(const Bytes frame, receiver.take());
      if (frame.empty()) break;
      const double now = now_us();
      MQ_CHECK(wire::decode_command(frame, answer));
      MQ_TRY(const auto response, wire::decode_pull_response(answer));
      ask(receiver, o, 0, response.next_offset, true);
      MQ_CHECK(receiver.write());
      Bytes rest = answer.code == wire::kSuccess ? answer.body : Bytes();
      while (!rest.empty()) {
        MQ_TRY(const auto record, format::decode_record(rest, format::CheckBody::kNo));
        double at = 0;
        std::memcpy(&at, record.body.data(), sizeof at);
        times.push_back(static_cast<float>(now - at));
        rest = rest.subspan(static_cast<std::size_t>(record.total_bytes));
      }
    }
  }
  Report report;
  report.add("messages", static_cast<double>(times.size()));
  report.add_times(times);
  report.print();
  return {};
}

}  // namespace mq::bench

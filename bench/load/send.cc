#include "wire/send.h"

#include <array>
#include <cstring>

#include <poll.h>

#include "base/clock.h"
#include "format/properties.h"
#include "load.h"
#include "wire/codes.h"

namespace mq::bench {
namespace {

constexpr std::size_t kOpaqueAt = 13;  // in a frame with a binary header
constexpr std::string_view kKeyProperty =
    "UNIQ_KEY\1C00002021AF153DFE9D8837C00000000\2WAIT\1true\2";
constexpr std::size_t kKeyDigitsAt = 33;  // of the property: the part that differs
constexpr std::size_t kKeyDigits = 8;

bool is_stored(std::int32_t code) { return code == 0; }

// A request, encoded once; only opaque and the keys' ends change from send to send, so that the
// generator costs little and every message still has a key of its own.
class Template {
 public:
  Template(const Options& o, const std::string& topic, int queue) {
    const std::string body(static_cast<std::size_t>(o.size), 'x');
    std::string items;
    std::vector<std::size_t> keys;
    const bool batch = o.batch > 1;
    if (batch) {
      for (int i = 0; i < o.batch; ++i) {
        wire::append_batch_item(items, {.body = as_bytes(body), .properties = kKeyProperty});
        keys.push_back(items.size() - kKeyProperty.size() + kKeyDigitsAt);
      }
    } else {
      items = body;
    }
    wire::SendRequest request{.group = "bench",
                              .topic = topic,
                              .queue_id = queue,
                              .born_timestamp_ms = system_clock().now_ms(),
                              .batch = batch,
                              .sync = o.sync};
    std::string properties(kKeyProperty);
    if (o.deliver_ms > 0) {
      format::append_property(properties, format::kTimerDeliverMs, std::to_string(o.deliver_ms));
    }
    if (!batch || o.closed) request.properties = properties;
    wire::append_send_request(frame_,
                              {.serialize = wire::Serialize::kBinary,
                               .code = batch ? wire::kSendBatchMessage : wire::kSendMessageV2},
                              request, items.size());
    if (!batch || o.closed) keys_.push_back(frame_.find(kKeyProperty) + kKeyDigitsAt);
    for (const std::size_t at : keys) keys_.push_back(frame_.size() + at);
    frame_ += items;
  }

  void append_to(std::string& out, std::int32_t opaque, std::uint32_t& number) {
    store_be(reinterpret_cast<std::byte*>(frame_.data()) + kOpaqueAt, opaque);
    for (const std::size_t at : keys_) {
      std::uint32_t left = number++;
      for (std::size_t digit = kKeyDigits; digit-- > 0; left >>= 4)
        frame_[at + digit] = "0123456789ABCDEF"[left & 15];
    }
    out += frame_;
  }

 private:
  std::string frame_;
  std::vector<std::size_t> keys_;
};

struct Sender {
  Peer peer;
  int inflight = 0;
  std::int32_t opaque = 0;
  std::vector<double> sent_us;  // by opaque, a ring
};

class Run {
 public:
  explicit Run(const Options& options) : o_(options), requests_left_(o_.count / o_.batch) {
    for (int t = 0; t < o_.topics; ++t) {
      for (int q = 0; q < o_.queues; ++q) templates_.emplace_back(o_, topic_name(o_, t), q);
    }
    times_.reserve(static_cast<std::size_t>(requests_left_));
  }

  Result<void> run() {
    for (int i = 0; i < o_.connections; ++i) {
      MQ_TRY(auto peer, Peer::connect(o_.broker));
      senders_.push_back(
          {std::move(peer), 0, 0, std::vector<double>(static_cast<std::size_t>(o_.inflight) * 4)});
    }
    const double begin = now_us();
    for (Sender& s : senders_) MQ_CHECK(fill(s));
    std::vector<pollfd> fds(senders_.size());
    while (open_ > 0) {
      for (std::size_t i = 0; i < senders_.size(); ++i) {
        fds[i] = {
            .fd = senders_[i].peer.descriptor(),
            .events = static_cast<short>(POLLIN | (senders_[i].peer.has_unsent() ? POLLOUT : 0)),
            .revents = 0};
      }
      if (poll(fds.data(), fds.size(), 30'000) <= 0)
        return Error{Errc::kTimeout, "no answer for 30 s"};
      for (std::size_t i = 0; i < senders_.size(); ++i) {
        if (fds[i].revents == 0) continue;
        if ((fds[i].revents & ~POLLOUT) != 0) MQ_CHECK(receive(senders_[i]));
        MQ_CHECK(fill(senders_[i]));
      }
    }
    const double seconds = (now_us() - begin) / 1e6;
    Report report;
    report.add("messages", static_cast<double>(stored_));
    report.add("seconds", seconds);
    report.add("rate", static_cast<double>(stored_) / seconds);
    report.add("refused", static_cast<double>(refused_));
    report.add_times(times_);
    report.print();
    return {};
  }

 private:
  Result<void> fill(Sender& s) {
    while (s.inflight < o_.inflight && requests_left_ > 0) {
      --requests_left_;
      ++s.inflight;
      ++open_;
      templates_[next_++ % templates_.size()].append_to(s.peer.out, s.opaque, number_);
      s.sent_us[static_cast<std::size_t>(s.opaque) % s.sent_us.size()] = now_us();
      ++s.opaque;
      if (s.peer.out.size() > (1 << 20)) MQ_CHECK(s.peer.write());
    }
    return s.peer.write();
  }

  Result<void> receive(Sender& s) {
    MQ_CHECK(s.peer.read());
    while (true) {
      MQ_TRY(const Bytes frame, s.peer.take());
      if (frame.empty()) return {};
      MQ_CHECK(wire::decode_command(frame, answer_));
      if (!answer_.is_response()) continue;
      times_.push_back(static_cast<float>(
          now_us() - s.sent_us[static_cast<std::size_t>(answer_.opaque) % s.sent_us.size()]));
      (is_stored(answer_.code) ? stored_ : refused_) += o_.batch;
      --s.inflight;
      --open_;
    }
  }

  const Options& o_;
  std::int64_t requests_left_;
  std::vector<Template> templates_;
  std::vector<Sender> senders_;
  std::vector<float> times_;
  wire::Command answer_;
  std::size_t next_ = 0;
  std::uint32_t number_ = 0;
  std::int64_t open_ = 0, stored_ = 0, refused_ = 0;
};

}  // namespace

Result<void> send(const Options& options) {
  MQ_CHECK(make_topics(options));
  return Run(options).run();
}

}  // namespace mq::bench

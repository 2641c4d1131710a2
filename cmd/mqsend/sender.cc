#include "sender.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include <fmt/format.h>

#include "base/clock.h"
#include "client/remote_error.h"
#include "format/properties.h"
#include "format/record.h"
#include "wire/codes.h"
#include "wire/send.h"

namespace mq::mqsend {
namespace {

constexpr std::int64_t kConnectMs = 3000;
constexpr std::int64_t kItemOverhead = 22;  // of a batch item, besides body and properties
constexpr std::size_t kItemHead = 20;       // in front of its body
constexpr std::int64_t kBatchBytesMax = 4 << 20;
constexpr std::int64_t kRetryUs = 100'000;
constexpr std::int64_t kRetryMaxUs = 1'000'000;
constexpr std::int64_t kBusyUs = 60'000'000;  // so long a pipe waits for a broker that is slow
constexpr std::int64_t kReconnectUs = 5'000'000;
constexpr std::size_t kNoBroker = SIZE_MAX;

std::int64_t now_us() { return system_clock().monotonic_us(); }

// What may be another matter in a moment.
bool is_temporary(std::int32_t code) {
  return code == wire::kSystemError || code == wire::kSystemBusy ||
         code == wire::kServiceNotAvailable;
}
bool is_stored(std::int32_t code) {
  return code == wire::kSuccess || code == wire::kFlushDiskTimeout ||
         code == wire::kFlushSlaveTimeout || code == wire::kSlaveNotAvailable;
}

}  // namespace

Sender::Sender(const Options& options, const Targets& targets, Done done)
    : options_(options),
      targets_(targets),
      done_(std::move(done)),
      batch_bytes_(options.batch_bytes) {}

// --- connections ---

bool Sender::is_lost(std::size_t broker) const {
  return broker < lanes_.size() && lanes_[broker].lost_until_us > now_us();
}

Result<client::Channel*> Sender::channel_to(std::size_t broker) {
  if (lanes_.size() < targets_.brokers().size()) lanes_.resize(targets_.brokers().size());
  Lane& lane = lanes_[broker];
  if (!lane.channel) {
    const client::BrokerAt& at = targets_.brokers()[broker];
    auto connected = client::Channel::connect(at.address, kConnectMs);
    if (!connected) return std::move(connected).error().within(at.name);
    lane.channel.emplace(*std::move(connected));
  }
  return &*lane.channel;
}

Result<void> Sender::reach(const TopicTargets& topic) {
  std::string reasons;
  std::size_t last = kNoBroker;
  bool reached = false;
  for (const Target& target : topic.all) {
    if (target.broker == std::exchange(last, target.broker)) continue;
    if (auto channel = channel_to(target.broker); channel) {
      reached = true;
    } else {
      lanes_[target.broker].lost_until_us = now_us() + kReconnectUs;
      reasons += (reasons.empty() ? "" : "; ") + channel.error().text();
    }
  }
  if (reached) return {};
  return Error{Errc::kUnavailable, fmt::format("topic '{}': none of its brokers can be reached: {}",
                                               topic.topic, reasons)};
}

// What had not begun to leave goes elsewhere if it may; of the rest nobody knows.
void Sender::lose(std::size_t broker, const std::string& reason) {
  const std::optional<client::Channel> channel =
      std::exchange(lanes_[broker].channel, std::nullopt);
  lanes_[broker].lost_until_us = now_us() + kReconnectUs;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    Request& r = *requests_[i];
    if (r.finished || broker_of(r) != broker) continue;
    const bool begun = r.frame != 0 && channel && channel->is_begun(r.frame);
    const auto other = begun || r.pinned ? std::nullopt : next_target(*r.topic, broker);
    if (!other) {
      fail(r, reason);
      continue;
    }
    r.target = *other;
    r.frame = 0;
    ++retries_;
  }
}

void Sender::fail(Request& r, const std::string& reason) {
  if (r.pinned || !next_target(*r.topic, kNoBroker)) given_up_ = true;
  finish(r, {.delivered = false, .reason = reason});
}

// --- which queue ---

std::optional<std::size_t> Sender::wanted_target(const Outgoing& message,
                                                 const TopicTargets& topic) const {
  if (!options_.shard_by.empty()) {
    // As Java's SelectMessageQueueByHash: the remainder's absolute value.
    const auto count = static_cast<std::int32_t>(topic.all.size());
    return static_cast<std::size_t>(
        std::abs(static_cast<std::int32_t>(message.shard_hash) % count));
  }
  if (message.queue < 0) return std::nullopt;
  for (std::size_t i = 0; i < topic.all.size(); ++i)
    if (topic.all[i].queue == message.queue) return i;
  return static_cast<std::size_t>(message.queue) % topic.all.size();
}

// Whole batches go round the queues, so that the records of one batch stay together and in order.
std::optional<std::size_t> Sender::next_target(TopicTargets& topic,
                                               std::size_t avoided_broker) const {
  for (std::size_t tried = 0; tried < topic.all.size(); ++tried) {
    const std::size_t at = topic.round++ % topic.all.size();
    const std::size_t broker = topic.all[at].broker;
    if (broker != avoided_broker && !is_lost(broker)) return at;
  }
  return std::nullopt;
}

// --- taking messages in ---

Sender::RequestPtr Sender::make() {
  if (spare_.empty()) return std::make_unique<Request>();
  RequestPtr out = std::move(spare_.back());
  spare_.pop_back();
  out->pinned = out->batch = out->is_part = out->finished = false;
  out->frame = 0;
  out->tries = 0;
  out->due_us = out->sent_us = 0;
  out->items.clear();
  for (std::string* text :
       {&out->ids, &out->raw, &out->body, &out->properties, &out->batch_properties})
    text->clear();
  return out;
}

Sender::Request* Sender::open_for(TopicTargets& topic, std::optional<std::size_t> target) {
  for (const RequestPtr& r : open_) {
    if (r->topic == &topic && r->pinned == target.has_value() && (!target || r->target == *target))
      return r.get();
  }
  return nullptr;
}

bool Sender::add(const Outgoing& message, TopicTargets& topic, const ItemInfo& info,
                 std::string_view raw) {
  const auto target = wanted_target(message, topic);
  const auto bytes =
      static_cast<std::int64_t>(message.body.size() + message.properties.size()) + kItemOverhead;
  Request* r = open_for(topic, target);
  // A delay is the request's own affair with the broker: such a message travels alone.
  const bool alone = bytes > kBatchBytesMax || message.alone;
  if (r != nullptr && (alone || static_cast<std::int64_t>(r->body.size()) + bytes > batch_bytes_)) {
    close(static_cast<std::size_t>(std::find_if(open_.begin(), open_.end(),
                                                [r](const RequestPtr& p) { return p.get() == r; }) -
                                   open_.begin()));
    r = nullptr;
  }
  if (r == nullptr) {
    if (requests_.size() >= static_cast<std::size_t>(options_.inflight)) return false;
    open_.push_back(make());
    r = open_.back().get();
    r->topic = &topic;
    r->pinned = target.has_value();
    r->target = target.value_or(0);
    r->open_us = now_us();
    r->batch = !alone;
    r->properties.assign(message.properties);
  }
  if (r->batch) {
    wire::append_batch_item(
        r->body, {.flag = 0, .body = as_bytes(message.body), .properties = message.properties});
  } else {
    r->body.assign(message.body);
  }
  r->items.push_back(info);
  if (!options_.receipts.empty()) r->ids += message.id;
  if (options_.tee) {
    r->raw += raw;
    r->items.back().raw_bytes = raw.size();
  }
  if (static_cast<std::int64_t>(r->body.size()) >= batch_bytes_ || alone) close(open_.size() - 1);
  return true;
}

void Sender::close(std::size_t open_index) {
  RequestPtr r = std::move(open_[open_index]);
  open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(open_index));
  if (!r->pinned) {
    // If none can be reached, posting tells why.
    r->target = next_target(*r->topic, kNoBroker).value_or(r->topic->round % r->topic->all.size());
  }
  requests_.push_back(std::move(r));
}

void Sender::flush() {
  while (!open_.empty()) close(open_.size() - 1);
}

std::int64_t Sender::flush_due(std::int64_t linger_us) {
  std::int64_t next = -1;
  for (std::size_t i = open_.size(); i-- > 0;) {
    const std::int64_t left = linger_us - (now_us() - open_[i]->open_us);
    if (left <= 0) {
      close(i);
    } else if (next < 0 || left < next) {
      next = left;
    }
  }
  return next;
}

// --- sending ---

Bytes Sender::encode(Request& r) {
  const bool alone = !r.batch || r.items.size() == 1;
  const Target& target = r.topic->all[r.target];
  wire::SendRequest send{.group = options_.producer_group,
                         .topic = r.topic->topic,
                         .queue_id = target.queue,
                         .sys_flag = options_.transaction ? format::kTransactionPrepared : 0,
                         .born_timestamp_ms = system_clock().now_ms(),
                         .batch = !alone,
                         .broker_name = name_of(target.broker),
                         .bulk = true,
                         .sync = options_.sync};
  if (alone) send.properties = r.properties;
  if (!alone && r.topic->keeps_batches) {
    if (r.batch_properties.empty()) {
      std::array<char, 32> id{};
      ids_.make(system_clock().now_ms(), id.data());
      format::append_property(r.batch_properties, format::kUniqKey, {id.data(), id.size()});
      // The broker filters the batch as a whole.
      if (!options_.tag.empty() && !options_.json && options_.format.empty())
        format::append_property(r.batch_properties, format::kTags, options_.tag);
    }
    send.properties = r.batch_properties;
  }
  Bytes body = as_bytes(r.body);
  if (alone && r.batch) {
    const auto length = load_be<std::int32_t>(body.data() + kItemHead - 4);
    body = body.subspan(kItemHead, static_cast<std::size_t>(length));
  }
  r.opaque = ++opaque_;
  const wire::Header header{.serialize = wire::Serialize::kBinary,
                            .code = alone ? wire::kSendMessageV2 : wire::kSendBatchMessage,
                            .opaque = r.opaque,
                            .flag = options_.oneway ? wire::kFlagOneway : 0};
  r.head.clear();
  wire::append_send_request(r.head, header, send, body.size());
  return body;
}

void Sender::post(Request& r) {
  auto channel = channel_to(broker_of(r));
  if (!channel) return lose(broker_of(r), channel.error().text());
  const Bytes body = encode(r);
  r.frame = (*channel)->post_borrowed(as_bytes(r.head), body);
  if (r.sent_us == 0) r.sent_us = now_us();
}

void Sender::post_due() {
  const std::int64_t now = now_us();
  const std::size_t end = postable_end();
  for (std::size_t i = 0; i < end; ++i) {
    Request& r = *requests_[i];
    if (r.frame == 0 && !r.finished && r.due_us <= now) post(r);
  }
}

std::int64_t Sender::poll_ms(std::int64_t timeout_ms) const {
  const std::int64_t now = now_us();
  const std::size_t end = postable_end();
  for (std::size_t i = 0; i < end; ++i) {
    const Request& r = *requests_[i];
    if (r.frame == 0 && !r.finished)
      timeout_ms = std::min(timeout_ms, std::max<std::int64_t>(0, (r.due_us - now) / 1000 + 1));
  }
  return timeout_ms;
}

Result<bool> Sender::pump(int input, std::int64_t timeout_ms) {
  post_due();
  polled_.clear();
  polled_.push_back({.fd = input, .events = POLLIN, .revents = 0});
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].channel) {
      if (auto written = lanes_[i].channel->write(); !written) lose(i, written.error().text());
    }
    const auto& channel = lanes_[i].channel;
    polled_.push_back({.fd = channel ? channel->descriptor() : -1,
                       .events = channel ? channel->wanted_events() : short{0},
                       .revents = 0});
  }
  finish_oneway();
  drop_finished();
  const int n = poll(polled_.data(), polled_.size(), static_cast<int>(poll_ms(timeout_ms)));
  if (n < 0 && errno != EINTR) return Error::from_errno(errno, "poll");
  if (n <= 0) return false;
  for (std::size_t i = 0; i + 1 < polled_.size(); ++i) {
    if (polled_[i + 1].revents == 0 || !lanes_[i].channel) continue;
    auto done = read(i);
    if (done) done = lanes_[i].channel->write();
    if (!done) lose(i, done.error().text());
  }
  finish_oneway();
  drop_finished();
  return polled_[0].revents != 0;
}

// --- answers ---

Result<void> Sender::read(std::size_t broker) {
  while (true) {
    MQ_TRY(const wire::Command* const answer, lanes_[broker].channel->next(0));
    if (answer == nullptr) return {};
    if (answer->is_response()) MQ_CHECK(take_answer(broker, *answer));
  }
}

Result<void> Sender::take_answer(std::size_t broker, const wire::Command& answer) {
  const auto found = std::find_if(requests_.begin(), requests_.end(), [&](const RequestPtr& r) {
    return !r->finished && r->frame != 0 && r->opaque == answer.opaque;
  });
  if (found == requests_.end()) return {};
  Request& r = **found;
  Outcome outcome{.delivered = is_stored(answer.code), .code = answer.code};
  if (outcome.delivered) {
    auto response = wire::decode_send_response(answer);
    if (!response) return Error{Errc::kProtocol, "send answer: " + response.error().text()};
    outcome.queue = response->queue_id;
    outcome.queue_offset = response->queue_offset;
    if (options_.transaction) outcome.offset_id = response->msg_id;
    splits_in_vain_ = 0;
    is_proven_ = true;
  } else if (may_retry(r, answer.code)) {
    retry(r);
    return {};
  } else if (may_split(r, answer.code)) {
    split(r);
    return {};
  }
  if (answer.code != wire::kSuccess) {
    outcome.reason = client::remote_error(name_of(broker), answer).text();
    if (!outcome.delivered && is_temporary(answer.code)) given_up_ = true;
  }
  finish(r, std::move(outcome));
  return {};
}

// A busy broker is not at fault: it holds a fast sender back, which a pipe does by waiting.
bool Sender::may_retry(const Request& r, std::int32_t code) const {
  if (given_up_ || !is_temporary(code)) return false;
  if (code == wire::kSystemBusy && options_.retries > 0) return now_us() - r.sent_us < kBusyUs;
  return r.tries < options_.retries;
}

// At another broker if there is one.
void Sender::retry(Request& r) {
  ++retries_;
  r.due_us = now_us() + std::min(kRetryMaxUs, kRetryUs << std::min(r.tries++, 8));
  r.frame = 0;
  if (r.pinned) return;
  if (const auto other = next_target(*r.topic, broker_of(r))) r.target = *other;
}

void Sender::finish_oneway() {
  if (!options_.oneway) return;
  for (const RequestPtr& r : requests_) {  // gone is all there is to know
    const auto& channel = lanes_[broker_of(*r)].channel;
    if (!r->finished && r->frame != 0 && channel && channel->is_written(r->frame))
      finish(*r, {.delivered = true});
  }
}

void Sender::finish(Request& request, Outcome outcome) {
  outcome.broker = name_of(broker_of(request));
  outcome.broker_index = broker_of(request);
  outcome.items = &request.items;
  outcome.ids = &request.ids;
  outcome.raw = &request.raw;
  outcome.latency_us = request.sent_us == 0 ? 0 : now_us() - request.sent_us;
  request.finished = true;
  done_(outcome);
}

// Not at once: whoever finishes a request may be going through them.
void Sender::drop_finished() {
  const auto gone = std::stable_partition(requests_.begin(), requests_.end(),
                                          [](const RequestPtr& r) { return !r->finished; });
  std::move(gone, requests_.end(), std::back_inserter(spare_));
  requests_.erase(gone, requests_.end());
}

void Sender::abandon(const std::string& reason) {
  flush();
  for (Lane& lane : lanes_) lane.channel.reset();
  for (const RequestPtr& r : requests_)
    if (!r->finished) finish(*r, {.delivered = false, .reason = reason});
  drop_finished();
}

}  // namespace mq::mqsend

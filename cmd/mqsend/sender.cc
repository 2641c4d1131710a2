#include "sender.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

#include <fmt/format.h>
#include <poll.h>

#include "base/clock.h"
#include "client/remote_error.h"
#include "wire/codes.h"
#include "wire/send.h"

namespace mq::mqsend {
namespace {

constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::int64_t kItemOverhead = 22;  // of a batch item, besides body and properties
constexpr std::int64_t kBatchBytesMax = 4 << 20;
constexpr std::int64_t kRetryUs = 100'000;

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

Sender::Sender(const Options& options, net::Stream stream, int write_queues, Done done)
    : options_(options),
      stream_(std::move(stream)),
      write_queues_(std::max(1, write_queues)),
      done_(std::move(done)),
      in_(kReadBytes) {
  round_ = std::random_device{}();
}

Sender::RequestPtr Sender::make() {
  if (spare_.empty()) return std::make_unique<Request>();
  RequestPtr out = std::move(spare_.back());
  spare_.pop_back();
  out->sent = 0;
  out->tries = 0;
  out->due_us = out->sent_us = 0;
  out->items.clear();
  for (std::string* text : {&out->frame, &out->ids, &out->raw, &out->body, &out->properties})
    text->clear();
  return out;
}

// Whole batches go round the queues, so that the records of one batch stay together and in order.
std::int32_t Sender::next_queue(const Outgoing& message) {
  if (options_.queue >= 0) return options_.queue;
  if (!options_.shard_by.empty()) {
    // As Java's SelectMessageQueueByHash: the remainder's absolute value.
    return std::abs(static_cast<std::int32_t>(message.shard_hash) % write_queues_);
  }
  return static_cast<std::int32_t>(round_ % static_cast<std::uint32_t>(write_queues_));
}

bool Sender::add(const Outgoing& message, const ItemInfo& info, std::string_view raw) {
  const std::int32_t queue = next_queue(message);
  const auto bytes =
      static_cast<std::int64_t>(message.body.size() + message.properties.size()) + kItemOverhead;
  if (open_ && (open_->queue != queue ||
                static_cast<std::int64_t>(open_->body.size()) + bytes > options_.batch_bytes))
    flush();
  if (!open_) {
    if (is_full()) return false;
    open_ = make();
    open_->queue = queue;
    open_since_us_ = now_us();
  }
  Request& r = *open_;
  // One that could not be in a batch goes alone, as does an empty body of a lone message nowhere.
  r.batch = bytes <= kBatchBytesMax && !is_delayed(options_);
  if (r.batch) {
    wire::append_batch_item(
        r.body, {.flag = 0, .body = as_bytes(message.body), .properties = message.properties});
  } else {
    r.body.assign(message.body);
  }
  if (r.items.empty()) r.properties.assign(message.properties);
  r.items.push_back(info);
  if (!options_.receipts.empty()) r.ids += message.id;
  if (options_.tee) r.raw += raw;
  if (static_cast<std::int64_t>(r.body.size()) >= options_.batch_bytes || !r.batch) flush();
  return true;
}

void Sender::encode(Request& r) {
  const bool alone = !r.batch || r.items.size() == 1;
  wire::SendRequest send{.group = "mqsend",
                         .topic = options_.topic,
                         .queue_id = r.queue,
                         .born_timestamp_ms = system_clock().now_ms(),
                         .batch = !alone,
                         .bulk = true,
                         .sync = options_.sync};
  // A lone message: its body stands behind the item's 20 bytes.
  std::string_view body = r.body;
  if (alone && r.batch) {
    const auto length =
        load_be<std::int32_t>(reinterpret_cast<const std::byte*>(r.body.data() + 16));
    body = body.substr(20, static_cast<std::size_t>(length));
  }
  if (alone) send.properties = r.properties;
  r.opaque = ++opaque_;
  const wire::Header header{.serialize = wire::Serialize::kBinary,
                            .code = alone ? wire::kSendMessageV2 : wire::kSendBatchMessage,
                            .opaque = r.opaque,
                            .flag = options_.oneway ? wire::kFlagOneway : 0};
  r.frame.clear();
  wire::append_send_request(r.frame, header, send, body.size());
  r.frame += body;
  r.sent = 0;
}

void Sender::flush() {
  if (!open_) return;
  encode(*open_);
  open_->body.clear();
  requests_.push_back(std::move(open_));
  ++round_;
}

Result<bool> Sender::pump(int input, std::int64_t timeout_ms) {
  MQ_CHECK(write());
  std::array<pollfd, 2> fds{};
  const std::int64_t now = now_us();
  bool unsent = false;
  for (const RequestPtr& r : requests_) {
    if (r->sent == r->frame.size()) continue;
    if (r->due_us > now) {
      timeout_ms = std::min(timeout_ms, (r->due_us - now) / 1000 + 1);
    } else {
      unsent = true;
    }
  }
  fds[0] = {.fd = stream_.descriptor(),
            .events = static_cast<short>(POLLIN | (unsent ? POLLOUT : 0)),
            .revents = 0};
  fds[1] = {.fd = input, .events = POLLIN, .revents = 0};
  const int n = poll(fds.data(), fds.size(), static_cast<int>(timeout_ms));
  if (n < 0 && errno != EINTR) return Error::from_errno(errno, "poll");
  if (n <= 0) return false;
  if (fds[0].revents != 0) MQ_CHECK(read());
  MQ_CHECK(write());
  return fds[1].revents != 0;
}

Result<void> Sender::write() {
  const std::int64_t now = now_us();
  while (true) {
    std::array<Bytes, 16> pieces;
    std::array<Request*, 16> of{};
    std::size_t count = 0;
    for (const RequestPtr& r : requests_) {
      if (r->sent == r->frame.size() || r->due_us > now) continue;
      of[count] = r.get();
      pieces[count++] = as_bytes(std::string_view(r->frame).substr(r->sent));
      if (count == pieces.size()) break;
    }
    if (count == 0) break;
    MQ_TRY(std::size_t done, stream_.write_some(std::span(pieces).first(count)));
    if (done == 0) break;
    for (std::size_t i = 0; i < count && done > 0; ++i) {
      const std::size_t part = std::min(done, pieces[i].size());
      if (of[i]->sent_us == 0) of[i]->sent_us = now;
      of[i]->sent += part;
      done -= part;
    }
  }
  if (options_.oneway) {  // gone is all there is to know
    while (!requests_.empty() && requests_.front()->sent == requests_.front()->frame.size()) {
      finish(*requests_.front(), {.delivered = true});
      spare_.push_back(std::move(requests_.front()));
      requests_.pop_front();
    }
  }
  return {};
}

Result<void> Sender::read() {
  if (in_.size() - in_used_ < kReadBytes / 2) in_.resize(in_.size() * 2);
  auto got = stream_.read_some(MutableBytes(in_).subspan(in_used_), 0);
  if (!got) {
    if (got.error().code() == Errc::kTimeout) return {};
    return std::move(got).error();
  }
  in_used_ += *got;
  std::size_t at = 0;
  while (true) {
    const Bytes rest = Bytes(in_).subspan(at, in_used_ - at);
    MQ_TRY(const std::size_t bytes, wire::frame_bytes(rest));
    if (bytes == 0 || bytes > rest.size()) break;
    MQ_CHECK(take_answer(rest.first(bytes)));
    at += bytes;
  }
  std::memmove(in_.data(), in_.data() + at, in_used_ - at);
  in_used_ -= at;
  return {};
}

Result<void> Sender::take_answer(Bytes frame) {
  MQ_CHECK(wire::decode_command(frame, answer_));
  if (!answer_.is_response()) return {};
  const auto found = std::find_if(requests_.begin(), requests_.end(),
                                  [&](const RequestPtr& r) { return r->opaque == answer_.opaque; });
  if (found == requests_.end()) return {};
  Request& r = **found;
  Outcome outcome{.delivered = is_stored(answer_.code), .code = answer_.code};
  if (outcome.delivered) {
    auto response = wire::decode_send_response(answer_);
    if (!response) return Error{Errc::kProtocol, "send answer: " + response.error().text()};
    outcome.queue = response->queue_id;
    outcome.queue_offset = response->queue_offset;
  } else if (is_temporary(answer_.code) && r.tries < options_.retries && !given_up_) {
    ++r.tries;
    r.due_us = now_us() + (kRetryUs << r.tries);
    r.sent = 0;
    r.opaque = ++opaque_;
    // The opaque stands at the same place in every binary header.
    store_be(reinterpret_cast<std::byte*>(r.frame.data()) + 13, r.opaque);
    return {};
  }
  if (answer_.code != wire::kSuccess) {
    outcome.reason = client::remote_error("broker", answer_).text();
    if (!outcome.delivered && is_temporary(answer_.code)) given_up_ = true;
  }
  finish(r, std::move(outcome));
  spare_.push_back(std::move(*found));
  requests_.erase(found);
  return {};
}

void Sender::finish(Request& request, Outcome outcome) {
  outcome.items = &request.items;
  outcome.ids = &request.ids;
  outcome.raw = &request.raw;
  outcome.latency_us = now_us() - request.sent_us;
  done_(outcome);
}

void Sender::abandon(const std::string& reason) {
  flush();
  for (const RequestPtr& r : requests_) finish(*r, {.delivered = false, .reason = reason});
  requests_.clear();
}

}  // namespace mq::mqsend

// A connection to a broker that lasts: calls are answered by callback, requests that the broker
// sends go to a handler, and what broke is connected again. One thread, driven by poll().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "client/channel.h"
#include "client/cluster.h"
#include "wire/codes.h"
#include "wire/command.h"

namespace mq::client {

class Link {
 public:
  // The answer, valid during the call; or why there is none: kTimeout, kClosed, kIo, kProtocol.
  using Answered = std::function<void(const Result<const wire::Command*>& answer)>;
  // Appends one whole request frame with this header.
  using Encode = std::function<void(std::string& out, const wire::Header& header)>;
  struct Handlers {
    std::function<void(Link&)> connected;
    std::function<void(Link&, const Error&)> lost;  // all calls have been answered with the error
    std::function<void(Link&, const wire::Command&)> request;  // from the broker
  };

  // Not connected yet: tick() sees to it. `handlers` outlive the link.
  Link(BrokerAt at, const Handlers& handlers) : at_(std::move(at)), handlers_(handlers) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  [[nodiscard]] const BrokerAt& at() const noexcept { return at_; }
  [[nodiscard]] bool is_up() const noexcept { return channel_.has_value(); }
  // Connects if it is down. Errors: those of Channel::connect.
  Result<void> connect();
  // Takes the connection down as if it had broken.
  void close(const Error& error) {
    if (channel_) lose(error);
  }

  // Needs is_up(). The callback comes from serve() or tick(), never from within.
  void call(wire::RequestCode code, const Encode& encode, std::int64_t timeout_ms,
            Answered answered);
  void tell(wire::RequestCode code, const Encode& encode);  // one-way
  void answer(std::string frame);                           // to a request of the broker

  [[nodiscard]] int descriptor() const noexcept { return channel_ ? channel_->descriptor() : -1; }
  [[nodiscard]] short wanted_events() const noexcept {
    return channel_ ? channel_->wanted_events() : short{0};
  }
  void serve();  // writes, reads, calls back
  // Ends calls whose time is over, connects again when it is time.
  void tick(std::int64_t now_us);

 private:
  struct Call {
    std::int64_t deadline_us = 0;
    Answered answered;
  };
  Result<void> exchange();
  void take(const wire::Command& command);
  void lose(const Error& error);

  const BrokerAt at_;
  const Handlers& handlers_;
  std::optional<Channel> channel_;
  std::map<std::int32_t, Call> calls_;
  std::int64_t retry_us_ = 0;  // not connected again before
  std::int64_t pause_us_ = 0;  // before the try after that
};

}  // namespace mq::client

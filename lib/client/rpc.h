// One connection for questions: a request goes out, its answer comes back, one at a time. For tools
// that look and change; sending and receiving in bulk have pipelines of their own.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/channel.h"
#include "client/remote_error.h"
#include "net/address.h"
#include "wire/codes.h"
#include "wire/command.h"

namespace mq::client {

// An answer and the frame that its views point into.
struct Reply {
  std::vector<std::byte> frame;
  wire::Command command;

  [[nodiscard]] std::int32_t code() const noexcept { return command.code; }
  [[nodiscard]] std::string_view body() const noexcept { return as_text(command.body); }
};

// One thread at a time.
class Rpc {
 public:
  struct Options {
    std::int64_t connect_timeout_ms = 3000;
    std::int64_t timeout_ms = 15'000;  // of one call, all of it
  };
  // Errors: those of net::Stream::connect.
  static Result<Rpc> connect(const net::Address& address, const Options& options);

  // Appends one whole request frame with this header.
  using Encode = std::function<void(std::string& out, const wire::Header& header)>;
  // The answer whatever its code. Frames of other requests that arrive meanwhile are dropped.
  // Errors: kTimeout, kClosed, kIo, kProtocol; the connection is of no use after any of them.
  Result<Reply> call(wire::RequestCode code, const Encode& encode);
  // The answer with code 0. Errors: as call, and remote_error.
  Result<Reply> ask(wire::RequestCode code, const Encode& encode);
  // A question without fields and body.
  Result<Reply> ask(wire::RequestCode code);

  // Sends without waiting for an answer: `encode` is given a header that says so. Errors: as call.
  Result<void> tell(wire::RequestCode code, const Encode& encode);

  [[nodiscard]] bool is_closed_by_peer() const noexcept { return channel_.is_closed_by_peer(); }
  // Any thread: a call under way ends with kClosed.
  void interrupt() const noexcept { channel_.interrupt(); }
  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }
  [[nodiscard]] bool is_broken() const noexcept { return broken_; }  // after an error of call

 private:
  Rpc(Channel channel, std::string peer, std::int64_t timeout_ms)
      : channel_(std::move(channel)), peer_(std::move(peer)), timeout_ms_(timeout_ms) {}
  Result<Reply> exchange(wire::RequestCode code, const Encode& encode);

  Channel channel_;
  std::string peer_;  // as the address was given; starts error texts
  std::int64_t timeout_ms_;
  bool broken_ = false;
};

}  // namespace mq::client

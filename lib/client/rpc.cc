#include "client/rpc.h"

#include <fmt/format.h>

#include "base/clock.h"

namespace mq::client {

Result<Rpc> Rpc::connect(const net::Address& address, const Options& options) {
  MQ_TRY(Channel channel, Channel::connect(address, options.connect_timeout_ms));
  return Rpc(std::move(channel), net::to_string(address), options.timeout_ms);
}

Result<Reply> Rpc::call(wire::RequestCode code, const Encode& encode) {
  auto reply = exchange(code, encode);
  if (!reply) {
    broken_ = true;
    return std::move(reply).error().within(peer_);
  }
  return reply;
}

Result<Reply> Rpc::exchange(wire::RequestCode code, const Encode& encode) {
  const std::int64_t deadline_us = system_clock().monotonic_us() + timeout_ms_ * 1000;
  const std::int32_t opaque = channel_.next_opaque();
  std::string request;
  encode(request, {.serialize = wire::Serialize::kBinary, .code = code, .opaque = opaque});
  channel_.post(std::move(request));
  MQ_CHECK(channel_.flush(timeout_ms_));
  while (true) {
    const std::int64_t left_ms = (deadline_us - system_clock().monotonic_us()) / 1000;
    if (left_ms <= 0)
      return Error{Errc::kTimeout, fmt::format("no answer within {} ms", timeout_ms_)};
    MQ_TRY(const Bytes frame, channel_.next_frame(left_ms));
    if (frame.empty()) continue;
    Reply reply;
    reply.frame.assign(frame.begin(), frame.end());
    MQ_CHECK(wire::decode_command(reply.frame, reply.command));
    if (reply.command.is_response() && reply.command.opaque == opaque) return reply;
  }
}

Result<void> Rpc::tell(wire::RequestCode code, const Encode& encode) {
  std::string request;
  encode(request, {.serialize = wire::Serialize::kBinary,
                   .code = code,
                   .opaque = channel_.next_opaque(),
                   .flag = wire::kFlagOneway});
  channel_.post(std::move(request));
  auto sent = channel_.flush(timeout_ms_);
  if (sent) return sent;
  broken_ = true;
  return std::move(sent).error().within(peer_);
}

Result<Reply> Rpc::ask(wire::RequestCode code, const Encode& encode) {
  MQ_TRY(Reply reply, call(code, encode));
  if (reply.code() != wire::kSuccess) return remote_error(peer_, reply.command);
  return reply;
}

Result<Reply> Rpc::ask(wire::RequestCode code) {
  return ask(code, [](std::string& out, const wire::Header& header) {
    wire::append_frame_head(out, header, {}, 0);
  });
}

}  // namespace mq::client

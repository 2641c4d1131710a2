#include "client/rpc.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/clock.h"

namespace mq::client {
namespace {

constexpr std::size_t kReadBytes = 64 << 10;

}  // namespace

Result<Rpc> Rpc::connect(const net::Address& address, const Options& options) {
  MQ_TRY(net::Stream stream, net::Stream::connect(address, options.connect_timeout_ms));
  return Rpc(std::move(stream), net::to_string(address), options.timeout_ms);
}

Result<Reply> Rpc::call(wire::RequestCode code, const Encode& encode) {
  const std::int32_t opaque = ++opaque_;
  std::string request;
  encode(request, {.serialize = wire::Serialize::kBinary, .code = code, .opaque = opaque});
  const Bytes piece = as_bytes(request);
  if (auto sent = stream_.write_all({&piece, 1}, timeout_ms_); !sent) {
    return std::move(sent).error().within(peer_);
  }
  auto reply = receive(opaque);
  if (!reply) return std::move(reply).error().within(peer_);
  return reply;
}

Result<void> Rpc::tell(wire::RequestCode code, const Encode& encode) {
  std::string request;
  encode(request, {.serialize = wire::Serialize::kBinary,
                   .code = code,
                   .opaque = ++opaque_,
                   .flag = wire::kFlagOneway});
  const Bytes piece = as_bytes(request);
  if (auto sent = stream_.write_all({&piece, 1}, timeout_ms_); !sent)
    return std::move(sent).error().within(peer_);
  return {};
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

Result<Reply> Rpc::receive(std::int32_t opaque) {
  const std::int64_t deadline_us = system_clock().monotonic_us() + timeout_ms_ * 1000;
  for (;;) {
    Reply reply;
    MQ_TRY(reply.frame, take_frame(deadline_us));
    MQ_CHECK(wire::decode_command(reply.frame, reply.command));
    if (reply.command.is_response() && reply.command.opaque == opaque) return reply;
  }
}

Result<std::vector<std::byte>> Rpc::take_frame(std::int64_t deadline_us) {
  for (;;) {
    MQ_TRY(const std::size_t whole, wire::frame_bytes(in_));
    if (whole > 0 && in_.size() >= whole) {
      const auto end = in_.begin() + static_cast<std::ptrdiff_t>(whole);
      std::vector<std::byte> frame(in_.begin(), end);
      in_.erase(in_.begin(), end);
      return frame;
    }
    const std::int64_t left_ms = (deadline_us - system_clock().monotonic_us()) / 1000;
    if (left_ms <= 0) {
      return Error{Errc::kTimeout, fmt::format("no answer within {} ms", timeout_ms_)};
    }
    const std::size_t have = in_.size();
    in_.resize(have + std::max(kReadBytes, whole > have ? whole - have : 0));
    auto count = stream_.read_some(MutableBytes(in_).subspan(have), left_ms);
    in_.resize(have + (count ? *count : 0));
    if (!count) return std::move(count).error();
  }
}

}  // namespace mq::client

#include "client/channel.h"

#include <array>
#include <cstring>

#include <fmt/format.h>
#include <poll.h>

#include "base/clock.h"

namespace mq::client {
namespace {

constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::size_t kPiecesMax = 32;  // of one write

// What sign_as() was told; requests are not signed while there is no name.
wire::Credentials& signer() {
  static wire::Credentials credentials;
  return credentials;
}
// The frame as it is to leave. One that cannot be signed leaves as it is: the broker then says who
// is missing.
std::string as_sent(std::string frame) {
  if (signer().access_key.empty()) return frame;
  std::string out;
  if (!wire::append_signed_frame(out, as_bytes(frame), signer())) return frame;
  return out;
}

}  // namespace

void sign_as(wire::Credentials credentials) { signer() = std::move(credentials); }

Result<Channel> Channel::connect(const net::Address& address, std::int64_t timeout_ms) {
  MQ_TRY(net::Stream stream, net::Stream::connect(address, timeout_ms));
  return Channel(std::move(stream));
}

std::uint64_t Channel::post(std::string frame) {
  ++posted_;
  Piece& piece = out_.emplace_back();
  piece.own = as_sent(std::move(frame));
  piece.bytes = as_bytes(piece.own);
  piece.frame = posted_;
  return posted_;
}

std::uint64_t Channel::post_borrowed(Bytes head, Bytes body) {
  if (!signer().access_key.empty()) {
    std::string frame(as_text(head));
    frame += as_text(body);
    return post(std::move(frame));
  }
  ++posted_;
  out_.push_back({.own = {}, .bytes = head, .frame = posted_, .is_last = body.empty()});
  if (!body.empty()) out_.push_back({.own = {}, .bytes = body, .frame = posted_});
  return posted_;
}

bool Channel::is_written(std::uint64_t frame) const noexcept { return frame <= written_; }
bool Channel::is_begun(std::uint64_t frame) const noexcept {
  if (is_written(frame)) return true;
  return !out_.empty() &&
         (frame < out_.front().frame || (frame == out_.front().frame && out_.front().is_begun));
}

short Channel::wanted_events() const noexcept {
  return static_cast<short>(POLLIN | (has_unsent() ? POLLOUT : 0));
}

Result<void> Channel::write() {
  while (!out_.empty()) {
    std::array<Bytes, kPiecesMax> pieces;
    const std::size_t count = std::min(out_.size(), pieces.size());
    for (std::size_t i = 0; i < count; ++i) pieces[i] = out_[i].bytes;
    MQ_TRY(std::size_t done, stream_.write_some(std::span(pieces).first(count)));
    if (done == 0) return {};
    while (!out_.empty() && done >= out_.front().bytes.size()) {
      done -= out_.front().bytes.size();
      if (out_.front().is_last) {
        written_ = out_.front().frame;
      } else {
        out_[1].is_begun = true;  // the rest of the same frame
      }
      out_.pop_front();
    }
    if (done > 0) {
      out_.front().bytes = out_.front().bytes.subspan(done);
      out_.front().is_begun = true;
    }
  }
  return {};
}

Result<void> Channel::flush(std::int64_t timeout_ms) {
  const std::int64_t deadline_us = system_clock().monotonic_us() + timeout_ms * 1000;
  while (true) {
    MQ_CHECK(write());
    if (!has_unsent()) return {};
    const std::int64_t left_ms = (deadline_us - system_clock().monotonic_us()) / 1000;
    if (left_ms <= 0)
      return Error{Errc::kTimeout, fmt::format("not sent within {} ms", timeout_ms)};
    pollfd fd{.fd = descriptor(), .events = POLLOUT, .revents = 0};
    (void)poll(&fd, 1, static_cast<int>(left_ms));  // write() tells what is wrong
  }
}

// Moves what is not taken to the front and makes the buffer large enough for the frame at hand.
void Channel::make_room(std::size_t frame_bytes) {
  const bool fits = begin_ + frame_bytes <= in_.size() && in_.size() - end_ >= kReadBytes / 2;
  if (fits && end_ < in_.size()) return;
  if (end_ > begin_) std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  const std::size_t wanted = std::max(frame_bytes, end_ + kReadBytes);
  if (in_.size() < wanted) in_.resize(std::max(wanted, in_.size() * 2));
}

Result<Bytes> Channel::next_frame(std::int64_t timeout_ms) {
  const std::int64_t deadline_us =
      timeout_ms > 0 ? system_clock().monotonic_us() + timeout_ms * 1000 : 0;
  while (true) {
    const Bytes have = Bytes(in_).subspan(begin_, end_ - begin_);
    MQ_TRY(const std::size_t bytes, wire::frame_bytes(have));
    if (bytes > 0 && bytes <= have.size()) {
      begin_ += bytes;
      return have.first(bytes);
    }
    make_room(bytes);
    const std::int64_t left_us = timeout_ms > 0 ? deadline_us - system_clock().monotonic_us() : 0;
    auto got = stream_.read_some(MutableBytes(in_).subspan(end_),
                                 std::max<std::int64_t>(0, (left_us + 999) / 1000));
    if (!got) {
      if (got.error().code() == Errc::kTimeout) return Bytes();
      return std::move(got).error();
    }
    end_ += *got;
  }
}

Result<const wire::Command*> Channel::next(std::int64_t timeout_ms) {
  MQ_TRY(const Bytes frame, next_frame(timeout_ms));
  if (frame.empty()) return static_cast<const wire::Command*>(nullptr);
  MQ_CHECK(wire::decode_command(frame, command_));
  return static_cast<const wire::Command*>(&command_);
}

}  // namespace mq::client

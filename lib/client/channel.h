// A connection that keeps many requests under way: frames go out in order, whole frames come in,
// and the user pairs them by opaque. Never blocks but where a time is given, so that one thread can
// serve several with poll().
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/stream.h"
#include "wire/command.h"
#include "wire/signature.h"

namespace mq::client {

// From here on every request that this process sends is signed by that user (remoting.md 15.1), at
// the price of a copy of its frame. Before the first connection; not for other threads to see
// later.
void sign_as(wire::Credentials credentials);

// One thread at a time. After any error the connection is of no use.
class Channel {
 public:
  // Errors: those of net::Stream::connect.
  static Result<Channel> connect(const net::Address& address, std::int64_t timeout_ms);

  [[nodiscard]] std::int32_t next_opaque() noexcept { return ++opaque_; }

  // Queues a frame for the next write(); the number returned counts frames from 1.
  std::uint64_t post(std::string frame);
  // The same in two pieces that stay the caller's: they must live until is_written(). Where
  // requests are signed both are copied.
  std::uint64_t post_borrowed(Bytes head, Bytes body);
  [[nodiscard]] bool is_begun(std::uint64_t frame) const noexcept;    // a byte of it has left
  [[nodiscard]] bool is_written(std::uint64_t frame) const noexcept;  // all of it has left
  [[nodiscard]] bool has_unsent() const noexcept { return !out_.empty(); }

  // What the socket takes now. Errors: kClosed, kIo.
  Result<void> write();
  // All of it. Errors: kTimeout besides.
  Result<void> flush(std::int64_t timeout_ms);

  // The next whole frame, waiting at most `timeout_ms` for it (0: not at all); empty when there is
  // none yet. Valid until the next call. Errors: kClosed, kIo, kProtocol.
  Result<Bytes> next_frame(std::int64_t timeout_ms);
  // The same, decoded; null when there is none yet.
  Result<const wire::Command*> next(std::int64_t timeout_ms);

  [[nodiscard]] bool is_closed_by_peer() const noexcept { return stream_.is_closed_by_peer(); }
  // Any thread: whoever waits for the socket gets kClosed.
  void interrupt() const noexcept { stream_.interrupt(); }
  [[nodiscard]] int descriptor() const noexcept { return stream_.descriptor(); }
  [[nodiscard]] short wanted_events() const noexcept;  // for poll()

 private:
  struct Piece {
    std::string own;
    Bytes bytes;          // what is left; points into `own` or is borrowed
    std::uint64_t frame;  // it belongs to
    bool is_last = true;  // of that frame
    bool is_begun = false;
  };
  explicit Channel(net::Stream stream) : stream_(std::move(stream)) {}
  void make_room(std::size_t frame_bytes);

  net::Stream stream_;
  std::int32_t opaque_ = 0;
  std::deque<Piece> out_;
  std::uint64_t posted_ = 0;
  std::uint64_t written_ = 0;
  std::vector<std::byte> in_;
  std::size_t begin_ = 0;  // in in_: the first byte not taken
  std::size_t end_ = 0;
  wire::Command command_;
};

}  // namespace mq::client

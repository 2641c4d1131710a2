// A connected socket for clients: no event loop, no threads. One thread uses it at a time.
#pragma once

#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "net/address.h"

namespace mq::net {

class Stream {
 public:
  // Connects within the time. Errors: kUnavailable (refused, no such socket, unreachable; the text
  // names the address), kTimeout, kInvalid (unknown host).
  static Result<Stream> connect(const Address& address, std::int64_t timeout_ms);
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;
  ~Stream();

  // Reads what is there, at least 1 byte, waiting at most `timeout_ms` (0: not at all, -1: for
  // ever). Errors: kTimeout, kClosed (end or reset), kIo.
  Result<std::size_t> read_some(MutableBytes out, std::int64_t timeout_ms);
  // Writes all. Errors: kTimeout, kClosed, kIo.
  Result<void> write_all(std::span<const Bytes> pieces, std::int64_t timeout_ms);
  // Writes what the socket takes without waiting; 0 when it is full.
  Result<std::size_t> write_some(std::span<const Bytes> pieces);
  // Has the peer closed it, with nothing left to read? Takes no byte.
  [[nodiscard]] bool is_closed_by_peer() const noexcept;
  // Any thread: ends the connection, so that whoever waits on it gets kClosed.
  void interrupt() const noexcept;
  [[nodiscard]] int descriptor() const noexcept { return fd_; }  // for poll(); -1 after a move

 private:
  explicit Stream(int fd) noexcept : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace mq::net

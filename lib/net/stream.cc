#include "net/stream.h"

#include <cerrno>
#include <chrono>
#include <optional>

#include <fmt/format.h>
#include <poll.h>
#include <sys/uio.h>

#include "net/sockets.h"

namespace mq::net {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Counts down over several waits; negative: for ever.
class Deadline {
 public:
  explicit Deadline(std::int64_t timeout_ms)
      : for_ever_(timeout_ms < 0),
        at_(SteadyClock::now() + std::chrono::milliseconds(for_ever_ ? 0 : timeout_ms)) {}
  [[nodiscard]] int left_ms() const {
    if (for_ever_) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - SteadyClock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
  }

 private:
  bool for_ever_;
  SteadyClock::time_point at_;
};

// Until the descriptor is ready or has failed. Errors: kTimeout, kIo.
Result<void> wait_for(int fd, short events, const Deadline& deadline) {
  for (;;) {
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    const int left = deadline.left_ms();
    const int ready = ::poll(&entry, 1, left);
    if (ready > 0) return {};
    if (ready == 0 && deadline.left_ms() == 0) return Error{Errc::kTimeout};
    if (ready < 0 && errno != EINTR) return Error::from_errno(errno, "poll");
  }
}

bool is_closed(int sys_errno) noexcept { return sys_errno == EPIPE || sys_errno == ECONNRESET; }

Error unavailable(const Address& address, int sys_errno) {
  return Error{Errc::kUnavailable, Error::from_errno(sys_errno, to_string(address)).text()};
}

Result<Descriptor> connect_to(const SocketAddress& at, const Address& address,
                              const Deadline& deadline) {
  Descriptor fd(::socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.is_open()) return Error::from_errno(errno, "socket");
  if (::connect(fd.get(), at.get(), at.bytes) != 0) {
    // A Unix socket whose backlog is full says EAGAIN and cannot be waited for.
    if (errno != EINPROGRESS && errno != EINTR) return unavailable(address, errno);
    if (auto ready = wait_for(fd.get(), POLLOUT, deadline); !ready)
      return std::move(ready).error().within(fmt::format("connecting to {}", to_string(address)));
    int failed = 0;
    socklen_t bytes = sizeof failed;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &failed, &bytes);
    if (failed != 0) return unavailable(address, failed);
  }
  if (address.kind == Address::Kind::kTcp) set_no_delay(fd.get());
  return fd;
}

// One sendmsg for what is left of the pieces behind `skip` bytes.
Result<std::size_t> send_pieces(int fd, std::span<const Bytes> pieces, std::size_t skip) {
  std::array<iovec, 64> vectors{};
  std::size_t count = 0;
  for (const Bytes piece : pieces) {
    if (skip >= piece.size()) {
      skip -= piece.size();
      continue;
    }
    const Bytes rest = piece.subspan(std::exchange(skip, 0));
    vectors[count++] = {const_cast<std::byte*>(rest.data()), rest.size()};
    if (count == vectors.size()) break;
  }
  if (count == 0) return std::size_t{0};
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  for (;;) {
    const ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return std::size_t{0};
    if (is_closed(errno)) return Error{Errc::kClosed, "the peer closed the connection"};
    return Error::from_errno(errno, "send");
  }
}

}  // namespace

Result<Stream> Stream::connect(const Address& address, std::int64_t timeout_ms) {
  const Deadline deadline(timeout_ms);
  MQ_TRY(const auto all, resolve(address, false));
  std::optional<Error> first;
  for (const auto& at : all) {
    auto fd = connect_to(at, address, deadline);
    if (fd) return Stream(fd->release());
    if (!first) first = std::move(fd).error();
  }
  return *std::move(first);
}

Stream::Stream(Stream&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
Stream::~Stream() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::size_t> Stream::read_some(MutableBytes out, std::int64_t timeout_ms) {
  std::optional<Deadline> deadline;
  for (;;) {
    const ssize_t got = ::recv(fd_, out.data(), out.size(), MSG_DONTWAIT);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) return Error{Errc::kClosed, "the peer closed the connection"};
    if (errno == EINTR) continue;
    if (is_closed(errno)) return Error{Errc::kClosed, "the peer reset the connection"};
    if (errno != EAGAIN) return Error::from_errno(errno, "recv");
    if (!deadline) deadline.emplace(timeout_ms);
    MQ_CHECK(wait_for(fd_, POLLIN, *deadline));
  }
}

Result<void> Stream::write_all(std::span<const Bytes> pieces, std::int64_t timeout_ms) {
  std::size_t total = 0;
  for (const Bytes piece : pieces) total += piece.size();
  std::optional<Deadline> deadline;
  for (std::size_t sent = 0; sent < total;) {
    MQ_TRY(const std::size_t more, send_pieces(fd_, pieces, sent));
    sent += more;
    if (more > 0) continue;
    if (!deadline) deadline.emplace(timeout_ms);
    MQ_CHECK(wait_for(fd_, POLLOUT, *deadline));
  }
  return {};
}

Result<std::size_t> Stream::write_some(std::span<const Bytes> pieces) {
  return send_pieces(fd_, pieces, 0);
}

bool Stream::is_closed_by_peer() const noexcept {
  char byte = 0;
  const ssize_t got = ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

void Stream::interrupt() const noexcept { ::shutdown(fd_, SHUT_RDWR); }

}  // namespace mq::net

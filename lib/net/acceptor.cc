#include "net/acceptor.h"

#include <cerrno>

#include <sys/socket.h>

#include "base/log.h"

namespace mq::net {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr auto kRest = std::chrono::milliseconds(100);

}  // namespace

Acceptor::Acceptor(Loop& loop, Descriptor fd, Give give)
    : descriptor_(loop.context(), fd.release()), timer_(loop.context()), give_(std::move(give)) {}

void Acceptor::start() { wait(); }

void Acceptor::wait() {
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [this](AsioError error) {
    if (!error && !closed_) accept_all();
  });
}

void Acceptor::accept_all() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage peer{};
    socklen_t bytes = sizeof peer;
    const int fd = ::accept4(descriptor_.native_handle(), reinterpret_cast<sockaddr*>(&peer),
                             &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      give_(Descriptor(fd), peer, bytes);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      log::warn("no descriptor for another connection: accepting rests for a moment");
      return rest();
    }
    if (errno != EINTR && errno != ECONNABORTED) break;
  }
  wait();
}

// The waiting connection stays in the backlog; asking again at once would spin.
void Acceptor::rest() {
  timer_.expires_after(kRest);
  timer_.async_wait([this](AsioError error) {
    if (!error && !closed_) wait();
  });
}

void Acceptor::close() {
  closed_ = true;
  AsioError ignored;
  timer_.cancel();
  descriptor_.close(ignored);
}

}  // namespace mq::net

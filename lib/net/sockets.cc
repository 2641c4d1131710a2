#include "net/sockets.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace mq::net {
namespace {

constexpr int kBacklog = 1024;

Result<SocketAddress> unix_address(const std::string& path) {
  SocketAddress out;
  auto* const un = reinterpret_cast<sockaddr_un*>(&out.storage);
  if (path.size() >= sizeof un->sun_path)
    return Error{Errc::kInvalid,
                 fmt::format("unix:{}: the path has {} bytes, a socket's at most {}", path,
                             path.size(), sizeof un->sun_path - 1)};
  un->sun_family = AF_UNIX;
  std::memcpy(un->sun_path, path.data(), path.size());
  out.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return out;
}

Result<Descriptor> open_socket(int family) {
  Descriptor fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.is_open()) return Error::from_errno(errno, "socket");
  return fd;
}

Result<void> bind_to(int fd, const SocketAddress& at, const Address& address) {
  if (::bind(fd, at.get(), at.bytes) == 0) return {};
  if (errno == EADDRINUSE)
    return Error{Errc::kBusy, fmt::format("{}: somebody else listens there", to_string(address))};
  return Error::from_errno(errno, to_string(address));
}

// A socket file that a dead process left behind. Nothing else is ever removed.
bool is_stale(const SocketAddress& at, const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return false;
  auto fd = open_socket(AF_UNIX);
  return fd && ::connect(fd->get(), at.get(), at.bytes) != 0 && errno == ECONNREFUSED;
}

Result<Descriptor> listen_unix(const Address& address, unsigned mode) {
  MQ_TRY(const SocketAddress at, unix_address(address.path));
  MQ_TRY(Descriptor fd, open_socket(AF_UNIX));
  auto bound = bind_to(fd.get(), at, address);
  if (!bound && bound.error().code() == Errc::kBusy && is_stale(at, address.path)) {
    ::unlink(address.path.c_str());
    bound = bind_to(fd.get(), at, address);
  }
  if (!bound) return std::move(bound).error();
  // Before anybody can connect.
  if (::chmod(address.path.c_str(), mode) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    const int error = errno;
    ::unlink(address.path.c_str());
    return Error::from_errno(error, to_string(address));
  }
  return fd;
}

Result<Descriptor> listen_tcp_at(const SocketAddress& at, const Address& address) {
  MQ_TRY(Descriptor fd, open_socket(at.family()));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  MQ_CHECK(bind_to(fd.get(), at, address));
  if (::listen(fd.get(), kBacklog) != 0) return Error::from_errno(errno, to_string(address));
  return fd;
}

Result<Descriptor> listen_tcp(const Address& address) {
  MQ_TRY(const auto all, resolve(address, true));
  std::optional<Error> first;
  for (const auto& at : all) {
    auto fd = listen_tcp_at(at, address);
    if (fd) return fd;
    if (!first) first = std::move(fd).error();
  }
  return *std::move(first);
}

}  // namespace

Result<std::vector<SocketAddress>> resolve(const Address& address, bool to_listen) {
  if (address.kind == Address::Kind::kUnix) {
    MQ_TRY(SocketAddress at, unix_address(address.path));
    return std::vector{at};
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (to_listen ? AI_PASSIVE : 0);
  addrinfo* list = nullptr;
  const int failed =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  if (failed != 0)
    return Error{failed == EAI_AGAIN ? Errc::kUnavailable : Errc::kInvalid,
                 fmt::format("{}: {}", to_string(address), ::gai_strerror(failed))};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  std::vector<SocketAddress> out;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    SocketAddress one;
    std::memcpy(&one.storage, at->ai_addr, at->ai_addrlen);
    one.bytes = at->ai_addrlen;
    out.push_back(one);
  }
  // Other clients of a name that stands for both, as localhost, mostly try IPv4 first.
  std::stable_partition(out.begin(), out.end(),
                        [](const auto& one) { return one.family() == AF_INET; });
  if (out.empty()) return Error{Errc::kInvalid, fmt::format("{}: no address", to_string(address))};
  return out;
}

PeerName peer_name(const SocketAddress& peer) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (peer.family() == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&peer.storage);
    ::inet_ntop(AF_INET, &in->sin_addr, text.data(), text.size());
    return {text.data(), ntohs(in->sin_port)};
  }
  if (peer.family() == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(&peer.storage);
    if (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr))
      ::inet_ntop(AF_INET, &in->sin6_addr.s6_addr[12], text.data(), text.size());
    else
      ::inet_ntop(AF_INET6, &in->sin6_addr, text.data(), text.size());
    return {text.data(), ntohs(in->sin6_port)};
  }
  return {"127.0.0.1", 0};
}

bool is_own_peer(int fd, int family) noexcept {
  if (family != AF_UNIX) return false;
  ucred peer{};
  socklen_t bytes = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
         (peer.uid == 0 || peer.uid == ::geteuid());
}

Result<Address> local_address(int fd) {
  SocketAddress at;
  at.bytes = sizeof at.storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&at.storage), &at.bytes) != 0)
    return Error::from_errno(errno, "getsockname");
  Address out;
  if (at.family() == AF_UNIX) {
    const auto* un = reinterpret_cast<const sockaddr_un*>(&at.storage);
    out.kind = Address::Kind::kUnix;
    out.path.assign(un->sun_path, ::strnlen(un->sun_path, sizeof un->sun_path));
    return out;
  }
  if (at.family() != AF_INET && at.family() != AF_INET6)
    return Error{Errc::kInvalid, "the socket is neither a Unix nor a TCP socket"};
  PeerName name = peer_name(at);
  out.host = std::move(name.ip);
  out.port = name.port;
  return out;
}

Result<Descriptor> listen_socket(const Address& address, unsigned unix_mode) {
  return address.kind == Address::Kind::kUnix ? listen_unix(address, unix_mode)
                                              : listen_tcp(address);
}

void set_no_delay(int fd) noexcept {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Result<void> set_non_blocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
    return Error::from_errno(errno, "fcntl");
  return {};
}

}  // namespace mq::net

// Names and addresses of sockets, and listening ones. System calls without Asio.
#pragma once

#include <string>
#include <vector>

#include <sys/socket.h>

#include "base/result.h"
#include "net/address.h"
#include "net/descriptor.h"

namespace mq::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
  [[nodiscard]] const sockaddr* get() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
  [[nodiscard]] int family() const noexcept { return storage.ss_family; }
};
// Every address the name stands for, IPv4 first. Errors: kInvalid (unknown host, path too long),
// kUnavailable (the resolver does not answer).
Result<std::vector<SocketAddress>> resolve(const Address& address, bool to_listen);

// What the socket is bound to.
Result<Address> local_address(int fd);
// Host and port in numbers; an IPv4 peer of an IPv6 socket as IPv4. Unix sockets: 127.0.0.1, 0.
struct PeerName {
  std::string ip;
  std::uint16_t port = 0;
};
[[nodiscard]] PeerName peer_name(const SocketAddress& peer);

// Is the other end of this Unix socket a process of root or of our own user? False for TCP.
[[nodiscard]] bool is_own_peer(int fd, int family) noexcept;

// A listening, non-blocking socket. See Server::listen for the rules.
Result<Descriptor> listen_socket(const Address& address, unsigned unix_mode);

void set_no_delay(int fd) noexcept;
Result<void> set_non_blocking(int fd);

}  // namespace mq::net

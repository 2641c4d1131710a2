// The PROXY protocol, versions 1 and 2: how a load balancer says whom a connection comes from
// (remoting.md 1.2). Pure.
//
//   v1   "PROXY TCP4 10.0.0.1 10.0.0.2 40000 10911\r\n", TCP6, or UNKNOWN with anything behind it
//   v2   12 bytes signature, version and command, family, length in 2 bytes, addresses, TLVs
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace mq::net {

struct ProxyHeader {
  std::size_t bytes = 0;  // the header has
  // Whom the connection comes from; none when the proxy speaks for itself or does not know.
  std::optional<std::string> ip{};
  std::uint16_t port = 0;
};

// Can a header start with this byte? No frame and no TLS handshake does.
[[nodiscard]] constexpr bool may_start_proxy_header(std::byte first) noexcept {
  return first == std::byte{'P'} || first == std::byte{'\r'};
}
// Nothing while the header is not whole. Errors: kProtocol.
Result<std::optional<ProxyHeader>> parse_proxy_header(Bytes in);

}  // namespace mq::net

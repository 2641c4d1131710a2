// Any bytes as the first of a connection: as a PROXY header they are whole, unfinished or refused.
// A whole one lies in the input, is the same however much follows it, and every beginning of it is
// unfinished.
#include "net/proxy_header.h"

#include <string>

#include <arpa/inet.h>

#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mq;
  const Bytes in = std::as_bytes(std::span(data, size));
  const auto read = net::parse_proxy_header(in);
  if (!read || !*read) return 0;
  const net::ProxyHeader& header = **read;
  MQ_ASSERT(header.bytes > 0 && header.bytes <= size);
  if (header.ip) {
    in6_addr address{};
    MQ_ASSERT(inet_pton(AF_INET, header.ip->c_str(), &address) == 1 ||
              inet_pton(AF_INET6, header.ip->c_str(), &address) == 1);
  }
  const auto alone = net::parse_proxy_header(in.first(header.bytes));
  MQ_ASSERT(alone && *alone && (*alone)->bytes == header.bytes && (*alone)->ip == header.ip &&
            (*alone)->port == header.port);
  for (std::size_t bytes = 0; bytes < header.bytes; ++bytes) {
    const auto part = net::parse_proxy_header(in.first(bytes));
    MQ_ASSERT(part && !*part);
  }
  return 0;
}

// Hosts as text (record.h).
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include "format/record.h"

namespace mq::format {
namespace {

Result<std::int32_t> parse_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    return Error{Errc::kInvalid, fmt::format("'{}' is not a port (0 to 65535)", digits)};
  }
  return port;
}

bool parse_v4(const std::string& text, Host& host) {
  host.address_bytes = 4;
  return inet_pton(AF_INET, text.c_str(), host.address.data()) == 1;
}

bool parse_v6(const std::string& text, Host& host) {
  if (inet_pton(AF_INET6, text.c_str(), host.address.data()) != 1) return false;
  host.address_bytes = 16;
  in6_addr address{};
  std::memcpy(&address, host.address.data(), sizeof address);
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    host = Host{};
    std::memcpy(host.address.data(), &address.s6_addr[12], 4);
  }
  return true;
}

}  // namespace

std::string to_string(const Host& host) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(host.is_v6() ? AF_INET6 : AF_INET, host.address.data(), text.data(), text.size());
  return host.is_v6() ? fmt::format("[{}]:{}", text.data(), host.port)
                      : fmt::format("{}:{}", text.data(), host.port);
}

Result<Host> parse_host(std::string_view text) {
  const auto refuse = [&] {
    return Error{Errc::kInvalid, fmt::format("'{}' is not an address with a port", text)};
  };
  if (text.find('\0') != std::string_view::npos) return Error{Errc::kInvalid, "address with a NUL"};
  Host host;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return refuse();
    if (!parse_v6(std::string(text.substr(1, close - 1)), host)) return refuse();
    const std::string_view rest = text.substr(close + 1);
    if (rest.empty()) return host;
    if (rest.front() != ':') return refuse();
    MQ_TRY(host.port, parse_port(rest.substr(1)));
    return host;
  }
  const std::size_t colon = text.find(':');
  if (colon != text.rfind(':')) {  // two colons and no brackets: a bare IPv6 address
    if (!parse_v6(std::string(text), host)) return refuse();
    return host;
  }
  if (!parse_v4(std::string(text.substr(0, colon)), host)) return refuse();
  if (colon != std::string_view::npos) {
    MQ_TRY(host.port, parse_port(text.substr(colon + 1)));
  }
  return host;
}

}  // namespace mq::format

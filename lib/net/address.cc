#include "net/address.h"

#include <charconv>

#include <fmt/format.h>

namespace mq::net {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

Error invalid(std::string_view text, std::string_view why) {
  return Error{Errc::kInvalid, fmt::format("address '{}': {}", text, why)};
}

}  // namespace

bool Address::is_loopback() const noexcept {
  return kind == Kind::kUnix || host == "localhost" || host == "::1" || host.starts_with("127.");
}

Result<Address> parse_address(std::string_view text) {
  Address out;
  if (text.starts_with(kUnixPrefix)) {
    out.kind = Address::Kind::kUnix;
    out.path = text.substr(kUnixPrefix.size());
    if (out.path.empty()) return invalid(text, "no path after 'unix:'");
    if (out.path.find('\0') != std::string::npos) return invalid(text, "a zero byte in the path");
    return out;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return invalid(text, "no port, expected HOST:PORT");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']') && host.size() > 2)
    host = host.substr(1, host.size() - 2);
  else if (host.find_first_of(":[]") != std::string_view::npos)
    return invalid(text, "an IPv6 host is written [HOST]:PORT");
  if (host.empty()) return invalid(text, "no host, expected HOST:PORT");
  if (host.find_first_of(std::string_view(" \t\r\n/\0", 6)) != std::string_view::npos)
    return invalid(text, "a character that no host has");
  const char* const end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data(), end, out.port);
  if (port.empty() || error != std::errc() || stop != end)
    return invalid(text, "the port is not a number up to 65535");
  out.host = host;
  return out;
}

Result<std::vector<Address>> parse_addresses(std::string_view text) {
  std::vector<Address> out;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(";,");
    std::string_view one = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (one.empty()) continue;
    MQ_TRY(Address address, parse_address(one));
    out.push_back(std::move(address));
  }
  return out;
}

std::string to_string(const Address& address) {
  if (address.kind == Address::Kind::kUnix) return fmt::format("unix:{}", address.path);
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", address.host, address.port)
               : fmt::format("{}:{}", address.host, address.port);
}

}  // namespace mq::net

#include "net/proxy_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <sys/socket.h>

namespace mq::net {
namespace {

constexpr std::string_view kV1 = "PROXY ";
constexpr std::size_t kV1BytesMax = 107;  // with the line's end
constexpr std::string_view kV2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kV2HeadBytes = 16;

Error wrong(const char* what) {
  return Error{Errc::kProtocol, std::string("PROXY header: ") + what};
}

std::string_view take_word(std::string_view& line) {
  const std::size_t end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
  return word;
}

bool is_address(int family, const std::string& text) {
  std::array<std::byte, 16> parsed{};
  return ::inet_pton(family, text.c_str(), parsed.data()) == 1;
}

Result<std::optional<ProxyHeader>> parse_v1(std::string_view in) {
  const std::size_t end = in.substr(0, kV1BytesMax).find("\r\n");
  if (end == std::string_view::npos) {
    if (in.size() >= kV1BytesMax) return wrong("no end of line within 107 bytes");
    return std::optional<ProxyHeader>();
  }
  ProxyHeader out{.bytes = end + 2};
  std::string_view line = in.substr(kV1.size(), end - kV1.size());
  const std::string_view family = take_word(line);
  if (family == "UNKNOWN") return std::optional(out);
  if (family != "TCP4" && family != "TCP6") return wrong("neither TCP4 nor TCP6 nor UNKNOWN");
  std::string ip(take_word(line));
  (void)take_word(line);  // the proxy's own address
  const std::string_view port = take_word(line);
  const auto [stop, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (!is_address(family == "TCP4" ? AF_INET : AF_INET6, ip) || error != std::errc{} ||
      stop != port.data() + port.size() || line.empty())
    return wrong("an address or a port that is none");
  out.ip = std::move(ip);
  return std::optional(std::move(out));
}

std::string address_text(int family, Bytes address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, address.data(), text.data(), text.size());
  return text.data();
}

Result<std::optional<ProxyHeader>> parse_v2(Bytes in) {
  if (in.size() < kV2HeadBytes) return std::optional<ProxyHeader>();
  BigEndianReader reader(in.subspan(kV2.size()));
  const auto command = reader.take<std::uint8_t>();
  const auto family = reader.take<std::uint8_t>();
  const auto length = reader.take<std::uint16_t>();
  if ((command >> 4) != 2) return wrong("not of version 2");
  if (in.size() < kV2HeadBytes + length) return std::optional<ProxyHeader>();
  ProxyHeader out{.bytes = kV2HeadBytes + length};
  constexpr std::uint8_t kLocal = 0;
  constexpr std::uint8_t kProxy = 1;
  if ((command & 0x0F) == kLocal) return std::optional(std::move(out));
  if ((command & 0x0F) != kProxy) return wrong("neither LOCAL nor PROXY");
  // Two addresses, two ports; what else is there (Unix sockets, datagrams) names nobody.
  const std::size_t address_bytes = family == 0x11 ? 4 : (family == 0x21 ? 16 : 0);
  if (address_bytes == 0) return std::optional(std::move(out));
  if (length < 2 * address_bytes + 4) return wrong("too short for its addresses");
  out.ip = address_text(address_bytes == 4 ? AF_INET : AF_INET6,
                        in.subspan(kV2HeadBytes, address_bytes));
  out.port = load_be<std::uint16_t>(in.data() + kV2HeadBytes + 2 * address_bytes);
  return std::optional(std::move(out));
}

// As far as there are bytes, do they equal the beginning of `of`?
bool begins(std::string_view text, std::string_view of) {
  const std::size_t n = std::min(text.size(), of.size());
  return text.substr(0, n) == of.substr(0, n);
}

}  // namespace

Result<std::optional<ProxyHeader>> parse_proxy_header(Bytes in) {
  const std::string_view text = as_text(in);
  if (text.empty()) return std::optional<ProxyHeader>();
  if (begins(text, kV2)) return parse_v2(in);
  if (!begins(text, kV1)) return wrong("neither of version 1 nor of version 2");
  if (text.size() < kV1.size()) return std::optional<ProxyHeader>();
  return parse_v1(text);
}

}  // namespace mq::net

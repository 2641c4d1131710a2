// PROXY headers: as the protocol's text describes them, cut at every byte, and broken.
#include "net/proxy_header.h"

#include <gtest/gtest.h>

namespace mq::net {
namespace {

std::string v2(std::uint8_t command, std::uint8_t family, std::string_view addresses) {
  std::string out("\r\n\r\n\0\r\nQUIT\n", 12);
  out += static_cast<char>(command);
  out += static_cast<char>(family);
  out += static_cast<char>(addresses.size() >> 8);
  out += static_cast<char>(addresses.size() & 0xFF);
  return out.append(addresses);
}
// 10.1.2.3:40000 to 10.0.0.1:10911.
const std::string kV4Addresses("\x0A\x01\x02\x03\x0A\x00\x00\x01\x9C\x40\x2A\x9F", 12);

Result<std::optional<ProxyHeader>> parse(std::string_view text) {
  return parse_proxy_header(as_bytes(text));
}

TEST(ProxyHeader, TellsTheSourceInBothVersions) {
  const std::string v6 = std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07", 16) +
                         std::string(16, '\0') + std::string("\x00\x50\x00\x51", 4);
  const struct {
    std::string header;
    std::string ip;
    int port;
  } cases[] = {
      {"PROXY TCP4 10.1.2.3 10.0.0.1 40000 10911\r\n", "10.1.2.3", 40000},
      {"PROXY TCP6 2001:db8::7 ::1 80 81\r\n", "2001:db8::7", 80},
      {v2(0x21, 0x11, kV4Addresses), "10.1.2.3", 40000},
      {v2(0x21, 0x21, v6), "2001:db8::7", 80},
      {v2(0x21, 0x11, kV4Addresses + std::string("\x04\x00\x02hi", 5)), "10.1.2.3",
       40000},  // a TLV
  };
  for (const auto& c : cases) {
    const auto header = parse(c.header + "and what follows");
    ASSERT_TRUE(header) << header.error();
    ASSERT_TRUE(*header);
    EXPECT_EQ((*header)->bytes, c.header.size());
    EXPECT_EQ((*header)->ip, c.ip);
    EXPECT_EQ((*header)->port, c.port);
    for (std::size_t n = 0; n < c.header.size(); ++n) {
      const auto part = parse(std::string_view(c.header).substr(0, n));
      ASSERT_TRUE(part) << n << part.error();
      EXPECT_FALSE(*part) << n;
    }
  }
}

TEST(ProxyHeader, MayNameNobody) {
  for (const std::string& text :
       {std::string("PROXY UNKNOWN\r\n"), std::string("PROXY UNKNOWN ff:ff 1 2 3\r\n"),
        v2(0x20, 0x00, ""), v2(0x20, 0x11, kV4Addresses), v2(0x21, 0x31, std::string(216, 'x'))}) {
    const auto header = parse(text);
    ASSERT_TRUE(header) << header.error();
    ASSERT_TRUE(*header);
    EXPECT_EQ((*header)->bytes, text.size());
    EXPECT_FALSE((*header)->ip);
  }
}

TEST(ProxyHeader, RefusesWhatIsNone) {
  for (const std::string& text :
       {std::string("POST / HTTP/1.1\r\n"), std::string("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n"),
        std::string("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n"), std::string("PROXY TCP4 ::1 ::1 1 2\r\n"),
        std::string("PROXY TCP4 1.2.3.4 1.2.3.4 70000 2\r\n"),
        std::string("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), std::string("PROXY TCP4\r\n"),
        "PROXY " + std::string(101, 'x'), std::string("\r\n\r\nX"), v2(0x11, 0x11, kV4Addresses),
        v2(0x22, 0x11, kV4Addresses), v2(0x21, 0x11, "short"), v2(0x21, 0x21, kV4Addresses)}) {
    const auto header = parse(text);
    ASSERT_FALSE(header) << text;
    EXPECT_EQ(header.error().code(), Errc::kProtocol);
  }
}

TEST(ProxyHeader, NoByteDoesHarm) {
  const std::string header = v2(0x21, 0x11, kV4Addresses);
  for (std::size_t bit = 0; bit < header.size() * 8; ++bit) {
    std::string flipped = header;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const auto read = parse(flipped);
    if (read && *read) {
      EXPECT_LE((*read)->bytes, flipped.size());
    }
  }
}

}  // namespace
}  // namespace mq::net

// Where to listen or connect: `unix:PATH`, `HOST:PORT`, `[V6]:PORT`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mq::net {

struct Address {
  enum class Kind : std::uint8_t { kUnix, kTcp };
  Kind kind = Kind::kTcp;
  std::string path;  // unix
  std::string host;  // tcp: name or number
  std::uint16_t port = 0;
  [[nodiscard]] bool is_loopback() const noexcept;  // unix sockets, 127.0.0.0/8, ::1, localhost
  friend bool operator==(const Address&, const Address&) = default;
};
// Errors: kInvalid naming the part that is wrong.
Result<Address> parse_address(std::string_view text);
// Several, `;` or `,` between, blanks around dropped; none in an empty text.
Result<std::vector<Address>> parse_addresses(std::string_view text);
[[nodiscard]] std::string to_string(const Address& address);

}  // namespace mq::net

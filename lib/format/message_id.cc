#include "format/message_id.h"

#include <cstring>
#include <ctime>
#include <limits>

#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mq::format {
namespace {

constexpr std::size_t kIdCharactersV4 = 32;
constexpr std::size_t kIdCharactersV6 = 56;

// Writes two characters a byte, most significant first.
template <std::unsigned_integral T>
char* put_hex(char* out, T value) noexcept {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 4; shift >= 0; shift -= 4) {
    *out++ = kDigits[(value >> shift) & 0xF];
  }
  return out;
}

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::uint32_t random_word() noexcept {
  std::uint32_t word = 0;
  if (getrandom(&word, sizeof word, 0) != sizeof word) {
    word = static_cast<std::uint32_t>(std::time(nullptr)) ^ static_cast<std::uint32_t>(getpid());
  }
  return word;
}

// The first IPv4 address of this machine that others may see; without one a random word, as ids
// need only differ.
std::uint32_t own_address() noexcept {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return random_word();
  std::uint32_t address = 0;
  for (const ifaddrs* i = list; i != nullptr && address == 0; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || i->ifa_addr->sa_family != AF_INET) continue;
    sockaddr_in in{};
    std::memcpy(&in, i->ifa_addr, sizeof in);
    const std::uint32_t candidate = ntohl(in.sin_addr.s_addr);
    if (candidate >> 24 != 127) address = candidate;
  }
  freeifaddrs(list);
  return address != 0 ? address : random_word();
}

// 00:00 local time of the first day of a month, counted from January of `year` (from 1900).
std::int64_t month_start(int year, int month) noexcept {
  std::tm first{};
  first.tm_year = year;
  first.tm_mon = month;
  first.tm_mday = 1;
  first.tm_isdst = -1;
  return static_cast<std::int64_t>(std::mktime(&first)) * 1000;
}

}  // namespace

void append_offset_message_id(std::string& out, const Host& store_host, PhysicalOffset offset) {
  std::array<char, kIdCharactersV6> text;
  char* at = text.data();
  for (std::size_t i = 0; i < store_host.address_bytes; ++i) {
    at = put_hex(at, static_cast<std::uint8_t>(store_host.address[i]));
  }
  at = put_hex(at, static_cast<std::uint32_t>(store_host.port));
  at = put_hex(at, static_cast<std::uint64_t>(offset.value()));
  out.append(text.data(), at);
}

std::string offset_message_id(const Host& store_host, PhysicalOffset offset) {
  std::string out;
  append_offset_message_id(out, store_host, offset);
  return out;
}

Result<OffsetMessageId> parse_offset_message_id(std::string_view text) {
  if (text.size() != kIdCharactersV4 && text.size() != kIdCharactersV6) {
    return Error{Errc::kInvalid, fmt::format("message id of {} characters, expected {} or {}",
                                             text.size(), kIdCharactersV4, kIdCharactersV6)};
  }
  std::array<std::byte, kIdCharactersV6 / 2> raw{};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int digit = hex_value(text[i]);
    if (digit < 0) {
      return Error{Errc::kInvalid,
                   fmt::format("message id with something else than a hex digit at {}", i)};
    }
    raw[i / 2] = static_cast<std::byte>((static_cast<int>(raw[i / 2]) << 4) | digit);
  }
  OffsetMessageId id;
  id.store_host.address_bytes = text.size() == kIdCharactersV4 ? 4 : 16;
  std::memcpy(id.store_host.address.data(), raw.data(), id.store_host.address_bytes);
  id.store_host.port = load_be<std::int32_t>(raw.data() + id.store_host.address_bytes);
  id.offset = PhysicalOffset(load_be<std::int64_t>(raw.data() + id.store_host.address_bytes + 4));
  return id;
}

UniqKeyMaker::UniqKeyMaker() {
  char* at = put_hex(prefix_, own_address());
  at = put_hex(at, static_cast<std::uint16_t>(getpid()));
  put_hex(at, random_word());
}

void UniqKeyMaker::make(std::int64_t now_ms, char* out) noexcept {
  if (now_ms >= next_month_ms_ || now_ms < month_start_ms_) [[unlikely]] {
    const auto seconds = static_cast<std::time_t>(now_ms / 1000);
    std::tm local{};
    localtime_r(&seconds, &local);
    month_start_ms_ = month_start(local.tm_year, local.tm_mon);
    next_month_ms_ = month_start(local.tm_year, local.tm_mon + 1);
  }
  std::memcpy(out, prefix_, sizeof prefix_);
  out = put_hex(out + sizeof prefix_, static_cast<std::uint32_t>(now_ms - month_start_ms_));
  put_hex(out, counter_++);
}

}  // namespace mq::format

// Views of bytes, and reading and writing big-endian integers in them one field at a time.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace mq {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Nothing but zeros, or nothing.
[[nodiscard]] inline bool is_zero(Bytes in) noexcept {
  return in.empty() ||
         (in[0] == std::byte{0} && std::memcmp(in.data(), in.data() + 1, in.size() - 1) == 0);
}

// The caller has checked that sizeof(T) bytes are there.
template <std::integral T>
[[nodiscard]] inline T load_be(const std::byte* at) noexcept {
  std::make_unsigned_t<T> value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (sizeof(T) == 2) value = __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) value = __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) value = __builtin_bswap64(value);
  return static_cast<T>(value);
}
template <std::integral T>
inline void store_be(std::byte* at, T v) noexcept {
  auto value = static_cast<std::make_unsigned_t<T>>(v);
  if constexpr (sizeof(T) == 2) value = __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) value = __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) value = __builtin_bswap64(value);
  std::memcpy(at, &value, sizeof value);
}
static_assert(std::endian::native == std::endian::little);

// Takes fields from the front. Past the end it goes bad for good and yields zeros and empty views,
// so a decoder may take all fields of a fixed part and ask ok() once.
class BigEndianReader {
 public:
  explicit BigEndianReader(Bytes in) noexcept : in_(in) {}

  template <std::integral T>
  [[nodiscard]] T take() noexcept {
    if (in_.size() - at_ < sizeof(T)) return fail(), T{};
    T value = load_be<T>(in_.data() + at_);
    at_ += sizeof(T);
    return value;
  }
  // A view into the input; `count` may come from outside: negative or too long goes bad.
  [[nodiscard]] Bytes take_bytes(std::int64_t count) noexcept {
    if (count < 0 || static_cast<std::uint64_t>(count) > in_.size() - at_) return fail(), Bytes{};
    Bytes out = in_.subspan(at_, static_cast<std::size_t>(count));
    at_ += static_cast<std::size_t>(count);
    return out;
  }
  [[nodiscard]] std::string_view take_text(std::int64_t count) noexcept {
    return as_text(take_bytes(count));
  }
  void skip(std::int64_t count) noexcept { (void)take_bytes(count); }

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t position() const noexcept { return at_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return in_.size() - at_; }

 private:
  void fail() noexcept {
    ok_ = false;
    at_ = in_.size();
  }
  Bytes in_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

// Puts fields at the front of a buffer that the caller has sized; writing past its end is a
// programming mistake and is refused without touching memory (ok() turns false).
class BigEndianWriter {
 public:
  explicit BigEndianWriter(MutableBytes out) noexcept : out_(out) {}

  template <std::integral T>
  void put(T value) noexcept {
    if (out_.size() - at_ < sizeof(T)) {
      ok_ = false;
      return;
    }
    store_be(out_.data() + at_, value);
    at_ += sizeof(T);
  }
  void put_bytes(Bytes bytes) noexcept {
    if (out_.size() - at_ < bytes.size()) {
      ok_ = false;
      return;
    }
    if (!bytes.empty()) std::memcpy(out_.data() + at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void put_text(std::string_view text) noexcept { put_bytes(as_bytes(text)); }

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t position() const noexcept { return at_; }

 private:
  MutableBytes out_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace mq

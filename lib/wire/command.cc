#include "wire/command.h"

#include <fmt/format.h>

#include "wire/json_header.h"

namespace mq::wire {
namespace {

constexpr std::size_t kPrefixBytes = 8;  // length, serializeType and headerLength

struct Prefix {
  std::int32_t length;
  std::uint8_t serialize;
  std::size_t header_bytes;
};
Prefix load_prefix(Bytes in) noexcept {
  const auto second = load_be<std::uint32_t>(in.data() + 4);
  return {load_be<std::int32_t>(in.data()), static_cast<std::uint8_t>(second >> 24),
          second & 0xFFFFFFU};
}

Error broken(std::string text) { return Error{Errc::kProtocol, std::move(text)}; }

Result<void> check_length(std::int32_t length) {
  if (length < 4 || static_cast<std::size_t>(length) > kFrameLengthMax)
    return broken(fmt::format("frame length {}, expected 4 to {}", length, kFrameLengthMax));
  return {};
}

// Entries of 1.4 until `in` is used up.
Result<void> decode_entries(Bytes in, ExtFields& out) {
  BigEndianReader r(in);
  while (r.remaining() > 0) {
    const std::string_view name = r.take_text(r.take<std::int16_t>());
    const std::string_view value = r.take_text(r.take<std::int32_t>());
    if (!r.ok()) return broken("binary header: an ext field is longer than the map");
    out.add(name, value);
  }
  return {};
}

Result<void> decode_binary_header(Bytes header, Command& out) {
  BigEndianReader r(header);
  out.code = r.take<std::int16_t>();
  out.language = language_from_ordinal(r.take<std::uint8_t>());
  out.version = r.take<std::int16_t>();
  out.opaque = r.take<std::int32_t>();
  out.flag = r.take<std::int32_t>();
  out.remark = r.take_text(r.take<std::int32_t>());
  const Bytes entries = r.take_bytes(r.take<std::int32_t>());
  if (!r.ok()) return broken(fmt::format("binary header of {} bytes ends early", header.size()));
  return decode_entries(entries, out.ext);
}

}  // namespace

Result<std::size_t> frame_bytes(Bytes in) {
  if (in.size() < 4) return std::size_t{0};
  MQ_CHECK(check_length(load_be<std::int32_t>(in.data())));
  if (in.size() < kPrefixBytes) return std::size_t{0};
  const Prefix prefix = load_prefix(in);
  if (prefix.serialize > 1)
    return broken(fmt::format("serializeType {}, expected 0 or 1", prefix.serialize));
  if (prefix.header_bytes + 4 > static_cast<std::size_t>(prefix.length))
    return broken(fmt::format("header of {} bytes in a frame of length {}", prefix.header_bytes,
                              prefix.length));
  return static_cast<std::size_t>(prefix.length) + 4;
}

Result<void> decode_command(Bytes frame, Command& out) {
  MQ_TRY(const std::size_t bytes, frame_bytes(frame));
  if (bytes == 0 || bytes != frame.size())
    return broken(fmt::format("{} bytes are not one whole frame", frame.size()));
  const Prefix prefix = load_prefix(frame);
  out.serialize = static_cast<Serialize>(prefix.serialize);
  out.code = out.version = out.opaque = out.flag = 0;
  out.language = Language::kJava;
  out.remark = {};
  out.ext.clear();
  out.storage.clear();
  out.body = frame.subspan(kPrefixBytes + prefix.header_bytes);
  const Bytes header = frame.subspan(kPrefixBytes, prefix.header_bytes);
  return out.serialize == Serialize::kJson ? decode_json_header(as_text(header), out)
                                           : decode_binary_header(header, out);
}

}  // namespace mq::wire

#include "inspect/message_parts.h"

#include <cstring>

#include "format/properties.h"

namespace mq::inspect {
namespace {

constexpr std::array<std::string_view, kParts> kNames = {
    "body",       "properties",  "id",     "flag",  "born",
    "reconsumed", "transaction", "stored", "place", "compression"};

// sysFlag without what only says how the record is laid out.
constexpr std::int32_t kLayoutFlags = format::kFlagCompressed | format::kFlagCompressionMask |
                                      format::kFlagBornHostV6 | format::kFlagStoreHostV6;

// Halves of a 128-bit product, folded: each bit of the result hangs on all of both.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}
constexpr std::uint64_t kSalt0 = 0x9E3779B97F4A7C15ULL;
constexpr std::uint64_t kSalt1 = 0xD1B54A32D192ED03ULL;

std::uint64_t hash_number(std::uint64_t value, std::uint64_t seed) {
  return fold(value ^ kSalt0, seed ^ kSalt1);
}

std::uint64_t hash_bytes(Bytes in, std::uint64_t seed) {
  std::uint64_t hash = hash_number(in.size(), seed);
  while (in.size() >= 16) {
    hash = fold(load_be<std::uint64_t>(in.data()) ^ hash ^ kSalt0,
                load_be<std::uint64_t>(in.data() + 8) ^ kSalt1);
    in = in.subspan(16);
  }
  std::array<std::byte, 16> tail{};
  if (!in.empty()) std::memcpy(tail.data(), in.data(), in.size());
  return fold(load_be<std::uint64_t>(tail.data()) ^ hash ^ kSalt0,
              load_be<std::uint64_t>(tail.data() + 8) ^ kSalt1);
}

std::uint64_t hash_host(const format::Host& host, std::uint64_t seed) {
  return hash_number(static_cast<std::uint64_t>(host.port),
                     hash_bytes(Bytes(host.address).first(host.address_bytes), seed));
}

// Their order does not count; of a name that stands twice the last does.
std::uint64_t hash_properties(std::string_view properties) {
  std::uint64_t sum = 0;
  for (const format::Property& p : format::parse_properties(properties)) {
    if (p.name == format::kUniqKey) continue;
    sum += hash_bytes(as_bytes(p.value), hash_bytes(as_bytes(p.name), kSalt0));
  }
  return sum;
}

std::uint64_t hash_part(const format::Record& r, Bytes body, MessagePart part) {
  switch (part) {
    case MessagePart::kBody:
      return hash_bytes(body, 1);
    case MessagePart::kProperties:
      return hash_properties(r.properties);
    case MessagePart::kId:
      return hash_bytes(
          as_bytes(format::find_property(r.properties, format::kUniqKey).value_or("")), 3);
    case MessagePart::kFlag:
      return hash_number(static_cast<std::uint32_t>(r.flag), 4);
    case MessagePart::kBorn:
      return hash_host(r.born_host,
                       hash_number(static_cast<std::uint64_t>(r.born_timestamp_ms), 5));
    case MessagePart::kReconsumed:
      return hash_number(static_cast<std::uint32_t>(r.reconsume_times), 6);
    case MessagePart::kTransaction:
      return hash_number(static_cast<std::uint32_t>(r.sys_flag & ~kLayoutFlags), 7);
    case MessagePart::kStored:
      return hash_number(static_cast<std::uint64_t>(r.store_timestamp_ms), 8);
    case MessagePart::kPlace:
      return hash_host(r.store_host,
                       hash_number(static_cast<std::uint64_t>(r.physical_offset.value()), 9));
    case MessagePart::kCompression:
      return hash_number(static_cast<std::uint32_t>(r.sys_flag & kLayoutFlags),
                         static_cast<std::uint32_t>(r.body_crc));
  }
  return 0;
}

}  // namespace

std::string_view name_of(MessagePart part) noexcept {
  return kNames[static_cast<std::size_t>(part)];
}

std::optional<MessagePart> part_of(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kParts; ++i)
    if (kNames[i] == name) return static_cast<MessagePart>(i);
  return std::nullopt;
}

PartHashes hash_parts(const format::Record& record, Bytes body, PartSet parts) {
  PartHashes out{};
  for (std::size_t i = 0; i < kParts; ++i) {
    const auto part = static_cast<MessagePart>(i);
    if (parts.has(part)) out[i] = hash_part(record, body, part);
  }
  return out;
}

std::uint64_t combine(const PartHashes& hashes, std::int64_t queue_offset) {
  std::uint64_t out = hash_number(static_cast<std::uint64_t>(queue_offset), kSalt0);
  for (const std::uint64_t hash : hashes) out = hash_number(hash, out);
  return out;
}

}  // namespace mq::inspect

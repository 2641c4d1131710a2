// A message as a few hashes, one for each thing about it that can be compared.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "format/record.h"

namespace mq::inspect {

enum class MessagePart : std::uint8_t {
  kBody,         // as the producer had it
  kProperties,   // but the id
  kId,           // UNIQ_KEY
  kFlag,         // the producer's
  kBorn,         // time and host
  kReconsumed,   //
  kTransaction,  // and what else sysFlag says, but compression and kinds of address
  kStored,       // time
  kPlace,        // physical offset and broker
  kCompression,  //
};
inline constexpr std::size_t kParts = 10;
[[nodiscard]] std::string_view name_of(MessagePart part) noexcept;
[[nodiscard]] std::optional<MessagePart> part_of(std::string_view name) noexcept;

class PartSet {
 public:
  constexpr PartSet() = default;
  // What makes two messages the same for who gets them: all but where and when a broker put them,
  // and how the body is kept.
  static constexpr PartSet meaning() {
    PartSet out;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(MessagePart::kTransaction); ++i)
      out.add(static_cast<MessagePart>(i));
    return out;
  }
  static constexpr PartSet all() {
    PartSet out;
    for (std::size_t i = 0; i < kParts; ++i) out.add(static_cast<MessagePart>(i));
    return out;
  }
  constexpr void add(MessagePart part) { bits_ |= 1U << static_cast<unsigned>(part); }
  constexpr void remove(MessagePart part) { bits_ &= ~(1U << static_cast<unsigned>(part)); }
  [[nodiscard]] constexpr bool has(MessagePart part) const {
    return (bits_ & (1U << static_cast<unsigned>(part))) != 0;
  }

 private:
  std::uint32_t bits_ = 0;
};

using PartHashes = std::array<std::uint64_t, kParts>;
// Those of `parts`; the others are 0. `body`: the record's, inflated. Equal parts give equal hashes
// on every machine; different ones do but for one case in 2^64, if nobody tries.
[[nodiscard]] PartHashes hash_parts(const format::Record& record, Bytes body, PartSet parts);
// All of them and the queue offset, as one.
[[nodiscard]] std::uint64_t combine(const PartHashes& hashes, std::int64_t queue_offset);

}  // namespace mq::inspect

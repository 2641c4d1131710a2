// A commit log record: bytes to values and back (store-format.md section 2).
//
//   at          bytes  field
//    0             4   totalSize            this whole record
//    4             4   magic                V1 DAA320A7, V2 DAA320AB; CBD43194 is a blank (end of
//    file) 8             4   bodyCRC              CRC-32 of the stored body, top bit cleared; 0 for
//    no body
//   12             4   queueId
//   16             4   flag                 the producer's, opaque
//   20             8   queueOffset
//   28             8   physicalOffset       where this record itself starts
//   36             4   sysFlag
//   40             8   bornTimestamp        ms
//   48             B   bornHost             B = 8, or 20 when sysFlag & 0x10
//   48+B           8   storeTimestamp       ms
//   56+B           S   storeHost            S = 8, or 20 when sysFlag & 0x20
//   56+B+S         4   reconsumeTimes
//   60+B+S         8   preparedTransactionOffset
//   68+B+S       4+n   body
//   72+B+S+n     L+t   topic                L = 1 in V1, 2 in V2
//   72+B+S+n+L+t 2+p   properties
//
// All integers signed, big-endian. Times in ms since 1970 UTC.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace mq::format {

inline constexpr std::int32_t kMagicV1 = -626843481;     // DAA320A7
inline constexpr std::int32_t kMagicV2 = -626843477;     // DAA320AB
inline constexpr std::int32_t kMagicBlank = -875286124;  // CBD43194
inline constexpr std::size_t kBlankHeadBytes =
    8;  // and so what every record must leave free behind it
inline constexpr std::size_t kRecordBytesMin = 91;  // IPv4 hosts, V1, no body, topic or properties

// Places of fields in a record, in front of its hosts, for whoever looks at or mends one alone.
inline constexpr std::size_t kQueueIdAt = 12;
inline constexpr std::size_t kQueueOffsetAt = 20;
inline constexpr std::size_t kSysFlagAt = 36;
inline constexpr std::size_t kBornHostAt = 48;
inline constexpr std::size_t kHeadBytesWithoutHosts = 72;  // up to and with the body's length

// sysFlag bits (2.3).
inline constexpr std::int32_t kFlagCompressed = 0x1;
inline constexpr std::int32_t kFlagTransactionMask = 0xC;
inline constexpr std::int32_t kTransactionNone = 0x0;
inline constexpr std::int32_t kTransactionPrepared = 0x4;
inline constexpr std::int32_t kTransactionCommit = 0x8;
inline constexpr std::int32_t kTransactionRollback = 0xC;
// Does a record of that transaction type stand in its consume queue, and take a number of it?
[[nodiscard]] constexpr bool has_queue_entry(std::int32_t transaction_type) noexcept {
  return transaction_type == kTransactionNone || transaction_type == kTransactionCommit;
}
inline constexpr std::int32_t kFlagBornHostV6 = 0x10;
inline constexpr std::int32_t kFlagStoreHostV6 = 0x20;
inline constexpr std::int32_t kFlagNeedUnwrap = 0x40;
inline constexpr std::int32_t kFlagInnerBatch = 0x80;
inline constexpr std::int32_t kFlagCompressionMask = 0x700;

// An address and port as records hold it: 4 or 16 address bytes, then the port in 4.
struct Host {
  std::array<std::byte, 16> address{};
  std::uint8_t address_bytes = 4;  // 4 or 16
  std::int32_t port = 0;
  [[nodiscard]] std::size_t encoded_bytes() const noexcept { return address_bytes + 4U; }
  [[nodiscard]] bool is_v6() const noexcept { return address_bytes == 16; }
  friend bool operator==(const Host&, const Host&) = default;
};
// "10.0.0.5:10911", "[fe80::1]:50001".
[[nodiscard]] std::string to_string(const Host& host);
// Parses the same, and a bare address with port 0. A v4-mapped IPv6 address becomes IPv4. Errors:
// kInvalid.
Result<Host> parse_host(std::string_view text);

// One record. When decoded, `body`, `topic` and `properties` are views into the input; when
// encoded, the caller's.
struct Record {
  std::int32_t total_bytes = 0;   // set by decode_record; ignored by encode
  std::int32_t magic = kMagicV1;  // ditto: encode chooses V2 for topics of more than 127 bytes
  std::int32_t body_crc = 0;      // ditto: encode computes it
  QueueId queue_id = 0;
  std::int32_t flag = 0;
  QueueOffset queue_offset{};
  PhysicalOffset physical_offset{};
  std::int32_t sys_flag = 0;  // encode sets the two host bits from the hosts and keeps all others
  std::int64_t born_timestamp_ms = 0;
  Host born_host{};
  std::int64_t store_timestamp_ms = 0;
  Host store_host{};
  std::int32_t reconsume_times = 0;
  PhysicalOffset prepared_transaction_offset{};
  Bytes body{};
  std::string_view topic{};
  std::string_view properties{};

  [[nodiscard]] std::int32_t transaction_type() const noexcept {
    return sys_flag & kFlagTransactionMask;
  }
  // The body is a batch that clients unwrap.
  [[nodiscard]] bool is_batch() const noexcept {
    return (sys_flag & kFlagNeedUnwrap) != 0 && (sys_flag & kFlagInnerBatch) != 0;
  }
};

// What people call a transaction type: none, half, commit, rollback.
[[nodiscard]] const char* transaction_name(std::int32_t type) noexcept;

// What stands at a position of a commit log file.
enum class RecordKind {
  kMessage,
  kBlank,  // the rest of the file is unused
  kNone,   // no record: zeros, noise, a magic that is neither
};
// Looks at the magic alone, so a damaged size does not hide a record or a blank (8 bytes; fewer are
// kNone).
[[nodiscard]] RecordKind record_kind(Bytes in) noexcept;

enum class CheckBody { kNo, kCrc };

// Decodes the record at the start of `in`; bytes behind it are left alone.
// Errors: kShort (`in` ends inside it), kNotFound (kNone or kBlank), kCorrupt (lengths that
// contradict each other or the sizes that the format allows, a wrong body CRC); the text says which
// field, expected and found.
Result<Record> decode_record(Bytes in, CheckBody check);

// Bytes that encode_record writes for it. At most 2^31-1 for lengths within the format's limits.
[[nodiscard]] std::size_t record_bytes(const Record& record) noexcept;

// Limits of the format alone (properties 32,767, topic 32,767 or what fits its length field). The
// broker's own limits (topic 127, body 4 MiB …) are the engine's. Errors: kInvalid.
Result<void> check_encodable(const Record& record);

// Writes the record; `out` has record_bytes(record) bytes and the record passed check_encodable.
// Pieces instead of one buffer serve the append path: `head` (68+B+S+4 bytes, everything before the
// body) and `tail` (topic and properties) can be prepared outside the lock, and the body is copied
// once, from where it lies.
void encode_record(const Record& record, MutableBytes out) noexcept;
[[nodiscard]] std::size_t record_head_bytes(const Record& record) noexcept;
[[nodiscard]] std::size_t record_tail_bytes(const Record& record) noexcept;
void encode_record_head(const Record& record, std::int32_t body_crc, MutableBytes out) noexcept;
void encode_record_tail(const Record& record, MutableBytes out) noexcept;

// Sets what is known only under the append lock in an encoded record (or head).
void patch_record_head(MutableBytes head, QueueOffset queue_offset, PhysicalOffset physical_offset,
                       std::int64_t store_timestamp_ms) noexcept;

// The blank that covers `bytes` (8 or more) to the end of a file; writes its first 8 bytes.
void encode_blank(std::int32_t bytes, std::span<std::byte, kBlankHeadBytes> out) noexcept;

// Where a record of an encoded head has its fixed fields, without decoding it all; for dispatch and
// recovery. storeTimestamp of a record whose head is in `in` (at least 76 bytes). Errors: kShort,
// kNotFound.
Result<std::int64_t> peek_store_timestamp(Bytes in);

}  // namespace mq::format

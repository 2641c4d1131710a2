#include "inspect/repair_salvage.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "base/hash.h"
#include "inspect/rebuild_queues.h"

namespace mq::inspect {
namespace {

// Larger records than that are not looked at bit by bit.
constexpr std::size_t kRecordBytesMax = 8 << 20;
constexpr std::int64_t kTimeSlackMs = 1000;
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kYearMs = 365 * kDayMs;

// a - b, as far as it goes: times may be any numbers.
std::int64_t minus(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  if (__builtin_sub_overflow(a, b, &out)) return a < b ? INT64_MIN : INT64_MAX;
  return out;
}

// `value` with one bit flipped, in [from, to].
std::optional<std::int64_t> one_bit_off(std::int64_t value, std::int64_t from, std::int64_t to) {
  for (int bit = 63; bit >= 0; --bit) {
    const auto other =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << bit));
    if (other >= from && other <= to) return other;
  }
  return std::nullopt;
}

std::size_t host_bytes(std::int32_t sys_flag, std::int32_t v6) {
  return (sys_flag & v6) != 0 ? 20 : 8;
}

// Bytes that hold a record together: sizes, magic, CRC, own position, sysFlag, and the lengths
// inside, wherever the hosts' lengths put them.
std::vector<std::size_t> vital_bytes(Bytes in) {
  std::vector<std::size_t> out;
  const auto add = [&](std::size_t at, std::size_t count) {
    for (std::size_t i = at; i < at + count && i < in.size(); ++i) out.push_back(i);
  };
  add(0, format::kQueueIdAt);
  add(kPhysicalOffsetAt, 12);
  for (const std::size_t hosts : {16, 28, 40}) add(format::kHeadBytesWithoutHosts + hosts - 4, 4);
  if (in.size() < format::kHeadBytesWithoutHosts + 40) return out;
  const auto sys_flag = load_be<std::int32_t>(in.data() + format::kSysFlagAt);
  const std::size_t body_at = format::kHeadBytesWithoutHosts +
                              host_bytes(sys_flag, format::kFlagBornHostV6) +
                              host_bytes(sys_flag, format::kFlagStoreHostV6);
  const auto body_bytes = load_be<std::int32_t>(in.data() + body_at - 4);
  const std::size_t width = load_be<std::int32_t>(in.data() + 4) == format::kMagicV2 ? 2 : 1;
  if (body_bytes < 0 || in.size() - body_at < static_cast<std::size_t>(body_bytes) + width)
    return out;
  const std::size_t topic_at = body_at + static_cast<std::size_t>(body_bytes);
  add(topic_at, width);
  const std::size_t topic_bytes =
      width == 2 ? static_cast<std::size_t>(load_be<std::uint16_t>(in.data() + topic_at))
                 : static_cast<std::size_t>(in[topic_at]);
  add(topic_at + width + topic_bytes, 2);
  return out;
}

// Nothing, a blank, or what is a record but for one more bit.
bool is_followed(Bytes in, PhysicalOffset at) {
  if (in.empty()) return true;
  if (format::record_kind(in) != format::RecordKind::kNone) return true;
  return in.size() >= kPhysicalOffsetAt + 8 &&
         load_be<std::int64_t>(in.data() + kPhysicalOffsetAt) == at.value();
}

}  // namespace

Salvaged salvage_record(Bytes in, PhysicalOffset at,
                        const std::function<bool(const format::Record&, std::size_t)>& accept) {
  std::string copy(as_text(in.first(std::min(in.size(), kRecordBytesMax))));
  for (const std::size_t byte : vital_bytes(as_bytes(copy))) {
    const char old = copy[byte];
    for (int bit = 0; bit < 8; ++bit) {
      copy[byte] = static_cast<char>(old ^ (1 << bit));
      const auto record = format::decode_record(as_bytes(copy), format::CheckBody::kCrc);
      if (!record || record->physical_offset != at || !is_directory_name(record->topic)) continue;
      const auto bytes = static_cast<std::size_t>(record->total_bytes);
      // Another size and another length inside may fit together as well: what follows tells.
      if (!is_followed(in.subspan(bytes), at + record->total_bytes)) continue;
      if (accept(*record, byte)) return {copy.substr(0, bytes), byte};
    }
    copy[byte] = old;
  }
  return {};
}

std::optional<TimeOrder::Odd> TimeOrder::take(PhysicalOffset at, std::int64_t ms) {
  const One now{at, ms};
  if (low_) return take_behind_low(now);
  if (last_ && ms < minus(last_->ms, kTimeSlackMs)) return take_lower(now);
  // Of the first record of all the two behind it tell.
  std::optional<Odd> out;
  if (before_ms_ && first_) {
    const bool is_alone = minus(last_->ms, first_->ms) > kYearMs && minus(ms, last_->ms) < kDayMs;
    const auto better =
        is_alone ? one_bit_off(first_->ms, minus(last_->ms, kDayMs), last_->ms) : std::nullopt;
    if (better) out = Odd{first_->at, first_->ms, *better};
    first_.reset();
  }
  if (last_) {
    before_ms_ = last_->ms;
  } else {
    first_ = now;
  }
  last_ = now;
  return out;
}

// A record was earlier than the one before it; where this one goes on tells which of them is odd.
std::optional<TimeOrder::Odd> TimeOrder::take_behind_low(const One& now) {
  const One low = *low_;
  const One high = *last_;
  const bool high_is_first = first_.has_value();
  low_.reset();
  first_.reset();
  before_ms_ = std::max(high.ms, low.ms);
  last_ = now;
  if (now.ms >= minus(high.ms, kTimeSlackMs)) {
    const auto better = one_bit_off(low.ms, high.ms, std::max(high.ms, now.ms));
    if (better) return Odd{low.at, low.ms, *better};
    return std::nullopt;
  }
  // The clock was set back, or the first record of all is the odd one.
  before_ms_ = low.ms;
  if (!high_is_first || minus(high.ms, low.ms) < kYearMs) return std::nullopt;
  const auto better = one_bit_off(high.ms, minus(low.ms, kDayMs), low.ms);
  if (better) return Odd{high.at, high.ms, *better};
  return std::nullopt;
}

std::optional<TimeOrder::Odd> TimeOrder::take_lower(const One& now) {
  const One high = *last_;
  std::optional<std::int64_t> better;
  if (before_ms_ && *before_ms_ <= now.ms) {
    const std::int64_t fall = minus(high.ms, now.ms);
    // In a wide range some bit would fit a clock that was set back, too.
    if (minus(now.ms, *before_ms_) <= fall / 8 || fall > kDayMs)
      better = one_bit_off(high.ms, *before_ms_, now.ms);
  }
  if (!better) {
    low_ = now;
    return std::nullopt;
  }
  first_.reset();
  before_ms_ = *better;
  last_ = now;
  return Odd{high.at, high.ms, *better};
}

std::optional<TimeOrder::Odd> TimeOrder::finish(std::int64_t now_ms) {
  if (low_) {
    const auto better = one_bit_off(low_->ms, last_->ms, std::max(last_->ms, now_ms));
    if (better && minus(last_->ms, low_->ms) > kDayMs) return Odd{low_->at, low_->ms, *better};
  } else if (last_ && last_->ms > now_ms + kDayMs) {
    const auto better = one_bit_off(last_->ms, before_ms_.value_or(0), now_ms);
    if (better) return Odd{last_->at, last_->ms, *better};
  }
  return std::nullopt;
}

int bits_off(const format::Record& record, std::string_view topic, QueueId queue,
             std::int64_t number) {
  if (record.topic.size() != topic.size()) return 1000;
  int off = std::popcount(static_cast<std::uint32_t>(record.queue_id ^ queue)) +
            std::popcount(static_cast<std::uint64_t>(record.queue_offset.value() ^ number));
  for (std::size_t i = 0; i < topic.size(); ++i)
    off += std::popcount(static_cast<std::uint8_t>(record.topic[i] ^ topic[i]));
  const std::int32_t type = record.transaction_type();
  if (type == format::kTransactionPrepared || type == format::kTransactionRollback) ++off;
  return off;
}

std::string moved_record(Bytes bytes, const format::Record& record, std::string_view topic,
                         QueueId queue, std::int64_t number) {
  std::string out(as_text(bytes));
  auto* const data = reinterpret_cast<std::byte*>(out.data());
  store_be(data + format::kQueueIdAt, queue);
  store_be(data + format::kQueueOffsetAt, number);
  // Prepared and rolled back differ from none and commit in this one bit.
  if (record.transaction_type() == format::kTransactionPrepared ||
      record.transaction_type() == format::kTransactionRollback) {
    store_be(data + format::kSysFlagAt, record.sys_flag ^ format::kTransactionPrepared);
  }
  const auto topic_at =
      static_cast<std::size_t>(record.topic.data() - reinterpret_cast<const char*>(bytes.data()));
  out.replace(topic_at, topic.size(), topic);
  return out;
}

std::string retimed_record(Bytes bytes, const format::Record& record,
                           std::int64_t store_timestamp_ms) {
  std::string out(as_text(bytes));
  auto* const data = reinterpret_cast<std::byte*>(out.data());
  store_be(data + format::kBornHostAt + host_bytes(record.sys_flag, format::kFlagBornHostV6),
           store_timestamp_ms);
  return out;
}

}  // namespace mq::inspect

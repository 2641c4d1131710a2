#include "inspect/rebuild_rules.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/hash.h"
#include "format/light_queues.h"
#include "format/names.h"
#include "format/properties.h"

namespace mq::inspect {
namespace {

constexpr std::int64_t kUnknownDelayMs = 1000;  // a level without a configured delay (4.2 rule 3)

// As Java's parsers: an optional sign, digits, nothing else.
std::optional<std::int64_t> parse_java(std::string_view text) {
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return std::nullopt;
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <typename Int>
bool fits(const std::optional<std::int64_t>& number) {
  return number && *number >= std::numeric_limits<Int>::min() &&
         *number <= std::numeric_limits<Int>::max();
}

std::int64_t unit_ms(char unit) {
  switch (unit) {
    case 's':
      return 1000;
    case 'm':
      return 60'000;
    case 'h':
      return 3'600'000;
    case 'd':
      return 86'400'000;
    default:
      return 0;
  }
}

// What dispatch wants of a record's properties, from one pass; the last of a name counts.
struct Wanted {
  std::string_view tags, keys, unique_key, delay, inner_num, inner_base, light_queues,
      light_offsets;
};
Wanted pick(std::string_view properties) {
  Wanted out;
  format::for_each_property(properties, [&](const format::Property& p) {
    const auto take = [&](std::string_view name, std::string_view& value) {
      if (p.name == name) value = p.value;
    };
    switch (p.name.size()) {
      case 4:
        take(format::kTags, out.tags);
        take(format::kKeys, out.keys);
        break;
      case 5:
        take(format::kDelay, out.delay);
        break;
      case 8:
        take(format::kUniqKey, out.unique_key);
        break;
      case 9:
        take(format::kInnerNum, out.inner_num);
        break;
      case 10:
        take(format::kInnerBase, out.inner_base);
        break;
      case format::kLightQueues.size():
        take(format::kLightQueues, out.light_queues);
        break;
      case format::kLightOffsets.size():
        take(format::kLightOffsets, out.light_offsets);
        break;
      default:
        break;
    }
  });
  return out;
}

}  // namespace

DispatchRules::DispatchRules(std::string_view levels) {
  while (!levels.empty()) {
    const std::size_t end = levels.find(' ');
    const std::string_view piece = levels.substr(0, end);
    levels = end == std::string_view::npos ? std::string_view() : levels.substr(end + 1);
    if (piece.empty()) continue;
    const auto number = parse_java(piece.substr(0, piece.size() - 1));
    delay_ms_.push_back(number.value_or(0) * unit_ms(piece.back()));
  }
}

Dispatched DispatchRules::of(const format::Record& record) const {
  const Wanted wanted = pick(record.properties);
  const std::int32_t type = record.transaction_type();
  Dispatched out{.has_entry = format::has_queue_entry(type),
                 .has_keys = type != format::kTransactionRollback,
                 .unique_key = wanted.unique_key,
                 .keys = wanted.keys};
  if (format::may_be_in_light_queues(record.topic)) {
    out.light_queues = wanted.light_queues;
    out.light_offsets = wanted.light_offsets;
  }
  if (!wanted.tags.empty()) out.hashed_tag = java_string_hash(wanted.tags);
  out.tag_code = out.hashed_tag;
  if (!wanted.delay.empty() && record.topic == format::kScheduleTopic) {
    const auto level = parse_java(wanted.delay);
    out.is_refused = !fits<std::int32_t>(level);
    if (!out.is_refused && *level > 0) {
      const auto last = static_cast<std::int64_t>(delay_ms_.size());
      const std::int64_t delay =
          last == 0 ? kUnknownDelayMs
                    : delay_ms_[static_cast<std::size_t>(std::min(*level, last) - 1)];
      out.tag_code = record.store_timestamp_ms + delay;
    }
  }
  if (!wanted.inner_num.empty() && !wanted.inner_base.empty()) {
    const auto count = parse_java(wanted.inner_num);
    const auto base = parse_java(wanted.inner_base);
    if (!fits<std::int16_t>(count) || !base) {
      out.is_refused = true;
    } else {
      out.batch_count = static_cast<std::int32_t>(*count);
      out.batch_base = *base;
    }
  }
  return out;
}

}  // namespace mq::inspect

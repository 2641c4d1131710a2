#include "format/pop_records.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/json.h"

namespace mq::format {
namespace {

constexpr std::int32_t kMessagesMax = 32;  // the bits of a checkpoint

json::string boosted(std::string_view text) {
  return json::string(json::string_view(text.data(), text.size()));
}

Error corrupt(std::string_view what, std::string_view why) {
  return Error{Errc::kCorrupt, fmt::format("{}: {}", what, why)};
}

Result<json::value> parse_object(std::string_view body) {
  MQ_TRY(json::value value, parse_json(body));
  if (!value.is_object()) return corrupt("pop record", "expected an object");
  return value;
}

std::int64_t number(const json::value& object, std::string_view name, std::int64_t otherwise = 0) {
  return int_or(member(object, name), otherwise);
}

bool fits_int32(std::int64_t value) noexcept {
  return value >= std::numeric_limits<std::int32_t>::min() &&
         value <= std::numeric_limits<std::int32_t>::max();
}

Result<PopId> parse_id(const json::value& object) {
  PopId id{.topic = string_or(member(object, "t"), ""),
           .group = string_or(member(object, "c"), ""),
           .broker = string_or(member(object, "bn"), ""),
           .start = number(object, "so"),
           .pop_ms = number(object, "pt")};
  const std::int64_t queue = number(object, "q");
  if (id.topic.empty() || id.group.empty()) return corrupt("pop record", "no topic or no group");
  if (queue < 0 || !fits_int32(queue)) return corrupt("pop record", "no such queue");
  constexpr std::int64_t kLimit = std::numeric_limits<std::int64_t>::max() / 2;
  if (id.start < 0 || id.start > kLimit) return corrupt("pop record", "no such offset");
  if (id.pop_ms < 0 || id.pop_ms > kLimit) return corrupt("pop record", "no such time");
  id.queue = static_cast<std::int32_t>(queue);
  return id;
}

json::object object_of(const PopId& id) {
  return {{"bn", boosted(id.broker)}, {"c", boosted(id.group)}, {"pt", id.pop_ms}, {"q", id.queue},
          {"so", id.start},           {"t", boosted(id.topic)}};
}

// Members in the order of their names, as the reference writes them.
std::string written(json::object object) {
  std::vector<std::string> names;
  for (const auto& item : object) names.emplace_back(item.key().data(), item.key().size());
  std::sort(names.begin(), names.end());
  json::object sorted;
  for (const std::string& name : names) sorted[name] = std::move(object[name]);
  return to_json(json::value(std::move(sorted)));
}

Result<std::vector<std::int32_t>> parse_diffs(const json::value& object) {
  std::vector<std::int32_t> out;
  const json::value* const list = member(object, "d");
  if (list == nullptr || !list->is_array()) return out;
  for (const json::value& diff : list->get_array()) {
    const std::int64_t value = int_or(&diff, -1);
    if (value < 0 || !fits_int32(value) || (!out.empty() && value <= out.back()))
      return corrupt("checkpoint", "offsets that do not ascend");
    out.push_back(static_cast<std::int32_t>(value));
  }
  return out;
}

}  // namespace

std::int64_t PopCheckpoint::due_ms() const noexcept {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(id.pop_ms, invisible_ms, &sum)) return sum;
  return invisible_ms > 0 ? std::numeric_limits<std::int64_t>::max()
                          : std::numeric_limits<std::int64_t>::min();
}

std::int64_t PopCheckpoint::offset_at(std::int32_t index) const noexcept {
  if (diffs.empty()) return id.start + index;
  return id.start + diffs[static_cast<std::size_t>(index)];
}

std::optional<std::int32_t> PopCheckpoint::index_of(std::int64_t offset) const noexcept {
  for (std::int32_t i = 0; i < count; ++i)
    if (offset_at(i) == offset) return i;
  return std::nullopt;
}

std::int64_t PopCheckpoint::end() const noexcept { return offset_at(count - 1) + 1; }

Result<PopCheckpoint> parse_pop_checkpoint(std::string_view body) {
  MQ_TRY(const json::value object, parse_object(body));
  PopCheckpoint out;
  MQ_TRY(out.id, parse_id(object));
  MQ_TRY(out.diffs, parse_diffs(object));
  const std::int64_t count = number(object, "n");
  const std::int64_t bits = number(object, "bm");
  if (count < 1 || count > kMessagesMax) return corrupt("checkpoint", "a number of messages");
  if (!out.diffs.empty() && static_cast<std::int64_t>(out.diffs.size()) != count)
    return corrupt("checkpoint", "two numbers of messages");
  if (!fits_int32(bits)) return corrupt("checkpoint", "more bits than messages");
  out.count = static_cast<std::int32_t>(count);
  out.bits = static_cast<std::int32_t>(bits);
  out.invisible_ms = number(object, "it");
  out.revive_offset = number(object, "ro");
  // A text in the reference; not a number there means none.
  const std::int64_t again = number(object, "rp");
  out.put_again_times = fits_int32(again) ? static_cast<std::int32_t>(again) : 0;
  return out;
}

std::string encode_pop_checkpoint(const PopCheckpoint& checkpoint) {
  json::object object = object_of(checkpoint.id);
  object["bm"] = checkpoint.bits;
  object["it"] = checkpoint.invisible_ms;
  object["n"] = checkpoint.count;
  object["ro"] = checkpoint.revive_offset;
  object["reviveTime"] = checkpoint.due_ms();
  json::array diffs;
  for (const std::int32_t diff : checkpoint.diffs) diffs.emplace_back(diff);
  object["d"] = std::move(diffs);
  if (checkpoint.put_again_times > 0)
    object["rp"] = boosted(std::to_string(checkpoint.put_again_times));
  return written(std::move(object));
}

std::string unique_key(const PopCheckpoint& checkpoint) {
  const PopId& id = checkpoint.id;
  return fmt::format("{}@{}@{}@{}@{}@{}@{}", id.topic, id.queue, id.start, id.group, id.pop_ms,
                     id.broker, kCheckpointTag);
}

Result<PopAck> parse_pop_ack(std::string_view body) {
  MQ_TRY(const json::value object, parse_object(body));
  PopAck out;
  MQ_TRY(out.id, parse_id(object));
  const json::value* const list = member(object, "aol");
  if (list != nullptr && list->is_array()) {
    for (const json::value& offset : list->get_array()) out.offsets.push_back(int_or(&offset, -1));
  } else if (member(object, "ao") != nullptr) {
    out.offsets.push_back(number(object, "ao", -1));
  }
  return out;
}

std::string encode_pop_ack(const PopAck& ack, bool batch) {
  json::object object = object_of(ack.id);
  if (batch) {
    json::array offsets;
    for (const std::int64_t offset : ack.offsets) offsets.emplace_back(offset);
    object["aol"] = std::move(offsets);
    object["ao"] = -1;
  } else {
    object["ao"] = ack.offsets.empty() ? 0 : ack.offsets.front();
  }
  return written(std::move(object));
}

std::string unique_key(const PopAck& ack, bool batch) {
  const PopId& id = ack.id;
  const std::int64_t offset = batch || ack.offsets.empty() ? -1 : ack.offsets.front();
  return fmt::format("{}@{}@{}@{}@{}@{}@{}", id.topic, id.queue, offset, id.group, id.pop_ms,
                     id.broker, kAckTag);
}

}  // namespace mq::format

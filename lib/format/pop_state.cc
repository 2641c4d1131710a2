#include "format/pop_state.h"

#include <charconv>
#include <limits>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/json.h"

namespace mq::format {
namespace {

constexpr std::size_t kOffsetsMax = 64;  // the bits of `cm`

json::string boosted(std::string_view text) {
  return json::string(json::string_view(text.data(), text.size()));
}
std::string_view plain(json::string_view text) noexcept { return {text.data(), text.size()}; }

Error corrupt(std::string_view where, std::string_view expected) {
  return Error{Errc::kCorrupt, fmt::format("{}: expected {}", where, expected)};
}

// The object called `name`; absent or null: nothing.
Result<const json::object*> object_in(const json::value& value, std::string_view name) {
  const json::value* const found = member(value, name);
  if (found == nullptr || found->is_null()) return static_cast<const json::object*>(nullptr);
  if (!found->is_object()) return corrupt(name, "an object");
  return &found->get_object();
}

template <typename T>
Result<T> number_of(std::string_view text) {
  T number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    return corrupt(fmt::format("'{}'", text), "a number");
  return number;
}

template <typename V>
Result<std::map<std::int64_t, V>> parse_by_offset(const json::value& value, std::string_view name) {
  std::map<std::int64_t, V> out;
  MQ_TRY(const json::object* const object, object_in(value, name));
  if (object == nullptr) return out;
  for (const auto& item : *object) {
    MQ_TRY(const std::int64_t offset, number_of<std::int64_t>(plain(item.key())));
    const std::int64_t number = int_or(&item.value(), 0);
    if (number < std::numeric_limits<V>::min() || number > std::numeric_limits<V>::max())
      return corrupt(name, "smaller numbers");
    out[offset] = static_cast<V>(number);
  }
  return out;
}

Result<std::vector<std::int64_t>> parse_offsets(const json::value& value) {
  std::vector<std::int64_t> out;
  const json::value* const list = member(value, "o");
  if (list == nullptr || list->is_null()) return out;
  if (!list->is_array()) return corrupt("o", "a list");
  for (const json::value& item : list->get_array()) {
    std::int64_t offset = int_or(&item, -1);
    if (offset < 0 || offset > std::numeric_limits<std::int64_t>::max() / 2)
      return corrupt("o", "offsets");
    if (!out.empty()) offset += out.front();
    if (!out.empty() && offset <= out.back()) return corrupt("o", "offsets that ascend");
    if (out.size() == kOffsetsMax) return corrupt("o", "fewer offsets");
    out.push_back(offset);
  }
  return out;
}

Result<OrderInfo> parse_order_info(const json::value& value) {
  if (!value.is_object()) return corrupt("queue", "an object");
  OrderInfo out{.pop_ms = int_or(member(value, "popTime"), 0),
                .invisible_ms = int_or(member(value, "i"), 0),
                .consumed_ms = int_or(member(value, "l"), 0),
                .offsets = {},
                .visible_ms = {},
                .counts = {},
                .acked = static_cast<std::uint64_t>(int_or(member(value, "cm"), 0)),
                .attempt_id = string_or(member(value, "a"), "")};
  MQ_TRY(out.offsets, parse_offsets(value));
  MQ_TRY(out.visible_ms, parse_by_offset<std::int64_t>(value, "ot"));
  MQ_TRY(out.counts, parse_by_offset<std::int32_t>(value, "oc"));
  return out;
}

template <typename V>
json::object by_offset(const std::map<std::int64_t, V>& map) {
  json::object out;
  for (const auto& [offset, number] : map) out[std::to_string(offset)] = number;
  return out;
}

json::object object_of(const OrderInfo& info) {
  json::array offsets;
  for (const std::int64_t offset : info.offsets)
    offsets.emplace_back(offsets.empty() ? offset : offset - info.offsets.front());
  json::object out{{"cm", static_cast<std::int64_t>(info.acked)},
                   {"l", info.consumed_ms},
                   {"o", std::move(offsets)},
                   {"oc", by_offset(info.counts)},
                   {"popTime", info.pop_ms}};
  if (info.invisible_ms > 0) out["i"] = info.invisible_ms;
  if (!info.visible_ms.empty()) out["ot"] = by_offset(info.visible_ms);
  if (!info.attempt_id.empty()) out["a"] = boosted(info.attempt_id);
  return out;
}

RequestMode mode_from(const json::value& value) {
  const std::int64_t share = int_or(member(value, "popShareQueueNum"), 0);
  const bool fits = share >= 0 && share <= std::numeric_limits<std::int32_t>::max();
  return {.pop = string_or(member(value, "mode"), "PULL") == "POP",
          .share_queues = fits ? static_cast<std::int32_t>(share) : 0};
}

}  // namespace

Result<OrderTable> parse_order_info_json(std::string_view text) {
  MQ_TRY(const json::value file, parse_json(text));
  if (!file.is_object()) return corrupt("state file", "an object");
  OrderTable out;
  MQ_TRY(const json::object* const table, object_in(file, "table"));
  if (table == nullptr) return out;
  for (const auto& queues : *table) {
    if (!queues.value().is_object()) return corrupt(plain(queues.key()), "an object");
    for (const auto& queue : queues.value().get_object()) {
      MQ_TRY(const std::int32_t id, number_of<std::int32_t>(plain(queue.key())));
      MQ_TRY(out[std::string(plain(queues.key()))][id], parse_order_info(queue.value()));
    }
  }
  return out;
}

std::string to_order_info_json(const OrderTable& table) {
  json::object out;
  for (const auto& [name, queues] : table) {
    json::object object;
    for (const auto& [id, info] : queues) object[std::to_string(id)] = object_of(info);
    out[name] = std::move(object);
  }
  return to_pretty_json(json::object{{"table", std::move(out)}});
}

Result<RequestModes> parse_request_modes_json(std::string_view text) {
  MQ_TRY(const json::value file, parse_json(text));
  if (!file.is_object()) return corrupt("state file", "an object");
  RequestModes out;
  MQ_TRY(const json::object* const table, object_in(file, "messageRequestModeMap"));
  if (table == nullptr) return out;
  for (const auto& groups : *table) {
    if (!groups.value().is_object()) return corrupt(plain(groups.key()), "an object");
    for (const auto& group : groups.value().get_object()) {
      if (!group.value().is_object()) return corrupt(plain(group.key()), "an object");
      out[std::string(plain(groups.key()))][std::string(plain(group.key()))] =
          mode_from(group.value());
    }
  }
  return out;
}

std::string to_request_modes_json(const RequestModes& modes, bool pretty) {
  json::object table;
  for (const auto& [topic, groups] : modes) {
    json::object object;
    for (const auto& [group, mode] : groups) {
      object[group] = json::object{{"consumerGroup", boosted(group)},
                                   {"mode", mode.pop ? "POP" : "PULL"},
                                   {"popShareQueueNum", mode.share_queues},
                                   {"topic", boosted(topic)}};
    }
    table[topic] = std::move(object);
  }
  const json::value file = json::object{{"messageRequestModeMap", std::move(table)}};
  return pretty ? to_pretty_json(file) : to_json(file);
}

Result<NamedRequestMode> parse_request_mode(std::string_view text) {
  MQ_TRY(const json::value body, parse_json(text));
  if (!body.is_object()) return corrupt("request mode", "an object");
  return NamedRequestMode{.topic = string_or(member(body, "topic"), ""),
                          .group = string_or(member(body, "consumerGroup"), ""),
                          .mode = mode_from(body)};
}

}  // namespace mq::format

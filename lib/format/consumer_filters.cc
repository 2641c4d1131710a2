#include "format/consumer_filters.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/json.h"

namespace mq::format {
namespace {

std::string text_of(json::string_view text) { return {text.data(), text.size()}; }

// The member as an object; an empty one when it is absent or null. Errors: kCorrupt.
Result<const json::object*> object_in(const json::value& parent, std::string_view name) {
  static const json::object none;
  const json::value* const found = member(parent, name);
  if (found == nullptr || found->is_null()) return &none;
  if (found->is_object()) return &found->get_object();
  return Error{Errc::kCorrupt, fmt::format("{}: expected an object", name)};
}

BloomBits parse_bloom(const json::value* data) {
  BloomBits out;
  if (data == nullptr || !data->is_object()) return out;
  out.bits = static_cast<std::int32_t>(int_or(member(*data, "bitNum"), 0));
  const json::value* const positions = member(*data, "bitPos");
  if (positions == nullptr || !positions->is_array()) return out;
  for (const json::value& one : positions->get_array())
    out.positions.push_back(static_cast<std::int32_t>(int_or(&one, -1)));
  return out;
}

ConsumerFilter parse_filter(const json::value& data) {
  return {.expression = string_or(member(data, "expression"), ""),
          .type = string_or(member(data, "expressionType"), ""),
          .client_version = int_or(member(data, "clientVersion"), 0),
          .born_ms = int_or(member(data, "bornTime"), 0),
          .dead_ms = int_or(member(data, "deadTime"), 0),
          .bloom = parse_bloom(member(data, "bloomFilterData"))};
}

json::object to_object(const std::string& topic, const std::string& group,
                       const ConsumerFilter& filter) {
  json::array positions;
  for (const std::int32_t position : filter.bloom.positions) positions.emplace_back(position);
  return {{"bloomFilterData",
           json::object{{"bitNum", filter.bloom.bits}, {"bitPos", std::move(positions)}}},
          {"bornTime", filter.born_ms},
          {"clientVersion", filter.client_version},
          {"consumerGroup", group},
          {"dead", filter.is_dead()},
          {"deadTime", filter.dead_ms},
          {"expression", filter.expression},
          {"expressionType", filter.type},
          {"topic", topic}};
}

}  // namespace

Result<ConsumerFilterTable> parse_consumer_filter_json(std::string_view text) {
  MQ_TRY(const json::value file, parse_json(text));
  if (!file.is_object()) return Error{Errc::kCorrupt, "state file: expected an object"};
  MQ_TRY(const json::object* topics, object_in(file, "filterDataByTopic"));
  ConsumerFilterTable table;
  for (const auto& topic : *topics) {
    const std::string name = text_of(topic.key());
    MQ_TRY(const json::object* groups, object_in(topic.value(), "groupFilterData"));
    for (const auto& group : *groups) {
      if (!group.value().is_object()) {
        return Error{Errc::kCorrupt,
                     fmt::format("{}: {}: expected an object", name, text_of(group.key()))};
      }
      table.topics[name][text_of(group.key())] = parse_filter(group.value());
    }
  }
  return table;
}

std::string to_consumer_filter_json(const ConsumerFilterTable& table) {
  json::object topics;
  for (const auto& [topic, groups] : table.topics) {
    json::object filters;
    for (const auto& [group, filter] : groups) filters[group] = to_object(topic, group, filter);
    topics[topic] = json::object{{"groupFilterData", std::move(filters)}, {"topic", topic}};
  }
  return to_pretty_json(json::object{{"filterDataByTopic", std::move(topics)}});
}

}  // namespace mq::format

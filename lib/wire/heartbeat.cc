#include "wire/heartbeat.h"

#include <array>

#include "base/hash.h"
#include "wire/body_json.h"
#include "wire/fields.h"

namespace mq::wire {
namespace {

constexpr std::array<std::string_view, 3> kConsumeTypes = {"CONSUME_ACTIVELY", "CONSUME_PASSIVELY",
                                                           "CONSUME_POP"};
constexpr std::array<std::string_view, 2> kMessageModels = {"BROADCASTING", "CLUSTERING"};
constexpr std::array<std::string_view, 6> kConsumeFroms = {
    "CONSUME_FROM_LAST_OFFSET",  "CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST",
    "CONSUME_FROM_MIN_OFFSET",   "CONSUME_FROM_MAX_OFFSET",
    "CONSUME_FROM_FIRST_OFFSET", "CONSUME_FROM_TIMESTAMP"};

// An enum of that list, by name or ordinal; `otherwise` for anything else.
template <typename Enum, std::size_t kCount>
Enum enum_member(const json::value& object, std::string_view member_name,
                 const std::array<std::string_view, kCount>& names, Enum otherwise) {
  const json::value* const value = member(object, member_name);
  const std::string text = string_or(value, "");
  for (std::size_t i = 0; i < kCount; ++i)
    if (names[i] == text) return static_cast<Enum>(i);
  const std::int64_t ordinal = int_or(value, -1);
  return ordinal >= 0 && ordinal < static_cast<std::int64_t>(kCount) ? static_cast<Enum>(ordinal)
                                                                     : otherwise;
}

json::object to_object(const ConsumerData& data, bool without_sub) {
  json::array subscriptions;
  if (!without_sub) {
    for (const SubscriptionData& one : data.subscriptions)
      subscriptions.push_back(subscription_object(one));
  }
  return {{"consumeFromWhere", text_value(name_of(data.from))},
          {"consumeType", text_value(name_of(data.type))},
          {"groupName", text_value(data.group)},
          {"messageModel", text_value(name_of(data.model))},
          {"subscriptionDataSet", std::move(subscriptions)},
          {"unitMode", data.unit_mode}};
}

}  // namespace

std::string_view name_of(ConsumeType type) noexcept {
  return kConsumeTypes[static_cast<std::size_t>(type)];
}
std::string_view name_of(MessageModel model) noexcept {
  return kMessageModels[static_cast<std::size_t>(model)];
}
std::string_view name_of(ConsumeFrom from) noexcept {
  return kConsumeFroms[static_cast<std::size_t>(from)];
}

std::vector<std::string_view> tags_of(std::string_view expression) {
  std::vector<std::string_view> tags;
  if (expression == "*") return tags;
  while (!expression.empty()) {
    const std::size_t end = expression.find("||");
    std::string_view tag = expression.substr(0, end);
    expression = end == std::string_view::npos ? std::string_view() : expression.substr(end + 2);
    while (!tag.empty() && tag.front() == ' ') tag.remove_prefix(1);
    while (!tag.empty() && tag.back() == ' ') tag.remove_suffix(1);
    if (!tag.empty()) tags.push_back(tag);
  }
  return tags;
}

json::object subscription_object(const SubscriptionData& data) {
  json::array codes;
  json::array tags;
  if (data.expression_type == "TAG") {
    for (const std::string_view tag : tags_of(data.expression)) {
      codes.push_back(java_string_hash(tag));
      tags.push_back(text_value(tag));
    }
  }
  return {{"classFilterMode", false},
          {"codeSet", std::move(codes)},
          {"expressionType", text_value(data.expression_type)},
          {"subString", text_value(data.expression)},
          {"subVersion", data.version},
          {"tagsSet", std::move(tags)},
          {"topic", text_value(data.topic)}};
}

SubscriptionData subscription_from(const json::value& value) {
  SubscriptionData out;
  out.topic = string_member(value, "topic");
  out.expression = string_member(value, "subString", out.expression);
  if (out.expression.empty()) out.expression = "*";
  out.expression_type = string_member(value, "expressionType", out.expression_type);
  if (out.expression_type.empty()) out.expression_type = "TAG";
  out.version = int64_member(value, "subVersion", 0);
  return out;
}

ConsumerData consumer_from(const json::value& value) {
  ConsumerData out;
  out.group = string_member(value, "groupName");
  out.type = enum_member(value, "consumeType", kConsumeTypes, out.type);
  out.model = enum_member(value, "messageModel", kMessageModels, out.model);
  out.from = enum_member(value, "consumeFromWhere", kConsumeFroms, out.from);
  out.unit_mode = bool_member(value, "unitMode", false);
  for (const json::value& data : array_member(value, "subscriptionDataSet"))
    out.subscriptions.push_back(subscription_from(data));
  return out;
}

Result<Heartbeat> decode_heartbeat(std::string_view body) {
  MQ_TRY(const json::value value, parse_body(body));
  Heartbeat out;
  out.client_id = string_member(value, "clientID");
  for (const json::value& producer : array_member(value, "producerDataSet"))
    out.producer_groups.push_back(string_member(producer, "groupName"));
  for (const json::value& consumer : array_member(value, "consumerDataSet"))
    out.consumers.push_back(consumer_from(consumer));
  out.fingerprint = int64_member(value, "heartbeatFingerprint", 0);
  out.without_sub = bool_member(value, "withoutSub", false);
  return out;
}

std::string encode_heartbeat(const Heartbeat& heartbeat) {
  json::array consumers;
  for (const ConsumerData& consumer : heartbeat.consumers)
    consumers.push_back(to_object(consumer, heartbeat.without_sub));
  json::array producers;
  for (const std::string& group : heartbeat.producer_groups)
    producers.push_back(json::object{{"groupName", text_value(group)}});
  return to_json(json::object{{"clientID", text_value(heartbeat.client_id)},
                              {"consumerDataSet", std::move(consumers)},
                              {"heartbeatFingerprint", heartbeat.fingerprint},
                              {"producerDataSet", std::move(producers)},
                              {"withoutSub", heartbeat.without_sub}});
}

HeartbeatResponse decode_heartbeat_response(const Command& response) {
  return {.supports_v2 = bool_or(response.ext, "IS_SUPPORT_HEART_BEAT_V2", false),
          .subscription_changed = bool_or(response.ext, "IS_SUB_CHANGE", true)};
}
void append_heartbeat_response(std::string& out, const Header& header,
                               const HeartbeatResponse& response) {
  append_frame_head(out, header,
                    std::array{Field{"IS_SUPPORT_HEART_BEAT_V2", response.supports_v2},
                               Field{"IS_SUB_CHANGE", response.subscription_changed}},
                    0);
}

Result<UnregisterRequest> decode_unregister_request(const Command& request) {
  UnregisterRequest out;
  MQ_TRY(out.client_id, text_field(request.ext, "clientID"));
  out.producer_group = text_or(request.ext, "producerGroup", "");
  out.consumer_group = text_or(request.ext, "consumerGroup", "");
  return out;
}
void append_unregister_request(std::string& out, const Header& header,
                               const UnregisterRequest& request) {
  std::array<Field, 3> fields = {Field{"clientID", request.client_id}, Field{"", ""},
                                 Field{"", ""}};
  std::size_t count = 1;
  if (!request.producer_group.empty())
    fields[count++] = Field{"producerGroup", request.producer_group};
  if (!request.consumer_group.empty())
    fields[count++] = Field{"consumerGroup", request.consumer_group};
  append_frame_head(out, header, std::span(fields).first(count), 0);
}

}  // namespace mq::wire

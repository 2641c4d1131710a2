// Clients that stay: heartbeats R(34) and leaving R(35) (remoting.md 6.6), and the subscription
// data that R(34), R(46), R(203) and R(345) share. The decoder takes what Java, Go and C++ clients
// send: enums by name or ordinal, numbers as text, sets that are left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

// Values are the ordinals of the protocol.
enum class ConsumeType : std::uint8_t { kActively, kPassively, kPop };
enum class MessageModel : std::uint8_t { kBroadcasting, kClustering };
enum class ConsumeFrom : std::uint8_t {
  kLastOffset,
  kLastOffsetAndFromMinWhenBootFirst,
  kMinOffset,
  kMaxOffset,
  kFirstOffset,
  kTimestamp,
};
[[nodiscard]] std::string_view name_of(ConsumeType type) noexcept;    // "CONSUME_PASSIVELY"
[[nodiscard]] std::string_view name_of(MessageModel model) noexcept;  // "CLUSTERING"
[[nodiscard]] std::string_view name_of(ConsumeFrom from) noexcept;    // "CONSUME_FROM_LAST_OFFSET"

struct SubscriptionData {
  std::string topic;
  std::string expression = "*";         // subString
  std::string expression_type = "TAG";  // or SQL92
  std::int64_t version = 0;             // subVersion
  friend bool operator==(const SubscriptionData&, const SubscriptionData&) = default;
};
// The tags of `a || b` as views into it, blanks around them dropped; none of `*`.
[[nodiscard]] std::vector<std::string_view> tags_of(std::string_view expression);
// tagsSet and codeSet are made from the expression when it is one of tags.
[[nodiscard]] json::object subscription_object(const SubscriptionData& data);
[[nodiscard]] SubscriptionData subscription_from(const json::value& value);

struct ConsumerData {
  std::string group;
  ConsumeType type = ConsumeType::kPassively;
  MessageModel model = MessageModel::kClustering;
  ConsumeFrom from = ConsumeFrom::kLastOffset;
  bool unit_mode = false;
  std::vector<SubscriptionData> subscriptions;
  friend bool operator==(const ConsumerData&, const ConsumerData&) = default;
};

[[nodiscard]] ConsumerData consumer_from(const json::value& value);

struct Heartbeat {
  std::string client_id;
  std::vector<std::string> producer_groups;
  std::vector<ConsumerData> consumers;
  // Heartbeat V2: not 0 when the client counts on the broker to remember its subscriptions by this
  // number; with `without_sub` the subscriptions are left out.
  std::int64_t fingerprint = 0;
  bool without_sub = false;
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};
// Errors: kCorrupt.
Result<Heartbeat> decode_heartbeat(std::string_view body);
[[nodiscard]] std::string encode_heartbeat(const Heartbeat& heartbeat);

struct HeartbeatResponse {
  bool supports_v2 = true;
  bool subscription_changed = true;  // send it whole the next time
};
[[nodiscard]] HeartbeatResponse decode_heartbeat_response(const Command& response);
void append_heartbeat_response(std::string& out, const Header& header,
                               const HeartbeatResponse& response);

struct UnregisterRequest {
  std::string_view client_id;
  std::string_view producer_group{};  // "": none
  std::string_view consumer_group{};
};
// Errors: kInvalid naming the field.
Result<UnregisterRequest> decode_unregister_request(const Command& request);
void append_unregister_request(std::string& out, const Header& header,
                               const UnregisterRequest& request);

}  // namespace mq::wire

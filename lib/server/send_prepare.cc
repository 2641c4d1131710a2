#include <array>

#include <fmt/format.h>

#include "format/message_id.h"
#include "format/names.h"
#include "format/properties.h"
#include "server/send_parts.h"
#include "wire/codes.h"

namespace mq::server {

void add_broker_properties(const Call& call, std::string_view given, const broker::Asked& asked,
                           bool unique_key, std::string& out) {
  out.clear();
  if (asked.has_brokers_own) [[unlikely]] {
    format::for_each_property(given, [&](const format::Property& p) {
      if (!broker::is_brokers_own(p.name)) format::append_property(out, p.name, p.value);
    });
  } else {
    out.assign(given);
  }
  if (unique_key && asked.unique_key.empty()) {
    thread_local format::UniqKeyMaker maker;
    std::array<char, 32> id{};
    maker.make(call.p.clock.now_ms(), id.data());
    format::append_property(out, format::kUniqKey, std::string_view(id.data(), id.size()));
  }
  format::append_property(out, "MSG_REGION", call.p.config.region);
  format::append_property(out, "CLUSTER", call.p.config.cluster);
  format::append_property(out, "TRACE_ON", call.p.config.trace_on ? "true" : "false");
}

std::string_view why_not(const broker::Asked& asked, bool batch) noexcept {
  if (batch && asked.transaction) return "a batch may not be part of a transaction";
  const bool has_level =
      !asked.delay.empty() && asked.delay != "0" && !asked.delay.starts_with('-');
  const bool is_delayed = has_level || (asked.has_timer() && asked.timer_out.empty());
  if (batch && is_delayed) return "a batch may not be delayed";
  return {};
}

std::string why_not_of_type(const wire::SendRequest& send, const SendTarget& target,
                            const broker::Asked& asked) {
  if (send.topic.starts_with(format::kRetryPrefix) || send.topic.starts_with(format::kDlqPrefix))
    return {};
  const broker::MessageType type = broker::message_type_of(send.properties, asked);
  if (type == target.message_type || target.message_type == broker::MessageType::kMixed) return {};
  return fmt::format(
      "TopicMessageType validate failed, the expected type is {}, but actual type is {}",
      broker::name_of(target.message_type), broker::name_of(type));
}

format::Host born_host(const Call& call) {
  format::Host host;
  if (auto parsed = format::parse_host(call.connection.peer_ip())) host = *parsed;
  host.port = call.connection.peer_port();
  return host;
}

std::int32_t code_of_postpone(const Error& error) noexcept {
  return error.code() == Errc::kInvalid ? wire::kMessageIllegal : wire::kSystemError;
}

Result<void> split_batch(Bytes body, std::string_view shared,
                         std::vector<store::PutMessage>& messages, std::vector<std::string>& made) {
  wire::BatchReader reader(body);
  wire::BatchItem item;
  while (true) {
    MQ_TRY(const bool more, reader.next(item));
    if (!more) break;
    messages.push_back({.flag = item.flag, .body = item.body, .properties = item.properties});
  }
  if (messages.empty()) return Error{Errc::kCorrupt, "no message in the batch"};
  if (shared.empty()) return {};
  made.reserve(messages.size());
  for (auto& message : messages) {
    std::string& text = made.emplace_back(message.properties);
    if (!text.empty() && text.back() != format::kPairEnd) text += format::kPairEnd;
    text += shared;
    message.properties = text;
  }
  return {};
}

}  // namespace mq::server

#include "broker/half_message.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "format/properties.h"

namespace mq::broker {
namespace {

std::optional<std::int64_t> number_of(std::optional<std::string_view> text) noexcept {
  std::int64_t value = 0;
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return value;
}

std::int64_t seconds_as_ms(std::int64_t seconds) noexcept {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max() / 1000;
  return std::clamp(seconds, -kMax, kMax) * 1000;
}

}  // namespace

bool is_half(const Asked& asked, std::int32_t reconsume_times) noexcept {
  if (!asked.transaction) return false;
  return reconsume_times <= 0 || number_of(asked.delay).value_or(0) <= 0;
}

void make_half(std::string& properties, std::string_view topic, QueueId queue_id) {
  if (const auto key = format::find_property(properties, format::kUniqKey)) {
    const std::string id(*key);  // a view into what is about to change
    format::set_property(properties, format::kTransactionId, id);
  }
  format::set_property(properties, format::kRealTopic, topic);
  format::set_property(properties, format::kRealQueueId, std::to_string(queue_id));
}

std::optional<std::int64_t> immunity_ms(std::string_view properties,
                                        std::int64_t timeout_ms) noexcept {
  const auto text = format::find_property(properties, format::kCheckImmunitySec);
  if (!text) return std::nullopt;
  const auto seconds = number_of(text);
  return seconds && *seconds != -1 ? seconds_as_ms(*seconds) : timeout_ms;
}

std::optional<std::int64_t> ends_within_ms(std::string_view properties,
                                           std::int64_t timeout_ms) noexcept {
  const auto text = format::find_property(properties, format::kCheckImmunitySec);
  if (!text) return std::nullopt;
  return std::max(timeout_ms, seconds_as_ms(number_of(text).value_or(0)));
}

std::int32_t checks_of(std::string_view properties) noexcept {
  const auto times = number_of(format::find_property(properties, format::kCheckTimes));
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(times.value_or(0), 0, std::numeric_limits<std::int32_t>::max() - 1));
}

std::optional<QueueOffset> first_half_offset(std::string_view properties) noexcept {
  const auto offset = number_of(format::find_property(properties, format::kFirstHalfOffset));
  if (!offset || *offset < 0) return std::nullopt;
  return QueueOffset(*offset);
}

}  // namespace mq::broker

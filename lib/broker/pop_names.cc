#include "broker/pop_names.h"

#include "format/names.h"

namespace mq::broker {
namespace {

std::string joined(std::string_view group, char by, std::string_view topic) {
  std::string out(format::kRetryPrefix);
  return out.append(group).append(1, by).append(topic);
}

}  // namespace

std::string pop_retry_topic_v1(std::string_view group, std::string_view topic) {
  return joined(group, '_', topic);
}
std::string pop_retry_topic_v2(std::string_view group, std::string_view topic) {
  return joined(group, '+', topic);
}

std::string stored_topic(wire::PopRetry retry, std::string_view group, std::string_view topic) {
  switch (retry) {
    case wire::PopRetry::kV1:
      return pop_retry_topic_v1(group, topic);
    case wire::PopRetry::kV2:
      return pop_retry_topic_v2(group, topic);
    case wire::PopRetry::kNone:
      break;
  }
  return std::string(topic);
}

wire::PopRetry retry_form(std::string_view topic) noexcept {
  if (!topic.starts_with(format::kRetryPrefix)) return wire::PopRetry::kNone;
  return topic.find('+') == std::string_view::npos ? wire::PopRetry::kV1 : wire::PopRetry::kV2;
}

}  // namespace mq::broker

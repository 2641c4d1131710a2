// The retry topics of pop consumption: one for each group and topic (semantics.md 13.4).
#pragma once

#include <string>
#include <string_view>

#include "wire/pop.h"

namespace mq::broker {

// %RETRY%group_topic
[[nodiscard]] std::string pop_retry_topic_v1(std::string_view group, std::string_view topic);
// %RETRY%group+topic
[[nodiscard]] std::string pop_retry_topic_v2(std::string_view group, std::string_view topic);
// Where a message of that form is stored; the topic itself for kNone.
[[nodiscard]] std::string stored_topic(wire::PopRetry retry, std::string_view group,
                                       std::string_view topic);
// The form that a stored topic's name has: of one that is no retry topic kNone.
[[nodiscard]] wire::PopRetry retry_form(std::string_view topic) noexcept;

// Calls visit(group, topic) for every group and topic that `retry_topic` may be of: names of the
// first form can be read in several ways.
template <typename Visit>
void for_each_origin(std::string_view retry_topic, Visit&& visit) {
  constexpr std::string_view kPrefix = "%RETRY%";
  if (!retry_topic.starts_with(kPrefix)) return;
  const std::string_view name = retry_topic.substr(kPrefix.size());
  for (std::size_t at = name.find_first_of("+_"); at != std::string_view::npos;
       at = name.find_first_of("+_", at + 1)) {
    if (at > 0 && at + 1 < name.size()) visit(name.substr(0, at), name.substr(at + 1));
  }
}

}  // namespace mq::broker

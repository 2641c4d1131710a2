// What a consumer group wants of a topic, as its heartbeats say it (semantics.md 7, 9.1). Values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mq::broker {

// A tag expression, compiled: `*`, or tags by hash (semantics.md 7).
struct TagExpression {
  bool all = true;
  std::vector<std::int32_t> codes;  // sorted
  static TagExpression parse(std::string_view expression);
};

struct Subscription {
  std::string expression = "*";
  std::string type = "TAG";
  std::int64_t version =
      0;               // grows with each change at the client; of equal texts the newer counts
  TagExpression tags;  // of a TAG expression; all, for other types
};

using Subscriptions = std::map<std::string, Subscription, std::less<>>;  // by topic

}  // namespace mq::broker

#include "broker/subscription.h"

#include <algorithm>

#include "base/hash.h"
#include "wire/heartbeat.h"

namespace mq::broker {

TagExpression TagExpression::parse(std::string_view expression) {
  TagExpression out;
  if (expression.empty() || expression == "*") return out;
  for (const std::string_view tag : wire::tags_of(expression))
    out.codes.push_back(java_string_hash(tag));
  out.all = false;
  std::sort(out.codes.begin(), out.codes.end());
  return out;
}

}  // namespace mq::broker

#include "broker/asked.h"

#include <algorithm>

#include "format/properties.h"

namespace mq::broker {
namespace {

bool equals_true(std::string_view value) noexcept {
  return value.size() == 4 && std::equal(value.begin(), value.end(), "true",
                                         [](char a, char b) { return (a | 0x20) == b; });
}

}  // namespace

bool is_brokers_own(std::string_view name) noexcept {
  return name == "MSG_REGION" || name == "TRACE_ON" || name == "CLUSTER" || name == "POP_CK";
}

Asked read_asked(std::string_view properties) noexcept {
  Asked out;
  format::for_each_property(properties, [&](const format::Property& p) {
    switch (p.name.front()) {
      case 'D':
        if (p.name == format::kDelay) out.delay = p.value;
        break;
      case 'I':
        if (p.name == format::kInnerNum) out.inner_num = true;
        break;
      case 'T':
        if (p.name == format::kTimerDelaySec) out.timer_sec = p.value;
        if (p.name == format::kTimerDelayMs) out.timer_ms = p.value;
        if (p.name == format::kTimerDeliverMs) out.timer_at = p.value;
        if (p.name == format::kTimerOutMs) out.timer_out = p.value;
        if (p.name == format::kTimerDeleteKey) out.timer_drop = p.value;
        if (p.name == format::kTransaction) out.transaction = equals_true(p.value);
        break;
      case 'U':
        if (p.name == format::kUniqKey) out.unique_key = p.value;
        break;
      case 'W':
        if (p.name == format::kWait) out.wait = equals_true(p.value);
        break;
      default:
        break;
    }
    if (is_brokers_own(p.name)) out.has_brokers_own = true;
  });
  return out;
}

}  // namespace mq::broker

#include "broker/pop_service.h"

#include <algorithm>

#include "base/log.h"
#include "broker/pop_recovery.h"

namespace mq::broker {
namespace {

constexpr std::int64_t kMessagesPerTurn = 1000;

PopPolls::Limits limits_of(const BrokerConfig& config) {
  return {.each_max = config.pop_polls_each_max, .all_max = config.pop_polls_max};
}

}  // namespace

PopService::PopService(const Parts& parts)
    : log(parts.store, parts.postpone, parts.config.cluster, parts.store_host),
      orders(parts.fs, parts.config.store.root + "/config/consumerOrderInfo.json"),
      modes(parts.fs, parts.config.store.root + "/config/messageRequestMode.json"),
      pop({.store = parts.store,
           .topics = parts.topics,
           .offsets = parts.offsets,
           .orders = orders,
           .log = log,
           .config = parts.config,
           .stats = parts.stats,
           .random = parts.random}),
      revive({.store = parts.store,
              .topics = parts.topics,
              .groups = parts.groups,
              .offsets = parts.offsets,
              .log = log,
              .stats = parts.stats,
              .store_host = parts.store_host,
              .retry_topic_v2 = parts.config.retry_topic_v2,
              .drop_unreadable = parts.config.pop_drop_unreadable,
              .timer = parts.timer}),
      polls(limits_of(parts.config)),
      notices(limits_of(parts.config)),
      p_(parts) {}

Result<void> PopService::load(std::int64_t now_ms) {
  MQ_CHECK(orders.load());
  MQ_CHECK(modes.load());
  const bool crashed = !p_.store.recovery().clean;
  if (crashed) {
    const std::int64_t moved =
        restore_pop_offsets(p_.store, p_.offsets, p_.groups, orders, log.topic());
    if (moved > 0) log::info("recovery: pops say where {} queues of groups were", moved);
  }
  revive.open(crashed, now_ms);
  orders_due_ms_ = now_ms + p_.config.offset_flush_interval_ms;
  return {};
}

std::int64_t PopService::step(std::int64_t now_ms) {
  std::int64_t next_ms = revive.step(now_ms, kMessagesPerTurn);
  next_ms =
      std::min(next_ms, orders.step(now_ms, [this](std::string_view topic, std::string_view group,
                                                   QueueId queue) { wake(topic, group, queue); }));
  if (now_ms >= orders_due_ms_) {
    orders_due_ms_ = now_ms + p_.config.offset_flush_interval_ms;
    if (auto done = orders.flush(); !done)
      log::error("pops in order: {}", done.error().to_string());
  }
  return next_ms;
}

}  // namespace mq::broker

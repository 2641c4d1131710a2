#include "later.h"

#include <random>

#include "format/names.h"
#include "format/pop_records.h"

namespace mq::mqd {
namespace {

// So many of each kind, then the other kind has its turn.
constexpr std::int64_t kMessagesPerTurn = 1000;
// A slot that is being delivered at the end is delivered to its end, if that does not take longer.
constexpr std::int64_t kFinishMaxUs = 10'000'000;

// Checked when the configuration was read.
format::DelayLevels levels_of(const broker::BrokerConfig& config) {
  return format::DelayLevels::parse(config.store.message_delay_level).value();
}

double chance() {
  thread_local std::minstd_rand random(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(random);
}

}  // namespace

Later::Later(const Parts& parts)
    : parts_(parts),
      delayed_({.store = parts.store,
                .fs = parts.fs,
                .stats = &parts.stats,
                .path = parts.config.store.root + "/config/delayOffset.json",
                .levels = levels_of(parts.config),
                .flush_interval_ms = parts.config.delay_offset_flush_interval_ms}),
      timer_({.store = parts.store,
              .fs = parts.fs,
              .stats = &parts.stats,
              .root = parts.config.store.root,
              .log_file_bytes = parts.config.timer_log_file_bytes,
              .precision_ms = parts.config.timer_precision_ms,
              .roll_slots = parts.config.timer_roll_slots,
              .flush_interval_ms = parts.config.timer_flush_interval_ms}),
      thread_(parts.clock, turns()) {
  const broker::BrokerConfig& config = parts.config;
  rules_ = {.levels = levels_of(config).count(),
            .timers = config.timer_wheel_enable,
            .precision_ms = config.timer_precision_ms,
            .delay_ms_max = config.timer_delay_max_s * 1000,
            .congested_at = config.timer_congested_at,
            .timers_at = [this](std::int64_t out_ms) { return timer_.count_at(out_ms); },
            .chance = chance};
}

std::vector<TimerThread::Turn> Later::turns() {
  std::vector<TimerThread::Turn> out = {
      [this](std::int64_t now_ms) { return delayed_.step(now_ms, kMessagesPerTurn); },
      [this](std::int64_t now_ms) { return timer_.step(now_ms, kMessagesPerTurn); }};
  out.insert(out.end(), parts_.more.begin(), parts_.more.end());
  return out;
}

Result<void> Later::open() {
  MQ_CHECK(delayed_.load(parts_.clock.now_ms()));
  return timer_.open(parts_.clock.now_ms());
}

void Later::start() { thread_.start(); }

void Later::stop() {
  thread_.stop();
  const std::int64_t end_us = parts_.clock.monotonic_us() + kFinishMaxUs;
  while (timer_.is_firing() && parts_.clock.monotonic_us() < end_us)
    (void)timer_.step(parts_.clock.now_ms(), kMessagesPerTurn);
}

Result<void> Later::save() {
  const std::int64_t now_ms = parts_.clock.now_ms();
  auto delayed = delayed_.save(now_ms);
  auto timed = timer_.save(now_ms);
  return delayed ? timed : delayed;
}

void Later::on_arrival(std::string_view topic) noexcept {
  if (topic == format::kScheduleTopic || topic == format::kTimerTopic ||
      topic.starts_with(format::kReviveTopicPrefix)) {
    thread_.wake();
  }
}

}  // namespace mq::mqd

#include "broker/stats.h"

#include <algorithm>
#include <ctime>

namespace mq::broker {
namespace {

constexpr std::size_t kSamplesMax = 601;

std::int64_t local_day(std::int64_t now_ms) {
  const std::time_t seconds = now_ms / 1000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return parts.tm_year * 366LL + parts.tm_yday;
}

}  // namespace

void Rate::sample(std::int64_t total, std::int64_t now_ms) {
  samples_.push_back({now_ms, total});
  if (samples_.size() > kSamplesMax) samples_.pop_front();
}

double Rate::per_second(int seconds) const {
  if (samples_.size() < 2) return 0;
  const Sample& last = samples_.back();
  const std::size_t back =
      std::min<std::size_t>(samples_.size() - 1, static_cast<std::size_t>(seconds));
  const Sample& first = samples_[samples_.size() - 1 - back];
  const std::int64_t ms = std::max<std::int64_t>(1, last.at_ms - first.at_ms);
  return static_cast<double>(last.total - first.total) * 1000.0 / static_cast<double>(ms);
}

std::int64_t Rate::sum(int seconds) const {
  if (samples_.size() < 2) return 0;
  const std::size_t back =
      std::min<std::size_t>(samples_.size() - 1, static_cast<std::size_t>(seconds));
  return samples_.back().total - samples_[samples_.size() - 1 - back].total;
}

double Stats::Counter::per_second(std::int64_t now_ms) const noexcept {
  const std::int64_t ms = std::max<std::int64_t>(1000, now_ms - older_ms);
  return static_cast<double>(count - older_count) * 1000.0 / static_cast<double>(ms);
}

Stats::Stats(std::int64_t now_ms) : day_(local_day(now_ms)), sampled_ms_(now_ms) {}

void Stats::add_locked(std::string_view name, std::string_view key, std::int64_t count) {
  auto& table = counters_.try_emplace(std::string(name)).first->second;
  auto at = table.find(key);
  if (at == table.end()) {
    at = table.emplace(key, Counter{}).first;
    at->second.mark_ms = at->second.older_ms = sampled_ms_;
  }
  at->second.count += count;
  ++at->second.calls;
}

void Stats::put(std::string_view topic, std::int64_t messages, std::int64_t bytes) {
  totals_.put_messages.fetch_add(messages, std::memory_order_relaxed);
  totals_.put_bytes.fetch_add(bytes, std::memory_order_relaxed);
  const MutexLock lock(mu_);  // once a request, a batch included
  add_locked("TOPIC_PUT_NUMS", topic, messages);
  add_locked("TOPIC_PUT_SIZE", topic, bytes);
}

void Stats::sent_back(std::string_view topic, std::string_view group, std::int64_t bytes,
                      bool dead) {
  put(topic, 1, bytes);
  std::string key(topic);
  key.append("@").append(group);
  const MutexLock lock(mu_);
  add_locked("SNDBCK_PUT_NUMS", key, 1);
  if (dead) add_locked("DLQ_PUT_NUMS", key, 1);
}

void Stats::get(std::string_view topic, std::string_view group, std::int64_t messages,
                std::int64_t bytes) {
  totals_.get_messages.fetch_add(messages, std::memory_order_relaxed);
  totals_.get_bytes.fetch_add(bytes, std::memory_order_relaxed);
  totals_.get_found.fetch_add(1, std::memory_order_relaxed);
  std::string key(topic);
  key.append("@").append(group);
  const MutexLock lock(mu_);
  add_locked("GROUP_GET_NUMS", key, messages);
  add_locked("GROUP_GET_SIZE", key, bytes);
}

void Stats::sample(std::int64_t now_ms) {
  puts_.sample(now_ms);
  gets_.sample(now_ms);
  const MutexLock lock(mu_);
  sampled_ms_ = now_ms;
  put_.sample(totals_.put_messages.load(), now_ms);
  found_.sample(totals_.get_found.load(), now_ms);
  miss_.sample(totals_.get_miss.load(), now_ms);
  transferred_.sample(totals_.get_messages.load(), now_ms);
  timer_in_.sample(totals_.timer_in.load(), now_ms);
  timer_out_.sample(totals_.timer_out.load(), now_ms);
  for (auto& [name, table] : counters_) {
    for (auto& [key, counter] : table) {
      if (now_ms - counter.mark_ms < 60'000) continue;
      counter.older_count = counter.mark_count, counter.older_ms = counter.mark_ms;
      counter.mark_count = counter.count, counter.mark_ms = now_ms;
    }
  }
  if (const std::int64_t today = local_day(now_ms); today != day_) {
    day_ = today;
    days_.put_yesterday_morning = days_.put_today_morning;
    days_.get_yesterday_morning = days_.get_today_morning;
    days_.put_today_morning = totals_.put_messages.load();
    days_.get_today_morning = totals_.get_messages.load();
  }
}

Stats::Rates Stats::rates() const {
  const MutexLock lock(mu_);
  Rates out;
  constexpr std::array<int, 3> kSpans = {10, 60, 600};
  for (std::size_t i = 0; i < kSpans.size(); ++i) {
    out.put[i] = put_.per_second(kSpans[i]);
    out.get_found[i] = found_.per_second(kSpans[i]);
    out.get_miss[i] = miss_.per_second(kSpans[i]);
    out.get_total[i] = out.get_found[i] + out.get_miss[i];
    out.transferred[i] = transferred_.per_second(kSpans[i]);
  }
  out.timer_in = timer_in_.per_second(10);
  out.timer_out = timer_out_.per_second(10);
  return out;
}

Stats::Days Stats::days() const {
  const MutexLock lock(mu_);
  Days out = days_;
  out.put_today_now = totals_.put_messages.load();
  out.get_today_now = totals_.get_messages.load();
  return out;
}

double Stats::rate_of(std::string_view name, std::string_view key) const {
  const MutexLock lock(mu_);
  const auto table = counters_.find(name);
  if (table == counters_.end()) return 0;
  const auto at = table->second.find(key);
  return at == table->second.end() ? 0 : at->second.per_second(sampled_ms_);
}

double Stats::topic_put_rate(std::string_view topic) const {
  return rate_of("TOPIC_PUT_NUMS", topic);
}

double Stats::group_get_rate(std::string_view topic, std::string_view group) const {
  return rate_of("GROUP_GET_NUMS", std::string(topic).append("@").append(group));
}

std::optional<Stats::View> Stats::view(std::string_view name, std::string_view key) const {
  const MutexLock lock(mu_);
  const auto table = counters_.find(name);
  if (table == counters_.end()) return std::nullopt;
  const auto at = table->second.find(key);
  if (at == table->second.end()) return std::nullopt;
  const Counter& c = at->second;
  const double per_call =
      c.calls == 0 ? 0 : static_cast<double>(c.count) / static_cast<double>(c.calls);
  const double rate = c.per_second(sampled_ms_);
  const Item whole{c.count, rate, per_call};
  return View{{c.count - c.older_count, rate, per_call}, whole, whole};
}

}  // namespace mq::broker

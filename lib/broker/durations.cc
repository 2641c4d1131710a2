#include "broker/durations.h"

#include <algorithm>
#include <bit>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace mq::broker {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;

// The reference's, each to and with so many milliseconds.
constexpr std::array<std::pair<std::string_view, std::int64_t>, 13> kSpans = {{
    {"<=0ms", 0},
    {"0~10ms", 10},
    {"10~50ms", 50},
    {"50~100ms", 100},
    {"100~200ms", 200},
    {"200~500ms", 500},
    {"500ms~1s", 1000},
    {"1~2s", 2000},
    {"2~3s", 3000},
    {"3~4s", 4000},
    {"4~5s", 5000},
    {"5~10s", 10'000},
    {"10s~", INT64_MAX},
}};

void raise_to(std::atomic<std::int64_t>& highest, std::int64_t value) noexcept {
  std::int64_t seen = highest.load(std::memory_order_relaxed);
  while (value > seen && !highest.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

}  // namespace

std::size_t Durations::bucket_of(std::uint64_t us) noexcept {
  if (us < kSteps) return us;
  const auto doublings = static_cast<std::size_t>(std::bit_width(us / kSteps)) - 1;
  return std::min(kSteps * doublings + (us >> doublings), kBuckets - 1);
}

std::uint64_t Durations::longest_in(std::size_t bucket) noexcept {
  if (bucket < kSteps) return bucket;
  const std::size_t doublings = bucket / kSteps - 1;
  return ((bucket % kSteps + kSteps + 1) << doublings) - 1;
}

void Durations::add(std::int64_t us) noexcept {
  us = std::max<std::int64_t>(us, 0);
  counts_[bucket_of(static_cast<std::uint64_t>(us))].fetch_add(1, std::memory_order_relaxed);
  const std::int64_t ms = us / 1000;
  std::size_t span = 0;
  while (ms > kSpans[span].second) ++span;
  spans_[span].fetch_add(1, std::memory_order_relaxed);
  raise_to(longest_us_, us);
}

void Durations::sample(std::int64_t now_ms) {
  const MutexLock lock(mu_);
  if (now_ms - marked_ms_ < kMinuteMs && now_ms >= marked_ms_) return;
  marked_ms_ = now_ms;
  before_ = lately_;
  std::transform(counts_.begin(), counts_.end(), lately_.begin(),
                 [](const auto& count) { return count.load(std::memory_order_relaxed); });
}

std::int64_t Durations::longest_ms() const noexcept {
  return longest_us_.load(std::memory_order_relaxed) / 1000;
}

std::string Durations::distribution() const {
  std::string out;
  for (std::size_t i = 0; i < kSpans.size(); ++i)
    fmt::format_to(std::back_inserter(out), "[{}]:{} ", kSpans[i].first,
                   spans_[i].load(std::memory_order_relaxed));
  return out;
}

double Durations::quantile_ms(double q) const {
  const MutexLock lock(mu_);
  Counts lately{};
  std::int64_t total = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    lately[i] = counts_[i].load(std::memory_order_relaxed) - before_[i];
    total += lately[i];
  }
  std::int64_t left = total - static_cast<std::int64_t>(q * static_cast<double>(total));
  for (std::size_t i = kBuckets; i-- > 0;) {
    left -= lately[i];
    if (lately[i] > 0 && left <= 0) return static_cast<double>(longest_in(i)) / 1000;
  }
  return 0;
}

}  // namespace mq::broker

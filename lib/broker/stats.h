// Counts and rates that R(28) and R(315) report. Adding is wait-free but for the per-topic table; a
// sampler called once a second makes rates of the totals.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "broker/durations.h"

namespace mq::broker {

// A total sampled once a second for ten minutes: rates over 10 s, 60 s and 600 s.
class Rate {
 public:
  void sample(std::int64_t total, std::int64_t now_ms);
  // Per second; 0 before there are two samples. `seconds` at most 600.
  [[nodiscard]] double per_second(int seconds) const;
  [[nodiscard]] std::int64_t sum(int seconds) const;

 private:
  struct Sample {
    std::int64_t at_ms;
    std::int64_t total;
  };
  std::deque<Sample> samples_;  // oldest first
};

struct Totals {
  std::atomic<std::int64_t> put_messages{0}, put_bytes{0}, put_failed{0};
  std::atomic<std::int64_t> get_messages{0}, get_bytes{0}, get_found{0}, get_miss{0};
  std::atomic<std::int64_t> timer_in{0}, timer_out{0};
};

class Stats {
 public:
  explicit Stats(std::int64_t now_ms);

  void put(std::string_view topic, std::int64_t messages, std::int64_t bytes);
  void put_failed() noexcept { totals_.put_failed.fetch_add(1, std::memory_order_relaxed); }
  // A message of `topic` that a consumer of `group` could not handle.
  void sent_back(std::string_view topic, std::string_view group, std::int64_t bytes, bool dead);
  // Timed messages that went into the wheel, and out of it.
  void timer_enqueued() noexcept { totals_.timer_in.fetch_add(1, std::memory_order_relaxed); }
  void timer_fired() noexcept { totals_.timer_out.fetch_add(1, std::memory_order_relaxed); }
  void get(std::string_view topic, std::string_view group, std::int64_t messages,
           std::int64_t bytes);
  void get_missed() noexcept { totals_.get_miss.fetch_add(1, std::memory_order_relaxed); }

  // How long puts and gets of the store took.
  [[nodiscard]] Durations& puts() noexcept { return puts_; }
  [[nodiscard]] Durations& gets() noexcept { return gets_; }

  // Once a second. Also rolls the day over at local midnight.
  void sample(std::int64_t now_ms);

  struct Rates {
    std::array<double, 3> put{}, get_found{}, get_miss{}, get_total{},
        transferred{};                   // over 10, 60, 600 s
    double timer_in = 0, timer_out = 0;  // over 10 s
  };
  [[nodiscard]] Rates rates() const;
  struct Days {
    std::int64_t put_today_now = 0, put_today_morning = 0, put_yesterday_morning = 0;
    std::int64_t get_today_now = 0, get_today_morning = 0, get_yesterday_morning = 0;
  };
  [[nodiscard]] Days days() const;
  [[nodiscard]] const Totals& totals() const noexcept { return totals_; }
  [[nodiscard]] double topic_put_rate(std::string_view topic) const;
  [[nodiscard]] double group_get_rate(std::string_view topic, std::string_view group) const;

  // R(315): sums and rates over a minute, an hour, a day; nothing for a name or key that is not
  // known.
  struct Item {
    std::int64_t sum = 0;
    double tps = 0;
    double average = 0;
  };
  struct View {
    Item minute, hour, day;
  };
  [[nodiscard]] std::optional<View> view(std::string_view name, std::string_view key) const;

 private:
  struct Counter {
    std::int64_t count = 0;
    std::int64_t calls = 0;
    // Two marks a minute or so apart, not a sample a second: there may be ten thousand topics.
    std::int64_t mark_count = 0, older_count = 0;
    std::int64_t mark_ms = 0, older_ms = 0;
    [[nodiscard]] double per_second(std::int64_t now_ms) const noexcept;
  };
  [[nodiscard]] double rate_of(std::string_view name, std::string_view key) const;
  void add_locked(std::string_view name, std::string_view key, std::int64_t count) MQ_REQUIRES(mu_);

  Totals totals_;
  Durations puts_, gets_;
  mutable Mutex mu_;
  Rate timer_in_ MQ_GUARDED_BY(mu_), timer_out_ MQ_GUARDED_BY(mu_);
  Rate put_ MQ_GUARDED_BY(mu_), found_ MQ_GUARDED_BY(mu_), miss_ MQ_GUARDED_BY(mu_),
      transferred_ MQ_GUARDED_BY(mu_);
  std::int64_t day_ MQ_GUARDED_BY(mu_) = 0;
  std::int64_t sampled_ms_ MQ_GUARDED_BY(mu_);
  Days days_ MQ_GUARDED_BY(mu_);
  std::map<std::string, std::map<std::string, Counter, std::less<>>, std::less<>> counters_
      MQ_GUARDED_BY(mu_);
};

}  // namespace mq::broker

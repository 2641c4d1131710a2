// The SQL filters of consumer groups: what their heartbeats subscribed, compiled, and kept in
// config/consumerFilter.json as the reference keeps it (semantics.md 8.5). Any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "broker/bloom_filter.h"
#include "broker/sql_cache.h"
#include "broker/subscription.h"
#include "fs/fs.h"

namespace mq::broker {

class ConsumerFilters {
 public:
  struct Options {
    std::int32_t bloom_error_percent = 20;
    std::int32_t bloom_expected = 32;
    std::int64_t dead_kept_ms = 86'400'000;  // how long the filter of a group that left is kept
  };
  // `cache` is borrowed.
  ConsumerFilters(fs::Fs& fs, Clock& clock, SqlCache& cache, std::string path, Options options);
  // Everybody counts as gone 30 s ago until they are heard of. A file made for another shape of
  // Bloom filter is passed over, as the reference does. Errors: kCorrupt, kIo.
  Result<void> load() MQ_EXCLUDES(mu_);

  // What a member of the group subscribes now: new and changed SQL expressions are compiled, those
  // of topics that it no longer names are marked as left. An expression that does not compile takes
  // the older one with it, and the group's pulls are refused until there is a good one.
  void subscribe(std::string_view group, const Subscriptions& subscriptions) MQ_EXCLUDES(mu_);
  // Marks the filters of groups that are no longer on line, and forgets those gone for too long.
  void sweep(const std::function<bool(std::string_view group)>& is_online) MQ_EXCLUDES(mu_);

  struct Filter {
    std::int64_t client_version = 0;
    std::shared_ptr<const SqlExpression> expression;  // null: stored by another, and not understood
  };
  // Also that of a group that has left. `expression` of what is not there is null and the version
  // below any.
  [[nodiscard]] Filter find(std::string_view group, std::string_view topic) const MQ_EXCLUDES(mu_);

  // For the retry topic of the group: each record by the group's filter on the topic that it came
  // from, as found at that moment; where there is none, wanted. Borrows this.
  [[nodiscard]] std::shared_ptr<const store::RecordFilter> retry_filter(
      std::string_view group) const;

  // Writes the file if anything changed.
  Result<void> flush() MQ_EXCLUDES(mu_);

 private:
  struct Kept {
    format::ConsumerFilter data;
    std::shared_ptr<const SqlExpression> expression;
  };
  void subscribe_one(std::string_view group, std::string_view topic, const Subscription& wanted)
      MQ_REQUIRES(mu_);

  fs::Fs& fs_;
  Clock& clock_;
  SqlCache& cache_;
  const std::string path_;
  const Options options_;
  const BloomFilter bloom_;
  mutable Mutex mu_;
  // group -> topic: questions and heartbeats come by group.
  std::map<std::string, std::map<std::string, Kept, std::less<>>, std::less<>> groups_
      MQ_GUARDED_BY(mu_);
  bool dirty_ MQ_GUARDED_BY(mu_) = false;
};

}  // namespace mq::broker

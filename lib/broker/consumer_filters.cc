#include "broker/consumer_filters.h"

#include <algorithm>
#include <vector>

#include "base/log.h"
#include "broker/state_file.h"
#include "format/consumer_filters.h"
#include "format/properties.h"

namespace mq::broker {
namespace {

constexpr std::int64_t kGoneAtLoadMs = 30'000;

}  // namespace

ConsumerFilters::ConsumerFilters(fs::Fs& fs, Clock& clock, SqlCache& cache, std::string path,
                                 Options options)
    : fs_(fs),
      clock_(clock),
      cache_(cache),
      path_(std::move(path)),
      options_(options),
      bloom_(options.bloom_error_percent, options.bloom_expected) {}

Result<void> ConsumerFilters::load() {
  format::ConsumerFilterTable table;
  MQ_CHECK(load_state_file(fs_, path_, [&](std::string_view text) -> Result<void> {
    MQ_TRY(table, format::parse_consumer_filter_json(text));
    return {};
  }));
  for (const auto& [topic, groups] : table.topics) {
    for (const auto& [group, data] : groups) {
      if (bloom_.fits(data.bloom)) continue;
      log::warn("{}: made for {} bits of Bloom filter, not {}: passed over", path_, data.bloom.bits,
                bloom_.bits());
      return {};
    }
  }
  const MutexLock lock(mu_);
  for (auto& [topic, groups] : table.topics) {
    for (auto& [group, data] : groups) {
      auto compiled = cache_.compile(data.expression);
      if (!compiled || data.type != kSqlType)
        log::warn("{}: {} on {}: not a filter: {}", path_, group, topic, data.expression);
      if (data.dead_ms == 0) data.dead_ms = std::max(data.born_ms, clock_.now_ms() - kGoneAtLoadMs);
      groups_[group][topic] = {std::move(data), compiled ? *compiled : nullptr};
    }
  }
  return {};
}

void ConsumerFilters::subscribe(std::string_view group, const Subscriptions& subscriptions) {
  const MutexLock lock(mu_);
  const auto is_sql = [](const Subscription& s) { return s.type == kSqlType; };
  for (const auto& [topic, subscription] : subscriptions) {
    if (is_sql(subscription) && !subscription.expression.empty())
      subscribe_one(group, topic, subscription);
  }
  const auto kept = groups_.find(group);
  if (kept == groups_.end()) return;
  for (auto& [topic, filter] : kept->second) {
    if (subscriptions.contains(topic) || filter.data.is_dead()) continue;
    filter.data.dead_ms = clock_.now_ms();
    dirty_ = true;
  }
}

void ConsumerFilters::subscribe_one(std::string_view group, std::string_view topic,
                                    const Subscription& wanted) {
  auto& topics = groups_[std::string(group)];
  const auto at = topics.find(topic);
  if (at != topics.end()) {
    format::ConsumerFilter& old = at->second.data;
    const bool same = old.expression == wanted.expression && old.type == wanted.type &&
                      at->second.expression != nullptr;
    // A member with an older subscription than another's does not turn it back.
    if (wanted.version < old.client_version || (wanted.version == old.client_version && !same))
      return;
    if (same) {
      if (wanted.version == old.client_version && !old.is_dead()) return;
      old.client_version = wanted.version;
      if (old.is_dead()) old.dead_ms = 0;
      dirty_ = true;
      return;
    }
    dirty_ = true;
  }
  const auto compiled = cache_.compile(wanted.expression);
  if (!compiled) {
    log::warn("group {}, topic {}: {}: {}", group, topic, wanted.expression,
              compiled.error().text());
    if (at != topics.end()) topics.erase(at);
    return;
  }
  std::string name(group);
  name.append("#").append(topic);
  topics[std::string(topic)] = {{.expression = wanted.expression,
                                 .type = wanted.type,
                                 .client_version = wanted.version,
                                 .born_ms = clock_.now_ms(),
                                 .dead_ms = 0,
                                 .bloom = bloom_.bits_of(name)},
                                *compiled};
  dirty_ = true;
}

void ConsumerFilters::sweep(const std::function<bool(std::string_view)>& is_online) {
  std::vector<std::string> left;  // asked without our lock
  {
    const MutexLock lock(mu_);
    for (const auto& [group, topics] : groups_) left.push_back(group);
  }
  std::erase_if(left, is_online);
  const MutexLock lock(mu_);
  const std::int64_t now = clock_.now_ms();
  for (const std::string& group : left) {
    const auto at = groups_.find(group);
    if (at == groups_.end()) continue;
    for (auto& [topic, kept] : at->second) {
      if (kept.data.is_dead()) continue;
      kept.data.dead_ms = std::max(now, kept.data.born_ms);
      dirty_ = true;
    }
  }
  for (auto& [group, topics] : groups_) {
    dirty_ = std::erase_if(topics,
                           [&](const auto& topic) {
                             const format::ConsumerFilter& data = topic.second.data;
                             return data.is_dead() && now - data.dead_ms > options_.dead_kept_ms;
                           }) > 0 ||
             dirty_;
  }
  std::erase_if(groups_, [](const auto& group) { return group.second.empty(); });
}

ConsumerFilters::Filter ConsumerFilters::find(std::string_view group,
                                              std::string_view topic) const {
  const MutexLock lock(mu_);
  if (const auto topics = groups_.find(group); topics != groups_.end()) {
    if (const auto found = topics->second.find(topic); found != topics->second.end())
      return {found->second.data.client_version, found->second.expression};
  }
  return {.client_version = -1, .expression = nullptr};
}

namespace {

class RetryFilter final : public store::RecordFilter {
 public:
  RetryFilter(const ConsumerFilters& filters, std::string_view group)
      : filters_(filters), group_(group) {}
  [[nodiscard]] bool wants(std::string_view properties) const override {
    const auto topic = format::find_property(properties, format::kRetryTopic);
    const auto filter = filters_.find(group_, topic.value_or(""));
    return filter.expression == nullptr || filter.expression->wants(properties);
  }

 private:
  const ConsumerFilters& filters_;
  const std::string group_;
};

}  // namespace

std::shared_ptr<const store::RecordFilter> ConsumerFilters::retry_filter(
    std::string_view group) const {
  return std::make_shared<const RetryFilter>(*this, group);
}

Result<void> ConsumerFilters::flush() {
  std::string text;
  {
    const MutexLock lock(mu_);
    if (!dirty_) return {};
    dirty_ = false;
    format::ConsumerFilterTable table;
    for (const auto& [group, topics] : groups_) {
      for (const auto& [topic, kept] : topics) table.topics[topic][group] = kept.data;
    }
    text = format::to_consumer_filter_json(table);
  }
  auto done = fs::write_file_atomically(fs_, path_, text, /*keep_backup=*/true);
  if (!done) {
    const MutexLock lock(mu_);
    dirty_ = true;
  }
  return done;
}

}  // namespace mq::broker

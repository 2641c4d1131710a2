#include "broker/topics.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "broker/state_file.h"
#include "broker/topic_attributes.h"
#include "format/delay_levels.h"
#include "format/light_queues.h"
#include "format/names.h"

namespace mq::broker {
namespace {

using format::TopicConfig;

constexpr std::int32_t kReadWrite = format::kPermRead | format::kPermWrite;

constexpr std::array<std::string_view, 10> kSystemTopics = {"TBW102",
                                                            "SCHEDULE_TOPIC_XXXX",
                                                            "BenchmarkTest",
                                                            "RMQ_SYS_TRANS_HALF_TOPIC",
                                                            "RMQ_SYS_TRANS_OP_HALF_TOPIC",
                                                            "TRANS_CHECK_MAX_TIME_TOPIC",
                                                            "SELF_TEST_TOPIC",
                                                            "OFFSET_MOVED_EVENT",
                                                            "CHECKPOINT_TOPIC",
                                                            "RMQ_SYS_TRACE_TOPIC"};
constexpr std::array<std::string_view, 6> kForbidden = {
    "SCHEDULE_TOPIC_XXXX",        "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRANS_OP_HALF_TOPIC",
    "TRANS_CHECK_MAX_TIME_TOPIC", "SELF_TEST_TOPIC",          "OFFSET_MOVED_EVENT"};

TopicInfo info_of(const TopicConfig& c) {
  return {.read_queues = c.read_queues,
          .write_queues = c.write_queues,
          .perm = c.perm,
          .sys_flag = c.sys_flag,
          .multi_tag = c.filter_type == "MULTI_TAG",
          .batch_queues = format::has_batch_queues(c.attributes),
          .message_type = message_type_of(c.attributes)};
}

TopicConfig make(std::string name, std::int32_t queues, std::int32_t perm) {
  TopicConfig c;
  c.name = std::move(name);
  c.read_queues = c.write_queues = queues;
  c.perm = perm;
  return c;
}

}  // namespace

std::vector<std::string> batch_topics_in(fs::Fs& fs, const std::string& path) {
  std::vector<std::string> out;
  (void)load_state_file(fs, path, [&](std::string_view text) -> Result<void> {
    MQ_TRY(const format::TopicTable stored, format::parse_topics_json(text));
    out.clear();
    for (const auto& [name, topic] : stored.topics)
      if (format::has_batch_queues(topic.attributes)) out.push_back(name);
    return {};
  });
  return out;
}

void Topics::on_batch_topic(std::function<Result<void>(std::string_view)> prepare) {
  prepare_batch_ = std::move(prepare);
}

Topics::Topics(fs::Fs& fs, Clock& clock, const BrokerConfig& config, std::string path)
    : fs_(fs), clock_(clock), config_(config), path_(std::move(path)) {}

Result<void> Topics::load() {
  const MutexLock lock(mu_);
  format::TopicTable stored;
  MQ_CHECK(load_state_file(fs_, path_, [&](std::string_view text) -> Result<void> {
    MQ_TRY(stored, format::parse_topics_json(text));
    return {};
  }));
  table_ = {};
  add_system_topics();
  table_.version = stored.version;
  table_.extra = std::move(stored.extra);
  for (auto& [name, topic] : stored.topics) table_.topics[name] = std::move(topic);
  return {};
}

void Topics::add_system_topics() {
  const auto add = [&](std::string name, std::int32_t queues, std::int32_t perm) MQ_REQUIRES(mu_) {
    TopicConfig topic = make(name, queues, perm);
    table_.topics[std::move(name)] = std::move(topic);
  };
  if (config_.auto_create_topic)
    add("TBW102", config_.default_topic_queues, kReadWrite | format::kPermInherit);
  add("SELF_TEST_TOPIC", 1, kReadWrite);
  add("BenchmarkTest", 1024, kReadWrite);
  add("OFFSET_MOVED_EVENT", 1, kReadWrite);
  add("RMQ_SYS_TRANS_HALF_TOPIC", 1, kReadWrite);
  add("RMQ_SYS_TRANS_OP_HALF_TOPIC", 1, kReadWrite);
  const auto levels = format::DelayLevels::parse(config_.store.message_delay_level);
  add(std::string(format::kScheduleTopic), levels ? levels->count() : 18, kReadWrite);
  if (config_.trace_topic_enable) add(config_.trace_topic, 1, kReadWrite);
  add(config_.cluster, 16, format::kPermInherit | (config_.cluster_topic_enable ? kReadWrite : 0));
  add(config_.name, 1, format::kPermInherit | (config_.broker_topic_enable ? kReadWrite : 0));
  add(config_.cluster + "_REPLY_TOPIC", 1, kReadWrite);
  add("rmq_sys_REVIVE_LOG_" + config_.cluster, config_.revive_queues, kReadWrite);
  add("rmq_sys_SYNC_BROKER_MEMBER_" + config_.name, 1, format::kPermInherit);
  if (config_.timer_wheel_enable) add("rmq_sys_wheel_timer", 1, kReadWrite);
}

std::optional<TopicInfo> Topics::find(std::string_view topic) const {
  const MutexLock lock(mu_);
  const auto at = table_.topics.find(topic);
  if (at != table_.topics.end()) return info_of(at->second);
  const auto light = light_config(topic);
  return light ? std::optional(info_of(*light)) : std::nullopt;
}

std::optional<TopicConfig> Topics::get(std::string_view topic) const {
  const MutexLock lock(mu_);
  const auto at = table_.topics.find(topic);
  return at != table_.topics.end() ? std::optional(at->second) : light_config(topic);
}

std::optional<TopicConfig> Topics::light_config(std::string_view topic) const {
  if (!config_.lmq_enable || !format::is_light_queue_name(topic)) return std::nullopt;
  TopicConfig config;
  config.name = topic;
  config.read_queues = config.write_queues = 1;
  return config;
}

format::TopicTable Topics::all() const {
  const MutexLock lock(mu_);
  return table_;
}

Result<TopicInfo> Topics::create_on_send(std::string_view topic, std::string_view default_topic,
                                         std::int32_t queues, bool unit_mode) {
  const MutexLock changing(file_mu_);
  format::TopicTable next = copy();
  if (const auto at = next.topics.find(topic); at != next.topics.end()) return info_of(at->second);
  const auto base = next.topics.find(default_topic);
  const bool from_template = base != next.topics.end() &&
                             (base->second.perm & format::kPermInherit) != 0 &&
                             (default_topic != "TBW102" || config_.auto_create_topic);
  TopicConfig made;
  if (from_template) {
    made = make(std::string(topic), std::max(0, std::min(queues, base->second.write_queues)),
                base->second.perm & ~format::kPermInherit);
    made.filter_type = base->second.filter_type;
  } else if (topic.starts_with(format::kRetryPrefix)) {
    made = make(std::string(topic), 1, kReadWrite);
  } else {
    return Error{
        Errc::kNotFound,
        fmt::format("topic '{}' does not exist and may not be created by a send{}; create it first",
                    topic, config_.auto_create_topic ? "" : " (autoCreateTopicEnable=false)")};
  }
  made.sys_flag = unit_mode ? 1 : 0;
  const TopicInfo info = info_of(made);
  next.topics[std::string(topic)] = std::move(made);
  MQ_CHECK(commit(std::move(next), {{std::string(topic)}}));
  return info;
}

Result<TopicInfo> Topics::find_or_create(std::string_view topic, std::int32_t queues,
                                         std::int32_t sys_flag, Durable durable) {
  if (const auto known = find(topic)) return *known;
  MQ_CHECK(format::check_own_topic_name(topic));
  TopicConfig made = make(std::string(topic), std::max(0, queues), kReadWrite);
  made.sys_flag = sys_flag;
  if (durable == Durable::kSoon) {
    const MutexLock lock(mu_);
    const auto [at, is_new] = table_.topics.try_emplace(std::string(topic), std::move(made));
    if (is_new) {
      unwritten_ = true;
      table_.version.bump(clock_.now_ms());
      tell({{at->first}});
    }
    return info_of(at->second);
  }
  const MutexLock changing(file_mu_);
  format::TopicTable next = copy();
  const auto [at, is_new] = next.topics.try_emplace(std::string(topic), std::move(made));
  const TopicInfo info = info_of(at->second);
  if (is_new) MQ_CHECK(commit(std::move(next), {{std::string(topic)}}));
  return info;
}

Result<void> Topics::put(TopicConfig wanted, std::string_view attributes) {
  return put_all({{std::move(wanted), std::string(attributes)}});
}

Result<void> Topics::put_all(std::vector<TopicChange> changes) {
  const MutexLock changing(file_mu_);
  format::TopicTable next = copy();
  std::vector<std::string> changed;
  Result<void> done;
  for (TopicChange& change : changes) {
    std::string name = change.wanted.name;
    const auto one = put_into(next, std::move(change.wanted), change.attributes);
    if (one && *one) changed.push_back(std::move(name));
    if (!one && done) done = one.error();
  }
  if (!changed.empty()) MQ_CHECK(commit(std::move(next), changed));
  return done;
}

Result<bool> Topics::put_into(format::TopicTable& table, TopicConfig wanted,
                              std::string_view attributes) const {
  MQ_CHECK(format::check_topic_name(wanted.name));
  if (is_system(wanted.name))
    return Error{Errc::kInvalid, fmt::format("topic '{}' is the system's own", wanted.name)};
  if (wanted.perm < 0 || wanted.perm > 7)
    return Error{Errc::kInvalid, fmt::format("perm {} is outside 0..7", wanted.perm)};
  if (wanted.read_queues < 0 || wanted.write_queues < 0 || wanted.read_queues > 65'536 ||
      wanted.write_queues > 65'536) {
    return Error{Errc::kInvalid, fmt::format("{} read and {} write queues: expected 0..65536",
                                             wanted.read_queues, wanted.write_queues)};
  }
  const auto old = table.topics.find(wanted.name);
  const bool creating = old == table.topics.end();
  if (!creating) wanted.attributes = old->second.attributes, wanted.extra = old->second.extra;
  // Of a kind of its own: the reference calls them a fault of the system.
  if (auto done = change_attributes(wanted.attributes, attributes, creating, config_.mixed_topics);
      !done) {
    if (done.error().code() == Errc::kDenied) return Error{Errc::kInvalid, done.error().text()};
    return Error{Errc::kUnsupported, done.error().text()};
  }
  if (!creating && old->second == wanted) return false;
  if (creating && prepare_batch_ && format::has_batch_queues(wanted.attributes))
    MQ_CHECK(prepare_batch_(wanted.name));
  const std::string name = wanted.name;
  table.topics[name] = std::move(wanted);
  return true;
}

Result<void> Topics::remove(std::string_view topic) {
  MQ_CHECK(format::check_own_topic_name(topic));
  if (is_system(topic))
    return Error{Errc::kInvalid, fmt::format("topic '{}' is the system's own", topic)};
  const MutexLock changing(file_mu_);
  format::TopicTable next = copy();
  const auto at = next.topics.find(topic);
  if (at == next.topics.end()) return {};
  next.topics.erase(at);
  return commit(std::move(next), {{std::string(topic)}});
}

format::TopicTable Topics::copy() const {
  const MutexLock lock(mu_);
  return table_;
}

Result<void> Topics::commit(format::TopicTable next, std::span<const std::string> changed) {
  const format::DataVersion before = next.version;
  next.version.bump(clock_.now_ms());
  MQ_CHECK(fs::write_file_atomically(fs_, path_, format::to_topics_json(next),
                                     /*keep_backup=*/true));
  const MutexLock lock(mu_);
  for (const std::string& name : changed) {
    if (auto node = next.topics.extract(name); !node.empty()) {
      table_.topics.insert_or_assign(name, std::move(node.mapped()));
    } else {
      table_.topics.erase(name);
    }
  }
  // Topics that came meanwhile are not in the file, and have moved the version themselves.
  unwritten_ = table_.version != before;
  if (unwritten_) {
    table_.version.bump(clock_.now_ms());
  } else {
    table_.version = next.version;
  }
  tell(changed);
  return {};
}

Result<void> Topics::flush() {
  const MutexLock changing(file_mu_);
  format::TopicTable next;
  {
    const MutexLock lock(mu_);
    if (!unwritten_) return {};
    unwritten_ = false;
    next = table_;
  }
  auto done = fs::write_file_atomically(fs_, path_, format::to_topics_json(next),
                                        /*keep_backup=*/true);
  if (done) return done;
  const MutexLock lock(mu_);
  unwritten_ = true;
  return done;
}

void Topics::tell(std::span<const std::string> changed) {
  if (!listener_ || changed.empty()) return;
  Changes changes{.topics = {}, .version = table_.version};
  for (const std::string& name : changed) {
    const auto at = table_.topics.find(name);
    changes.topics.emplace_back(name, at == table_.topics.end() ? nullptr : &at->second);
  }
  listener_(changes);
}

Result<void> Topics::bump_version() {
  const MutexLock changing(file_mu_);
  return commit(copy(), {});
}

void Topics::on_change(std::function<void(const Changes&)> listener) {
  const MutexLock lock(mu_);
  listener_ = std::move(listener);
}

bool Topics::is_system(std::string_view topic) const {
  return topic.starts_with(format::kSystemTopicPrefix) || topic == config_.trace_topic ||
         topic == config_.cluster || topic == config_.name ||
         topic == config_.cluster + "_REPLY_TOPIC" ||
         std::find(kSystemTopics.begin(), kSystemTopics.end(), topic) != kSystemTopics.end();
}

bool Topics::is_forbidden_to_producers(std::string_view topic) const {
  return std::find(kForbidden.begin(), kForbidden.end(), topic) != kForbidden.end();
}

std::vector<std::string> Topics::system_topics() const {
  const MutexLock lock(mu_);
  std::vector<std::string> names;
  for (const auto& [name, topic] : table_.topics) {
    if (is_system(name)) names.push_back(name);
  }
  return names;
}

}  // namespace mq::broker

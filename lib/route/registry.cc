// How the tables change: registration, expiry, removal.
#include "route/registry.h"

#include <algorithm>

#include <fmt/format.h>

namespace mq::route {
namespace {

constexpr std::int32_t kPermWrite = 2;

wire::QueueData queues_of(const std::string& broker, const wire::TopicConfig& topic) {
  return {.broker_name = broker,
          .read_queues = topic.read_queues,
          .write_queues = topic.write_queues,
          .perm = topic.perm,
          .topic_sys_flag = topic.sys_flag};
}

// Changes each table of a map of tables, and drops those that are empty then.
template <typename Map, typename Change>
void change_each(Map& map, Change change) {
  for (auto at = map.begin(); at != map.end();) {
    change(at->first, at->second);
    at = at->second.empty() ? map.erase(at) : std::next(at);
  }
}

}  // namespace

void Registry::set_options(const Options& options) {
  const MutexLock lock(mu_);
  options_ = options;
}

Result<Registry::Accepted> Registry::register_broker(const Registration& from,
                                                     std::int64_t now_ms) {
  const MutexLock lock(mu_);
  const auto known = brokers_.find(from.broker);
  const bool has_id = known != brokers_.end() && known->second.addrs.contains(from.id);
  if (!has_id && from.body.topics.topics.size() == 1) {
    return Error{Errc::kUnavailable,
                 fmt::format("broker {} at {} is not known and registers one topic alone",
                             from.broker, from.address)};
  }
  clusters_[from.cluster].insert(from.broker);
  const bool new_name = known == brokers_.end();
  wire::BrokerData& broker = brokers_[from.broker];
  if (new_name) broker.cluster = from.cluster, broker.name = from.broker;
  broker.enable_acting_master = from.enable_acting_master.value_or(false);
  broker.zone = from.zone;
  const bool lowers_min = !broker.addrs.empty() && from.id < broker.addrs.begin()->first;
  // One address is one broker: whoever changes its id leaves the old one.
  std::erase_if(broker.addrs, [&](const auto& member) {
    return member.second == from.address && member.first != from.id;
  });
  if (is_outranked(from, broker)) {
    live_.erase({from.cluster, from.address});
    return Accepted{};
  }
  const bool first = new_name || !broker.addrs.contains(from.id);
  broker.addrs[from.id] = from.address;
  take_topics(from, broker, first);
  live_[{from.cluster, from.address}] = {.broker = from.broker,
                                         .seen_ms = now_ms,
                                         .timeout_ms = from.timeout_ms,
                                         .version = from.body.topics.version,
                                         .connection = from.connection,
                                         .ha_address = from.ha_address};
  if (from.body.filter_servers.empty()) {
    filters_.erase({from.cluster, from.address});
  } else {
    filters_[{from.cluster, from.address}] = from.body.filter_servers;
  }
  if (lowers_min) note_min_id(broker, {}, from.ha_address);
  return answer_to(from, broker);
}

// Another address holds the id, alive and with a newer state: a master that was deposed comes back.
bool Registry::is_outranked(const Registration& from, const wire::BrokerData& broker) const {
  const auto holder = broker.addrs.find(from.id);
  if (holder == broker.addrs.end() || holder->second == from.address) return false;
  const auto live = live_.find({from.cluster, holder->second});
  return live != live_.end() &&
         live->second.version.state_version > from.body.topics.version.state_version;
}

// From the master, or from the slave with the smallest id while there is none.
void Registry::take_topics(const Registration& from, const wire::BrokerData& broker, bool first) {
  const bool is_master = from.id == kMasterId;
  const bool is_prime_slave =
      !is_master && from.enable_acting_master.has_value() && broker.addrs.begin()->first == from.id;
  if (!is_master && !is_prime_slave) return;
  if (options_.delete_missing_topics && from.body.mappings.empty()) forget_missing_topics(from);
  const auto live = live_.find({from.cluster, from.address});
  const bool changed = live == live_.end() || live->second.version != from.body.topics.version;
  for (const auto& [name, topic] : from.body.topics.topics) {
    Queues& of_topic = topics_[name];
    if (!first && !changed && of_topic.contains(from.broker)) continue;
    wire::QueueData queues = queues_of(from.broker, topic);
    if (is_prime_slave && broker.enable_acting_master) queues.perm &= ~kPermWrite;
    of_topic.insert_or_assign(from.broker, std::move(queues));
  }
  if (!first && !changed) return;
  for (const auto& [topic, mapping] : from.body.mappings) mappings_[topic][from.broker] = mapping;
}

void Registry::forget_missing_topics(const Registration& from) {
  change_each(topics_, [&](const std::string& topic, Queues& queues) {
    if (!from.body.topics.topics.contains(topic)) queues.erase(from.broker);
  });
}

Registry::Accepted Registry::answer_to(const Registration& from,
                                       const wire::BrokerData& broker) const {
  if (from.id == kMasterId) return {};
  const auto master = broker.addrs.find(kMasterId);
  if (master == broker.addrs.end()) return {};
  const auto live = live_.find({from.cluster, master->second});
  if (live == live_.end()) return {};
  return {.master_address = master->second, .ha_address = live->second.ha_address};
}

void Registry::unregister_broker(std::string_view cluster, std::string_view broker,
                                 std::string_view address) {
  const MutexLock lock(mu_);
  remove_locked({std::string(cluster), std::string(address)}, broker);
}

void Registry::connection_closed(std::uint64_t connection) {
  if (connection == 0) return;
  const MutexLock lock(mu_);
  std::vector<std::pair<Key, std::string>> gone;
  for (const auto& [who, live] : live_)
    if (live.connection == connection) gone.emplace_back(who, live.broker);
  for (const auto& [who, broker] : gone) remove_locked(who, broker);
}

std::vector<std::uint64_t> Registry::expire(std::int64_t now_ms) {
  const MutexLock lock(mu_);
  std::vector<std::pair<Key, std::string>> gone;
  std::vector<std::uint64_t> connections;
  for (const auto& [who, live] : live_) {
    if (now_ms - live.seen_ms <= live.timeout_ms) continue;
    gone.emplace_back(who, live.broker);
    if (live.connection != 0) connections.push_back(live.connection);
  }
  for (const auto& [who, broker] : gone) remove_locked(who, broker);
  return connections;
}

void Registry::remove_locked(const Key& who, std::string_view broker_name) {
  live_.erase(who);
  filters_.erase(who);
  const auto at = brokers_.find(broker_name);
  if (at == brokers_.end()) return;
  wire::BrokerData& broker = at->second;
  const bool was_min = !broker.addrs.empty() && broker.addrs.begin()->second == who.second;
  std::erase_if(broker.addrs, [&](const auto& member) { return member.second == who.second; });
  if (broker.addrs.empty()) return remove_broker_name(broker_name);
  wipe_without_master(broker);
  if (was_min) note_min_id(broker, who.second, {});
}

void Registry::remove_broker_name(std::string_view broker) {
  const std::string name(broker);  // may be the key that goes
  brokers_.erase(name);
  const auto erase_name = [&](const std::string&, auto& of_broker) { of_broker.erase(name); };
  change_each(clusters_, erase_name);
  change_each(topics_, erase_name);
  change_each(mappings_, erase_name);
}

// The acting master can be read from, not written to.
void Registry::wipe_without_master(const wire::BrokerData& broker) {
  if (!broker.enable_acting_master || broker.addrs.contains(kMasterId)) return;
  for (auto& [topic, queues] : topics_)
    if (const auto at = queues.find(broker.name); at != queues.end())
      at->second.perm &= ~kPermWrite;
}

void Registry::note_min_id(const wire::BrokerData& broker, std::string_view offline,
                           std::string_view ha_address) {
  if (!options_.notify_min_id_changed) return;
  const auto& [min_id, min_address] = *broker.addrs.begin();
  MinIdNotice notice{.broker = broker.name,
                     .min_id = min_id,
                     .min_address = min_address,
                     .offline_address = std::string(offline),
                     .ha_address = std::string(ha_address),
                     .tell = {}};
  // Whoever has just come knows it already.
  const bool tell_all = !offline.empty() || broker.addrs.size() == 1;
  for (const auto& [id, address] : broker.addrs)
    if (tell_all || id != min_id) notice.tell.push_back(address);
  notices_.push_back(std::move(notice));
}

std::vector<Registry::MinIdNotice> Registry::take_notices() {
  const MutexLock lock(mu_);
  return std::exchange(notices_, {});
}

void Registry::heartbeat(std::string_view cluster, std::string_view address, std::int64_t now_ms) {
  const MutexLock lock(mu_);
  const auto live = live_.find({std::string(cluster), std::string(address)});
  if (live != live_.end()) live->second.seen_ms = now_ms;
}

wire::QueryDataVersionResponse Registry::query_version(std::string_view cluster,
                                                       std::string_view address,
                                                       const wire::DataVersion& version,
                                                       std::int64_t now_ms) {
  const MutexLock lock(mu_);
  const auto live = live_.find({std::string(cluster), std::string(address)});
  if (live == live_.end()) return {.changed = true};
  live->second.seen_ms = now_ms;
  return {.changed = live->second.version != version, .version = live->second.version};
}

std::int32_t Registry::change_write_perm(std::string_view broker, bool allow) {
  constexpr std::int32_t kReadWrite = 6;
  const MutexLock lock(mu_);
  std::int32_t count = 0;
  for (auto& [topic, queues] : topics_) {
    const auto at = queues.find(broker);
    if (at == queues.end()) continue;
    at->second.perm = allow ? kReadWrite : at->second.perm & ~kPermWrite;
    ++count;
  }
  return count;
}

void Registry::delete_topic(std::string_view topic, std::string_view cluster) {
  const MutexLock lock(mu_);
  const auto at = topics_.find(topic);
  if (at == topics_.end()) return;
  if (!cluster.empty()) {
    const auto members = clusters_.find(cluster);
    if (members == clusters_.end()) return;
    for (const std::string& broker : members->second) at->second.erase(broker);
    if (!at->second.empty()) return;
  }
  topics_.erase(at);
}

void Registry::delete_topic_of(std::string_view topic, std::string_view broker) {
  const MutexLock lock(mu_);
  const auto at = topics_.find(topic);
  if (at == topics_.end()) return;
  if (const auto queues = at->second.find(broker); queues != at->second.end())
    at->second.erase(queues);
  if (at->second.empty()) topics_.erase(at);
}

void Registry::add_topic(std::string_view topic, const std::vector<wire::QueueData>& queues) {
  const MutexLock lock(mu_);
  const bool all_known =
      std::all_of(queues.begin(), queues.end(), [&](const auto& of_broker) MQ_REQUIRES(mu_) {
        return brokers_.contains(of_broker.broker_name);
      });
  if (queues.empty() || !all_known) return;
  Queues& of_topic = topics_[std::string(topic)];
  for (const auto& of_broker : queues) of_topic.insert_or_assign(of_broker.broker_name, of_broker);
}

}  // namespace mq::route
